package luciola.cli.server;

/** The servers of a cluster. */
public enum ServerKind {
  META_SERVER("meta-server"),
  STORAGE_SERVER("storage-server"),
  AGENT("agent");

  private final String commandName;

  ServerKind(String commandName) {
    this.commandName = commandName;
  }

  /** Name of its command. */
  public String commandName() {
    return commandName;
  }
}

package luciola.cli.soak.load;

/** What clients do; each has its own figures. */
public enum OperationKind {
  CREATE,
  WRITE,
  APPEND,
  TRUNCATE,
  REMOVE,
  REOPEN,
  OPEN_READ,
  READ_BLOCK,
  READ_BATCH,
  READ_SPAN,
  CHANGE_NAME,
  LIST_NAMES
}

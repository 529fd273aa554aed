package luciola.cli;

import picocli.CommandLine.IVersionProvider;

/** Release of this program and of the Java it runs on. */
public final class Version implements IVersionProvider {
  /** The release. */
  public static final String RELEASE = "0.1.0";

  @Override
  public String[] getVersion() {
    return new String[] {"luciola " + RELEASE + " (Java " + Runtime.version() + ")"};
  }
}

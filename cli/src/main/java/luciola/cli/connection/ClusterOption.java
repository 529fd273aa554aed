package luciola.cli.connection;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import luciola.client.cluster.ClusterFileSystem;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.id.ClusterId;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option that names the cluster; a mixin of every command that needs one. */
public final class ClusterOption {
  /** Where a local cluster keeps its data unless told otherwise. */
  public static final Path DATA_FOLDER = Path.of("luciola-data");

  private static final Pattern ADDRESS =
      Pattern.compile("[^:\\s]+:[0-9]{1,5}|\\[[^]]+]:[0-9]{1,5}");

  @Option(
      names = {"-c", "--cluster"},
      paramLabel = "HOST:PORT",
      description =
          "Address of a meta-server, or several separated by commas. Else LUCIOLA_CLUSTER is used,"
              + " else the local cluster in ./luciola-data.")
  @Nullable String cluster;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description =
          "File with the token to show, where the cluster asks for one. Else LUCIOLA_TOKEN_FILE is"
              + " used.")
  @Nullable Path tokenFile;

  @Option(
      names = "--authorities",
      paramLabel = "FILE",
      description =
          "Connections are encrypted, and servers are believed whose certificates one of these"
              + " signed (PEM). Else LUCIOLA_AUTHORITIES is used.")
  @Nullable Path authorities;

  @Option(
      names = "--certificate",
      paramLabel = "FILE",
      description =
          "A user's certificate to show in place of a token (PEM); a token beside it is what"
              + " counts. Else LUCIOLA_CERTIFICATE is used. Needs --authorities.")
  @Nullable Path certificate;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description = "The certificate's private key (PEM, PKCS 8). Else LUCIOLA_KEY is used.")
  @Nullable Path key;

  /** Opens the file system of the cluster that is meant; refuses another one in its place. */
  public LuciolaFileSystem connect(Connector connector, Invocation invocation) {
    LuciolaFileSystem files = connector.connect(metaServers(invocation), access(invocation));
    try {
      if (files instanceof ClusterFileSystem reached) {
        check(invocation, reached.cluster());
      }
      return files;
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  /**
   * Refuses to go on with a cluster that answers at the addresses of the local one and is another:
   * its folder was copied, or its port was taken.
   */
  public void check(Invocation invocation, ClusterId reached) {
    if (cluster != null || invocation.variable("LUCIOLA_CLUSTER").isPresent()) {
      return;
    }
    Path folder = new DataFolder(invocation.resolve(DATA_FOLDER)).path();
    ClusterFile.read(folder)
        .map(ClusterFile::clusterId)
        .filter(id -> !id.isEmpty())
        .ifPresent(expected -> {
          String answered = String.format(Locale.ROOT, "%016x", reached.value());
          if (!expected.equals(answered)) {
            throw CommandFailure.failed(
                "another cluster answers: expected="
                    + expected
                    + " by "
                    + folder.resolve(ClusterFile.NAME)
                    + " answered="
                    + answered
                    + "; nothing was done; name the one you mean with --cluster HOST:PORT");
          }
        });
  }

  /** What is shown to the cluster. */
  public ClientAccess access(Invocation invocation) {
    Optional<Path> believed = authoritiesPath(invocation);
    Optional<Path> shown = path(certificate, "LUCIOLA_CERTIFICATE", invocation);
    Optional<Path> proof = path(key, "LUCIOLA_KEY", invocation);
    if (shown.isPresent() != proof.isPresent() || (shown.isPresent() && believed.isEmpty())) {
      throw CommandFailure.wrongUse("--certificate, --key and --authorities go together");
    }
    ClientAccess reached = ClientAccess.NONE;
    if (believed.isPresent()) {
      reached = reached.withAuthorities(believed.get().toString());
    }
    if (shown.isPresent() && proof.isPresent()) {
      reached = reached.withCertificate(shown.get().toString(), proof.get().toString());
    }
    Optional<Path> token = tokenPath(invocation);
    return token.isPresent() ? reached.withCredential(CredentialFile.read(token.get())) : reached;
  }

  private static Optional<Path> path(
      @Nullable Path option, String variable, Invocation invocation) {
    return Optional.ofNullable(option)
        .or(() -> invocation.variable(variable).map(Path::of))
        .map(invocation::resolve);
  }

  private Optional<Path> authoritiesPath(Invocation invocation) {
    return path(authorities, "LUCIOLA_AUTHORITIES", invocation);
  }

  private Optional<Path> tokenPath(Invocation invocation) {
    return path(tokenFile, "LUCIOLA_TOKEN_FILE", invocation);
  }

  /** The options by which another process of this program reaches the same cluster. */
  public List<String> arguments(Invocation invocation) {
    var arguments = new ArrayList<String>();
    arguments.add("--cluster=" + String.join(",", metaServers(invocation)));
    tokenPath(invocation).ifPresent(file -> arguments.add("--token-file=" + file));
    authoritiesPath(invocation).ifPresent(file -> arguments.add("--authorities=" + file));
    path(certificate, "LUCIOLA_CERTIFICATE", invocation)
        .ifPresent(file -> arguments.add("--certificate=" + file));
    path(key, "LUCIOLA_KEY", invocation).ifPresent(file -> arguments.add("--key=" + file));
    return arguments;
  }

  /** How to reach the meta-servers. */
  public MetaOptions metaOptions(Invocation invocation) {
    return MetaOptions.of(metaServers(invocation)).withAccess(access(invocation));
  }

  /** Addresses of the meta-servers of the cluster that is meant. */
  public List<String> metaServers(Invocation invocation) {
    if (cluster != null) {
      return addresses("--cluster", cluster);
    }
    var variable = invocation.variable("LUCIOLA_CLUSTER");
    if (variable.isPresent()) {
      return addresses("LUCIOLA_CLUSTER", variable.get());
    }
    var folder = new DataFolder(invocation.resolve(DATA_FOLDER));
    List<String> local =
        ClusterFile.read(folder.path()).map(ClusterFile::metaServers).orElse(List.of());
    if (local.isEmpty()) {
      throw CommandFailure.wrongUse(
          "which cluster? there is none in ./luciola-data: start one with luciola local up, or"
              + " name one with --cluster HOST:PORT or LUCIOLA_CLUSTER");
    }
    if (!running(folder)) {
      throw CommandFailure.failed(
          "the cluster in " + folder.path() + " is down; start it with luciola local up");
    }
    return local;
  }

  private static boolean running(DataFolder folder) {
    try {
      return folder.taken();
    } catch (IOException failure) {
      throw CommandFailure.failed(
          "cannot look into " + folder.path() + ": " + failure.getMessage(), failure);
    }
  }

  /**
   * Cuts a list of addresses.
   *
   * @param from the option or variable that they come from
   */
  public static List<String> addresses(String from, String text) {
    List<String> found = Stream.of(text.split(",")).map(String::strip).toList();
    for (String address : found) {
      if (!ADDRESS.matcher(address).matches()) {
        throw CommandFailure.wrongUse(
            from + " is HOST:PORT, or several separated by commas, not '" + address + "'");
      }
    }
    return found;
  }
}

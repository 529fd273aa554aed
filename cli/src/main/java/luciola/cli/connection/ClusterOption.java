package luciola.cli.connection;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Invocation;
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

  /** Addresses of the meta-servers of the cluster that is meant. */
  public List<String> metaServers(Invocation invocation) {
    if (cluster != null) {
      return addresses("--cluster", cluster);
    }
    var variable = invocation.variable("LUCIOLA_CLUSTER");
    if (variable.isPresent()) {
      return addresses("LUCIOLA_CLUSTER", variable.get());
    }
    return ClusterFile.read(invocation.resolve(DATA_FOLDER))
        .map(ClusterFile::metaServers)
        .filter(found -> !found.isEmpty())
        .orElseThrow(() ->
            CommandFailure.wrongUse(
                "which cluster? there is none in ./luciola-data: start one with luciola local"
                    + " up, or name one with --cluster HOST:PORT or LUCIOLA_CLUSTER"));
  }

  private static List<String> addresses(String from, String text) {
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

package luciola.cli.files;

import java.util.List;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "du", description = "Adds up the lengths of everything in directories.")
public final class DuCommand extends FileCommand {
  /** Rows that wait to be printed under each other. */
  private static final int ROWS_MAX = 1_000;

  @Parameters(arity = "0..*", paramLabel = "PATH", description = "Directories or files (/).")
  private List<String> paths = List.of();

  @Option(
      names = {"-d", "--depth"},
      paramLabel = "N",
      defaultValue = "0",
      description = "Show directories down to this depth (${DEFAULT-VALUE}).")
  private int depth;

  @Option(names = "--json", description = "One JSON object a line.")
  private boolean json;

  /** One shown line. */
  private record Usage(String path, long bytes, long files, long directories) {
    Usage plus(Usage other) {
      return new Usage(
          path, bytes + other.bytes, files + other.files, directories + other.directories);
    }
  }

  public DuCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    paths = paths.isEmpty() ? List.of("/") : paths.stream().map(RemotePath::of).toList();
  }

  @Override
  int run(LuciolaFileSystem fs) {
    var table = new Table("bytes", "size", "files", "directories", "path");
    for (String path : paths) {
      show(table, measure(fs, path, fs.stat(path), 0, table));
    }
    if (!json) {
      table.print(invocation().out());
    }
    return ExitCode.DONE;
  }

  private Usage measure(LuciolaFileSystem fs, String path, FileStat stat, int level, Table table) {
    if (!stat.isDirectory()) {
      return new Usage(path, stat.length(), 1, 0);
    }
    Usage[] sum = {new Usage(path, 0, 0, 1)};
    fs.list(
        path,
        entry -> {
          String child = RemotePath.in(path, entry.name());
          Usage usage = measure(fs, child, entry.stat(), level + 1, table);
          if (entry.stat().isDirectory() && level < depth) {
            show(table, usage);
          }
          sum[0] = sum[0].plus(usage);
        });
    return sum[0];
  }

  private void show(Table table, Usage usage) {
    if (json) {
      Json.print(invocation().out(), usage);
    } else {
      table.row(
          usage.bytes(),
          Units.bytes(usage.bytes()),
          usage.files(),
          usage.directories(),
          usage.path());
      if (table.waiting() >= ROWS_MAX) {
        table.print(invocation().out());
      }
    }
  }
}

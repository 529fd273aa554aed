package luciola.cli.files;

import java.util.List;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "ls", description = "Lists directories.")
public final class LsCommand extends FileCommand {
  @Parameters(arity = "0..*", paramLabel = "PATH", description = "What to list (/).")
  private List<String> paths = List.of();

  @Option(names = "-l", description = "Mode, links, owner, length and time of each.")
  private boolean details;

  @Option(
      names = {"-R", "--recursive"},
      description = "What is in the directories too.")
  private boolean recursive;

  @Option(names = "--json", description = "One JSON object a line.")
  private boolean json;

  public LsCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    paths = paths.isEmpty() ? List.of("/") : paths.stream().map(RemotePath::of).toList();
  }

  @Override
  int run(LuciolaFileSystem fs) {
    for (String path : paths) {
      FileStat stat = fs.stat(path);
      if (stat.isDirectory()) {
        directory(fs, path, recursive || paths.size() > 1);
      } else {
        show(fs, path, List.of(new DirectoryEntry(path, stat)));
      }
    }
    return ExitCode.DONE;
  }

  private void directory(LuciolaFileSystem fs, String path, boolean titled) {
    List<DirectoryEntry> entries = fs.list(path);
    if (titled && !json) {
      invocation().out().println(path + ":");
    }
    show(fs, path, entries);
    if (titled && !json) {
      invocation().out().println();
    }
    if (recursive) {
      for (DirectoryEntry entry : entries) {
        if (entry.stat().isDirectory()) {
          directory(fs, RemotePath.in(path, entry.name()), true);
        }
      }
    }
  }

  private void show(LuciolaFileSystem fs, String directory, List<DirectoryEntry> entries) {
    if (json) {
      for (DirectoryEntry entry : entries) {
        Json.print(invocation().out(), Entry.json(pathOf(directory, entry), entry.stat()));
      }
    } else if (details) {
      table(fs, directory, entries).print(invocation().out());
    } else {
      entries.forEach(entry -> invocation().out().println(entry.name()));
    }
  }

  private static Table table(LuciolaFileSystem fs, String directory, List<DirectoryEntry> entries) {
    var table = new Table("mode", "links", "uid", "gid", "length", "modified", "name");
    for (DirectoryEntry entry : entries) {
      FileStat stat = entry.stat();
      String name =
          switch (stat.type()) {
            case SYMLINK -> entry.name() + " -> " + fs.readLink(pathOf(directory, entry));
            case DIRECTORY -> entry.name() + "/";
            case FILE, FIFO, SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE -> entry.name();
          };
      table.row(
          Entry.mode(stat),
          stat.nlink(),
          stat.uid(),
          stat.gid(),
          stat.length(),
          Entry.time(stat.modifiedNanos()),
          name);
    }
    return table;
  }

  private static String pathOf(String directory, DirectoryEntry entry) {
    return entry.name().startsWith("/") ? entry.name() : RemotePath.in(directory, entry.name());
  }
}

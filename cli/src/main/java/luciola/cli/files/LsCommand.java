package luciola.cli.files;

import java.util.ArrayList;
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
  /** Rows, and names of directories, that wait at the same time. */
  private static final int KEPT_MAX = 1_000;

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
        var shown = new Shown(fs, path);
        shown.entry(new DirectoryEntry(path, stat));
        shown.end();
      }
    }
    return ExitCode.DONE;
  }

  private void directory(LuciolaFileSystem fs, String path, boolean titled) {
    if (titled && !json) {
      invocation().out().println(path + ":");
    }
    var shown = new Shown(fs, path);
    fs.list(path, shown::entry);
    shown.end();
    if (titled && !json) {
      invocation().out().println();
    }
    if (recursive) {
      below(fs, path, shown);
    }
  }

  /** Directories come after what they are in: many of them are listed once more, not kept. */
  private void below(LuciolaFileSystem fs, String path, Shown shown) {
    if (shown.tooManyDirectories) {
      fs.list(
          path,
          entry -> {
            if (entry.stat().isDirectory()) {
              directory(fs, RemotePath.in(path, entry.name()), true);
            }
          });
    } else {
      shown.directories.forEach(name -> directory(fs, RemotePath.in(path, name), true));
    }
  }

  /** Entries of one directory, shown as they come. */
  private final class Shown {
    private final LuciolaFileSystem fs;
    private final String directory;
    private final Table table =
        new Table("mode", "links", "uid", "gid", "length", "modified", "name");
    private final List<String> directories = new ArrayList<>();
    private boolean tooManyDirectories;

    Shown(LuciolaFileSystem fs, String directory) {
      this.fs = fs;
      this.directory = directory;
    }

    void entry(DirectoryEntry entry) {
      if (json) {
        Json.print(invocation().out(), Entry.json(pathOf(directory, entry), entry.stat()));
      } else if (details) {
        row(entry);
      } else {
        invocation().out().println(entry.name());
      }
      if (recursive && entry.stat().isDirectory()) {
        if (directories.size() < KEPT_MAX) {
          directories.add(entry.name());
        } else {
          tooManyDirectories = true;
        }
      }
    }

    void end() {
      if (details && !json) {
        table.print(invocation().out());
      }
    }

    private void row(DirectoryEntry entry) {
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
      if (table.waiting() >= KEPT_MAX) {
        table.print(invocation().out());
      }
    }
  }

  private static String pathOf(String directory, DirectoryEntry entry) {
    return entry.name().startsWith("/") ? entry.name() : RemotePath.in(directory, entry.name());
  }
}

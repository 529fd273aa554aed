package luciola.cli.files;

import java.util.List;
import java.util.Locale;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Units;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "stat", description = "Shows everything known of files, links not followed.")
public final class StatCommand extends FileCommand {
  @Parameters(arity = "1..*", paramLabel = "PATH", description = "Files, directories or links.")
  private List<String> paths = List.of();

  @Option(names = "--json", description = "One JSON object a line.")
  private boolean json;

  public StatCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    paths = paths.stream().map(RemotePath::of).toList();
  }

  @Override
  int run(LuciolaFileSystem fs) {
    for (String path : paths) {
      FileStat stat = fs.lstat(path);
      if (json) {
        Json.print(invocation().out(), Entry.json(path, stat));
      } else {
        print(fs, path, stat);
      }
    }
    return ExitCode.DONE;
  }

  private void print(LuciolaFileSystem fs, String path, FileStat stat) {
    var out = invocation().out();
    String target = stat.type() == FileType.SYMLINK ? " -> " + fs.readLink(path) : "";
    out.println("path      " + path + target);
    out.println("type      " + stat.type().name().toLowerCase(Locale.ROOT));
    out.println("length    " + stat.length() + " (" + Units.bytes(stat.length()) + ")");
    out.println("inode     " + stat.inode().value());
    out.println("mode      " + String.format("%04o", stat.mode()) + " " + Entry.mode(stat));
    out.println("owner     uid=" + stat.uid() + " gid=" + stat.gid());
    out.println("links     " + stat.nlink());
    out.println("accessed  " + Entry.time(stat.accessedNanos()));
    out.println("modified  " + Entry.time(stat.modifiedNanos()));
    out.println("changed   " + Entry.time(stat.changedNanos()));
  }
}

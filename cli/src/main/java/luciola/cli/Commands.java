package luciola.cli;

import luciola.cli.bench.BenchCommand;
import luciola.cli.connection.Connector;
import luciola.cli.demo.DemoCommand;
import luciola.cli.files.CatCommand;
import luciola.cli.files.CpCommand;
import luciola.cli.files.DuCommand;
import luciola.cli.files.GetCommand;
import luciola.cli.files.LsCommand;
import luciola.cli.files.MkdirCommand;
import luciola.cli.files.MvCommand;
import luciola.cli.files.PutCommand;
import luciola.cli.files.RmCommand;
import luciola.cli.files.StatCommand;
import luciola.cli.files.SyncCommand;
import luciola.cli.fsck.FsckCommand;
import luciola.cli.local.LocalCommand;
import luciola.cli.mount.MountCommand;
import luciola.cli.mount.UmountCommand;
import luciola.cli.operate.ChainCommand;
import luciola.cli.operate.CheckpointCommand;
import luciola.cli.operate.ClusterCommand;
import luciola.cli.operate.DatasetCommand;
import luciola.cli.operate.NodeCommand;
import luciola.cli.operate.QuotaCommand;
import luciola.cli.operate.SimulateCommand;
import luciola.cli.operate.StatusCommand;
import luciola.cli.operate.TableCommand;
import luciola.cli.operate.TargetCommand;
import luciola.cli.operate.TokenCommand;
import luciola.cli.operate.UserCommand;
import luciola.cli.server.ServerCommand;
import luciola.cli.server.ServerKind;
import luciola.cli.soak.SoakCommand;
import luciola.cli.terminal.Invocation;
import luciola.cli.train.TrainCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The tree of commands, built by hand. */
final class Commands {
  private Commands() {}

  /** Everything the program can do. */
  static CommandLine all(Invocation invocation, Connector connector) {
    var root = new CommandLine(new Luciola());
    root.addSubcommand(LocalCommand.of(invocation));
    root.addSubcommand(new PutCommand(invocation, connector));
    root.addSubcommand(new GetCommand(invocation, connector));
    root.addSubcommand(new SyncCommand(invocation, connector));
    root.addSubcommand(new LsCommand(invocation, connector));
    root.addSubcommand(new CatCommand(invocation, connector));
    root.addSubcommand(new CpCommand(invocation, connector));
    root.addSubcommand(new MvCommand(invocation, connector));
    root.addSubcommand(new RmCommand(invocation, connector));
    root.addSubcommand(new MkdirCommand(invocation, connector));
    root.addSubcommand(new StatCommand(invocation, connector));
    root.addSubcommand(new DuCommand(invocation, connector));
    root.addSubcommand(new MountCommand(invocation, connector));
    root.addSubcommand(new UmountCommand(invocation));
    root.addSubcommand(new StatusCommand(invocation));
    root.addSubcommand(new FsckCommand(invocation, connector));
    root.addSubcommand(NodeCommand.of(invocation));
    root.addSubcommand(TargetCommand.of(invocation));
    root.addSubcommand(ChainCommand.of(invocation));
    root.addSubcommand(TableCommand.of(invocation));
    root.addSubcommand(ClusterCommand.of(invocation));
    root.addSubcommand(QuotaCommand.of(invocation));
    root.addSubcommand(UserCommand.of(invocation));
    root.addSubcommand(TokenCommand.of(invocation));
    root.addSubcommand(DatasetCommand.of(invocation, connector));
    root.addSubcommand(CheckpointCommand.of(invocation, connector));
    root.addSubcommand(SimulateCommand.of(invocation));
    root.addSubcommand(new SoakCommand(invocation));
    for (ServerKind kind : ServerKind.values()) {
      root.addSubcommand(ServerCommand.of(invocation, kind));
    }
    root.addSubcommand(new VersionCommand(invocation));
    root.addSubcommand(new TrainCommand(invocation, connector));
    root.addSubcommand(BenchCommand.of(invocation, connector));
    root.addSubcommand(new DemoCommand(invocation, connector));
    root.addSubcommand(new WarmUpCommand());
    return root;
  }

  @Command(
      name = "luciola",
      mixinStandardHelpOptions = true,
      scope = ScopeType.INHERIT,
      versionProvider = Version.class,
      description = "A parallel file system and data loader for training clusters.",
      synopsisSubcommandLabel = "COMMAND",
      exitCodeOnInvalidInput = 2,
      exitCodeOnExecutionException = 1)
  static final class Luciola implements Runnable {
    @Option(
        names = "--verbose",
        scope = ScopeType.INHERIT,
        description = "Log what happens and show stack traces of errors.")
    boolean verbose;

    @picocli.CommandLine.Spec
    picocli.CommandLine.Model.@org.jspecify.annotations.Nullable CommandSpec spec;

    @Override
    public void run() {
      if (spec != null) {
        spec.commandLine().usage(spec.commandLine().getOut());
      }
    }
  }
}

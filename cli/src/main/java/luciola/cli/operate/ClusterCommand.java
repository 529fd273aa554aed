package luciola.cli.operate;

import java.util.Map;
import java.util.concurrent.Callable;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.grpc.v1.OperateExactly;
import luciola.grpc.v1.OperateRequest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "cluster", description = "Settings of the running cluster.")
public final class ClusterCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new ClusterCommand())
        .addSubcommand(new Show(invocation))
        .addSubcommand(new Set(invocation))
        .addSubcommand(new Unset(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  private static void print(ClusterCall call, Map<String, String> settings) {
    if (call.json) {
      Json.print(call.invocation.out(), settings);
      return;
    }
    var table = new Table("setting", "value", "meaning");
    settings.forEach((name, value) -> table.row(name, value, Settings.meaning(name)));
    table.print(call.invocation.out());
  }

  @Command(name = "show", description = "Every setting with its value.")
  static final class Show extends ClusterCall implements Callable<Integer> {
    Show(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      print(this, view().settings());
      return ExitCode.DONE;
    }
  }

  private static Map<String, String> changed(ClusterCall call, OperateExactly.Builder change) {
    return call.with(meta -> {
      meta.operate(OperateRequest.newBuilder().setExactly(change).build());
      return ClusterView.of(meta.status()).settings();
    });
  }

  @Command(name = "set", description = "Changes a setting; servers take it with a heartbeat.")
  static final class Set extends ClusterCall implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "NAME", description = "See cluster show.")
    private @Nullable String name;

    @Parameters(index = "1", paramLabel = "VALUE", description = "See cluster show.")
    private @Nullable String value;

    Set(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      print(
          this,
          changed(
              this,
              OperateExactly.newBuilder()
                  .setSettings(Settings.set(String.valueOf(name), String.valueOf(value)))));
      return ExitCode.DONE;
    }
  }

  @Command(name = "unset", description = "Gives a setting its default again.")
  static final class Unset extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", description = "See cluster show.")
    private @Nullable String name;

    Unset(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      print(
          this,
          changed(
              this,
              OperateExactly.newBuilder()
                  .addSettingsCleared(Settings.field(String.valueOf(name)))));
      return ExitCode.DONE;
    }
  }
}

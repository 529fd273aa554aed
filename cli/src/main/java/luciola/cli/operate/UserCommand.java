package luciola.cli.operate;

import java.util.List;
import java.util.concurrent.Callable;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessUser;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Who may use the cluster. */
@Command(name = "user", description = "Users of a cluster that asks who one is.")
public final class UserCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new UserCommand())
        .addSubcommand(new Create(invocation))
        .addSubcommand(new Ls(invocation))
        .addSubcommand(new Remove(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  /** A user as it is printed. */
  record Shown(
      String name, long uid, long gid, List<Long> groups, boolean mountForOthers, boolean admin) {
    static Shown of(AccessUser user) {
      return new Shown(
          user.getName(),
          Integer.toUnsignedLong(user.getUid()),
          Integer.toUnsignedLong(user.getGid()),
          user.getGroupsList().stream().map(Integer::toUnsignedLong).toList(),
          user.getMountForOthers(),
          user.getAdmin());
    }
  }

  private static void print(ClusterCall call, List<Shown> users) {
    if (call.json) {
      users.forEach(user -> Json.print(call.invocation.out(), user));
      return;
    }
    var table = new Table("user", "uid", "gid", "groups", "may");
    for (Shown user : users) {
      table.row(
          user.name(),
          user.uid(),
          user.gid(),
          user.groups().isEmpty() ? "-" : user.groups(),
          user.admin()
              ? "administer"
              : user.mountForOthers() ? "mount for others" : "use its own files");
    }
    table.print(call.invocation.out());
  }

  @Command(name = "create", description = "Makes a user.")
  static final class Create extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", description = "Its name.")
    private @Nullable String name;

    @Option(names = "--uid", required = true, paramLabel = "N", description = "Its number.")
    private long uid;

    @Option(
        names = "--gid",
        paramLabel = "N",
        description = "Its group; the same number as the user's if not given.")
    private @Nullable Long gid;

    @Option(
        names = "--groups",
        split = ",",
        paramLabel = "N",
        description = "More groups that it is in.")
    private List<Long> groups = List.of();

    @Option(
        names = "--mount-for-others",
        description = "It may act as any user but user 0, as a mount for a machine's users does.")
    private boolean mountForOthers;

    @Option(names = "--admin", description = "It may operate the cluster and act as anybody.")
    private boolean admin;

    Create(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      AccessUser.Builder user =
          AccessUser.newBuilder()
              .setName(String.valueOf(name))
              .setUid(Quantity.number("--uid", uid))
              .setGid(gid == null ? Quantity.number("--uid", uid) : Quantity.number("--gid", gid))
              .setMountForOthers(mountForOthers)
              .setAdmin(admin);
      groups.forEach(group -> user.addGroups(Quantity.number("--groups", group)));
      AccessUser made =
          with(meta -> meta.changeAccess(AccessChange.newBuilder().setCreateUser(user).build()))
              .getUser();
      print(this, List.of(Shown.of(made)));
      return ExitCode.DONE;
    }
  }

  @Command(name = "ls", description = "Every user.")
  static final class Ls extends ClusterCall implements Callable<Integer> {
    Ls(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      var listed = with(meta -> meta.listAccess());
      print(this, listed.getUsersList().stream().map(Shown::of).toList());
      if (!json && !listed.getRequired()) {
        invocation.out().println("the cluster lets everybody in: security.required is not set");
      }
      return ExitCode.DONE;
    }
  }

  @Command(name = "remove", description = "Removes users, and with them their tokens.")
  static final class Remove extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", arity = "1..*", description = "Their names.")
    private List<String> names = List.of();

    Remove(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      print(
          this,
          with(meta ->
              names.stream()
                  .map(name ->
                      Shown.of(
                          meta.changeAccess(AccessChange.newBuilder().setRemoveUser(name).build())
                              .getUser()))
                  .toList()));
      return ExitCode.DONE;
    }
  }
}

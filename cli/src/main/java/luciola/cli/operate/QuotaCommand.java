package luciola.cli.operate;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.client.PathNames;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.ListQuotas;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.QuotaList;
import luciola.grpc.v1.RemoveQuota;
import luciola.grpc.v1.SetQuota;
import luciola.grpc.v1.ShowQuota;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Limits on what is below a directory. */
@Command(name = "quota", description = "Limits on what is below a directory.")
public final class QuotaCommand implements Callable<Integer> {
  private static final String NONE = "none";

  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new QuotaCommand())
        .addSubcommand(new Set(invocation))
        .addSubcommand(new Ls(invocation))
        .addSubcommand(new Show(invocation))
        .addSubcommand(new Remove(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  /**
   * A quota as it is printed.
   *
   * @param bytes the limit, or null
   * @param inodes the limit, or null
   * @param counting more is used than this: what was there before is still being counted
   */
  record Shown(
      String directory,
      @Nullable Long bytes,
      long usedBytes,
      @Nullable Long inodes,
      long usedInodes,
      boolean counting) {
    static Shown of(Quota quota) {
      return new Shown(
          quota.getPath().toStringUtf8(),
          quota.hasBytes() ? quota.getBytes() : null,
          quota.getUsedBytes(),
          quota.hasInodes() ? quota.getInodes() : null,
          quota.getUsedInodes(),
          quota.getCounting());
    }

    private static String part(long used, @Nullable Long limit) {
      return limit == null ? "-" : limit == 0 ? "100 %" : Math.round(100.0 * used / limit) + " %";
    }

    void into(Table table) {
      table.row(
          directory,
          bytes == null ? "-" : Units.bytes(bytes),
          Units.bytes(usedBytes),
          part(usedBytes, bytes),
          inodes == null ? "-" : inodes,
          usedInodes,
          part(usedInodes, inodes),
          counting ? "counting: more is used" : "counted");
    }
  }

  private static void print(ClusterCall call, List<Shown> quotas) {
    if (call.json) {
      quotas.forEach(quota -> Json.print(call.invocation.out(), quota));
      return;
    }
    var table =
        new Table("directory", "bytes", "used", "of it", "inodes", "used", "of it", "state");
    quotas.forEach(quota -> quota.into(table));
    table.print(call.invocation.out());
  }

  private static List<Shown> shown(QuotaList quotas) {
    return quotas.getQuotasList().stream().map(Shown::of).toList();
  }

  private static At at(String path) {
    return At.newBuilder()
        .setPath(ByteString.copyFromUtf8(String.join("/", PathNames.components("quota", path))))
        .build();
  }

  /** A command on one directory, as user 0. */
  abstract static class OfDirectory extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "PATH", description = "A directory of the cluster.")
    private String path = "";

    OfDirectory(Invocation invocation) {
      super(invocation);
    }

    abstract NamespaceRequest.Builder request(At at);

    final String path() {
      return path;
    }

    final List<Shown> answer() {
      NamespaceRequest.Builder request = request(at(path));
      return shown(with(meta -> meta.call(request)).getQuotas());
    }

    @Override
    public Integer call() {
      print(this, answer());
      return ExitCode.DONE;
    }
  }

  private static NamespaceRequest.Builder asRoot() {
    return NamespaceRequest.newBuilder().setIdentity(Identity.getDefaultInstance());
  }

  @Command(
      name = "set",
      description = {
        "Limits what is below a directory, or changes its limits; by user 0.",
        "Every name below it counts, with the length of the file that it names. A limit that is"
            + " not given stays as it is."
      })
  static final class Set extends OfDirectory {
    @Option(
        names = "--bytes",
        paramLabel = "BYTES",
        description = "How long all files together may be, 10TiB; none: as long as they get.")
    private @Nullable String bytes;

    @Option(
        names = "--inodes",
        paramLabel = "N",
        description =
            "How many files, directories and links there may be, 5M; none: as many as one likes.")
    private @Nullable String inodes;

    Set(Invocation invocation) {
      super(invocation);
    }

    @Override
    NamespaceRequest.Builder request(At at) {
      SetQuota.Builder set = SetQuota.newBuilder().setAt(at);
      if (bytes == null && inodes == null) {
        throw CommandFailure.wrongUse("quota set: --bytes, --inodes or both");
      }
      if (bytes != null) {
        if (bytes.equals(NONE)) {
          set.setUnlimitedBytes(true);
        } else {
          set.setBytes(Quantity.bytes("--bytes", bytes));
        }
      }
      if (inodes != null) {
        if (inodes.equals(NONE)) {
          set.setUnlimitedInodes(true);
        } else {
          set.setInodes(Quantity.amount("--inodes", inodes));
        }
      }
      return asRoot().setSetQuota(set);
    }
  }

  @Command(name = "ls", description = "Every quota, and what is used of it; by user 0.")
  static final class Ls extends ClusterCall implements Callable<Integer> {
    Ls(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      List<Quota> quotas =
          with(meta -> {
            var all = new ArrayList<Quota>();
            QuotaList page;
            do {
              long after = all.isEmpty() ? 0 : all.getLast().getDirectory();
              NamespaceReply reply =
                  meta.call(asRoot().setListQuotas(ListQuotas.newBuilder().setAfter(after)));
              page = reply.getQuotas();
              all.addAll(page.getQuotasList());
            } while (page.getMore());
            return all;
          });
      print(this, quotas.stream().map(Shown::of).toList());
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "show",
      description = {
        "The quotas that count for a file or directory, and what is used of them.",
        "That of the nearest directory comes first; all of them count."
      })
  static final class Show extends OfDirectory {
    Show(Invocation invocation) {
      super(invocation);
    }

    @Override
    NamespaceRequest.Builder request(At at) {
      return NamespaceRequest.newBuilder().setShowQuota(ShowQuota.newBuilder().setAt(at));
    }

    @Override
    public Integer call() {
      List<Shown> quotas = answer();
      if (quotas.isEmpty() && !json) {
        invocation.out().println("no quota: " + path());
      } else {
        print(this, quotas);
      }
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "remove",
      description = "Takes the quota of a directory away, and prints it; by user 0.")
  static final class Remove extends OfDirectory {
    Remove(Invocation invocation) {
      super(invocation);
    }

    @Override
    NamespaceRequest.Builder request(At at) {
      return asRoot().setRemoveQuota(RemoveQuota.newBuilder().setAt(at));
    }
  }
}

package luciola.meta.server;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import luciola.grpc.v1.CheckNamespaceReply;
import luciola.grpc.v1.CheckNamespaceRequest;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.InspectInodesReply;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.grpc.v1.Layout;
import luciola.grpc.v1.NamespaceFinding;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.grpc.v1.StoredTable;
import luciola.meta.log.Member;
import luciola.meta.log.MetaLog;
import luciola.meta.namespace.check.Inspection;
import luciola.meta.namespace.check.NamespaceCheck;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.store.RocksStore;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Checks of the namespace, one at a time, on a thread of their own: each reads one state of the
 * database while others change it. It ends early when its caller is gone, when this member leads no
 * more and when the server stops.
 */
final class NamespaceDesk implements AutoCloseable {
  private static final int FINDINGS_DEFAULT = 10_000;
  private static final int FINDINGS_MAX = 100_000;
  private static final int REPAIRS_MAX = 4_096;
  private static final int INSPECTIONS_MAX = 64;
  private static final long TOLD_INODES = 65_536;

  private final MetaLog log;
  private final RocksStore store;
  private final ThreadPoolExecutor checks =
      new ThreadPoolExecutor(
          0,
          1,
          10,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().name("meta-check-", 0).daemon().factory());
  private final ThreadPoolExecutor inspections =
      new ThreadPoolExecutor(
          1,
          1,
          0,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(INSPECTIONS_MAX),
          Thread.ofPlatform().name("meta-inspect-", 0).daemon().factory());
  private volatile boolean closed;

  NamespaceDesk(MetaLog log, RocksStore store) {
    this.log = log;
    this.store = store;
  }

  private String leader() {
    return log.leader().map(Member::serviceAddress).orElse("");
  }

  /** Sends what a check finds; the last reply has the sums. */
  void check(CheckNamespaceRequest request, StreamObserver<CheckNamespaceReply> observer) {
    var replies = (ServerCallStreamObserver<CheckNamespaceReply>) observer;
    replies.setOnCancelHandler(() -> {});
    var _ =
        log.fence()
            .thenRun(() -> begin(request, replies))
            .exceptionally(failure -> {
              end(replies, refused(Answers.fault(failure)));
              return null;
            });
  }

  private void begin(
      CheckNamespaceRequest request, ServerCallStreamObserver<CheckNamespaceReply> replies) {
    try {
      checks.execute(() -> {
        try {
          end(replies, store.read(view -> checked(request, view, replies)));
        } catch (RuntimeException e) {
          end(replies, refused(Answers.fault(e)));
        }
      });
    } catch (RejectedExecutionException busy) {
      throw new LuciolaException(
          ErrorCode.NOT_PERMITTED, "check namespace: another check is under way", busy);
    }
  }

  private CheckNamespaceReply refused(LuciolaException fault) {
    return CheckNamespaceReply.newBuilder()
        .setCode(fault.code().number())
        .setMessage(fault.detail())
        .setLeader(leader())
        .build();
  }

  private static void end(
      ServerCallStreamObserver<CheckNamespaceReply> replies, CheckNamespaceReply last) {
    try {
      if (!replies.isCancelled()) {
        replies.onNext(last);
        replies.onCompleted();
      }
    } catch (IllegalStateException | io.grpc.StatusRuntimeException gone) {
      // The caller has cancelled; nobody waits.
      return;
    }
  }

  private CheckNamespaceReply checked(
      CheckNamespaceRequest request,
      KeyValueView view,
      ServerCallStreamObserver<CheckNamespaceReply> replies) {
    int findingsMax =
        request.getFindingsMax() <= 0
            ? FINDINGS_DEFAULT
            : Math.min(request.getFindingsMax(), FINDINGS_MAX);
    NamespaceCheck.Sums sums =
        new NamespaceCheck(
                view, NamespaceCheck.WINDOW_INODES, findingsMax, tables(), new Telling(replies))
            .run();
    return CheckNamespaceReply.newBuilder()
        .setInodes(sums.inodes())
        .setNames(sums.names())
        .setFound(sums.found())
        .setRepairs(Tree.reading(view).counters().getRepairs())
        .setDone(true)
        .build();
  }

  /** Tables are never removed and made before a file on them, so those of now are enough. */
  private Predicate<Layout> tables() {
    Set<Long> known = new HashSet<>();
    for (StoredTable table : log.cluster().tables()) {
      known.add(number(table.getTable().getId(), table.getTable().getVersion()));
    }
    return layout -> known.contains(number(layout.getTableId(), layout.getTableVersion()));
  }

  private static long number(int table, int version) {
    return (long) table << 32 | Integer.toUnsignedLong(version);
  }

  private final class Telling implements NamespaceCheck.Watcher {
    private final ServerCallStreamObserver<CheckNamespaceReply> replies;
    private long told;

    Telling(ServerCallStreamObserver<CheckNamespaceReply> replies) {
      this.replies = replies;
    }

    @Override
    public void found(NamespaceFinding finding) {
      replies.onNext(CheckNamespaceReply.newBuilder().addFindings(finding).build());
    }

    @Override
    public boolean goOn(long inodes, long names) {
      if (inodes + names - told >= TOLD_INODES) {
        told = inodes + names;
        replies.onNext(CheckNamespaceReply.newBuilder().setInodes(inodes).setNames(names).build());
      }
      return !closed && !replies.isCancelled() && log.leads();
    }
  }

  CompletableFuture<RepairNamespaceReply> repair(RepairNamespaceRequest request) {
    if (request.getFindingsCount() > REPAIRS_MAX) {
      return CompletableFuture.failedFuture(
          new LuciolaException(
              ErrorCode.INVALID_ARGUMENT,
              "repair namespace: asked=" + request.getFindingsCount() + " max=" + REPAIRS_MAX));
    }
    return log.submit(Command.newBuilder().setRepairNamespace(request).build())
        .thenApply(CommandReply::getRepairNamespace);
  }

  CompletableFuture<InspectInodesReply> inspect(InspectInodesRequest request) {
    return log.fence()
        .thenCompose(_ -> {
          try {
            return CompletableFuture.supplyAsync(
                () -> store.read(view -> Inspection.answer(request, view)), inspections);
          } catch (RejectedExecutionException full) {
            return CompletableFuture.failedFuture(
                new LuciolaException(
                    ErrorCode.OVERLOADED, "inspect inodes: waiting=" + INSPECTIONS_MAX));
          }
        });
  }

  @Override
  public void close() {
    closed = true;
    checks.shutdown();
    inspections.shutdown();
  }
}

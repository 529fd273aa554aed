package luciola.storage.resync;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.storage.chain.ChunkView;
import luciola.storage.resync.ResyncPlanner.Decision;

/**
 * The tail of a chain fills one syncing replica. Belongs to one chain version: with the next, the
 * shell throws it away and, if the replica still syncs, begins a new one, which moves only what
 * still differs.
 *
 * <pre>
 * STARTING --SyncStart--&gt; COMPARING --all pages, all copies--&gt; SETTLING --nothing inherited is
 * unacknowledged--&gt; DEDUP --all pages--&gt; ENDING --SyncDone--&gt; DONE
 * </pre>
 *
 * <p>Updates go to the replica as whole chunks meanwhile (they are forwarded along the chain), so
 * what is left to do only shrinks. A chunk with an update pending waits its turn: once that is
 * committed, the replica has it if it is the next on the write path, and is sent it otherwise: a
 * syncing member in between does not pass on what it already holds as committed. SETTLING waits
 * until the replica acknowledged everything that was pending here when the chain version came; what
 * came later needs its acknowledgement anyway.
 *
 * <p>Copies keep to a bandwidth that the operator sets, {@link TokenBucket}; comparing does not
 * count, nor do tombstones.
 *
 * <p>Only dedup records of committed updates are handed over, and last: those of pending ones
 * travel with the updates, and must not be at the replica without them. Those of a chunk that is
 * not known any more go too: its removal was committed and forgotten.
 *
 * <p>SyncDone carries the floor of versions, which cannot rise any more in this chain version:
 * tombstones are collected only while every member serves.
 */
public final class ResyncSource {
  private static final int[] NO_CHECKSUMS = {};
  private static final long NOT_CALLING = 0;

  private enum Phase {
    STARTING,
    COMPARING,
    SETTLING,
    DEDUP,
    ENDING,
    DONE,
    FAILED
  }

  private final Chain chain;
  private final TargetId self;
  private final TargetId replica;
  private final ResyncLimits limits;
  private final ChunkView view;
  private final TokenBucket budget;
  private final long chunksTotal;
  private final long bytesTotal;

  private Phase phase = Phase.STARTING;
  private List<ResyncEffect> effects = new ArrayList<>();
  private long nowNanos;
  private long lastCall;
  private long inheritedUnacknowledged = 1;

  /** The call that is not a copy; there is one at a time. */
  private long call = NOT_CALLING;

  private boolean readingLocally;
  private long retryNanos;
  private int tries;

  private Optional<UpdateTag> dedupAfter = Optional.empty();
  private List<DedupRecord> dedupPage = List.of();
  private boolean dedupMore = true;
  private boolean dedupRead;

  private Optional<ChunkId> after = Optional.empty();
  private boolean inventoryDone;
  private Optional<InventoryReply> remotePage = Optional.empty();

  private final ArrayDeque<Task> queue = new ArrayDeque<>();
  private final Map<Long, Copy> copying = new LinkedHashMap<>();

  /** No copy begins before: the bandwidth for them is used up. */
  private long throttledUntilNanos;

  private boolean throttled;
  private long chunksDone;
  private long bytesDone;
  private long bytesCopied;
  private long copied;
  private long removed;
  private long disagreed;
  private final TreeSet<ChunkId> unreadable = new TreeSet<>();

  private record Task(Decision decision, long notBeforeNanos, int tries) {}

  /** A task that is on its way, with so many bytes. */
  private record Copy(Task task, int bytes) {}

  /**
   * @param chain the version this belongs to, with {@code self} as its tail
   * @param budget bandwidth of copies, shared with other resyncs
   * @param chunksTotal chunks the source holds, tombstones included, for the progress
   * @param bytesTotal their bytes
   */
  public ResyncSource(
      Chain chain,
      TargetId self,
      TargetId replica,
      ResyncLimits limits,
      ChunkView view,
      TokenBucket budget,
      long chunksTotal,
      long bytesTotal) {
    this.chain = chain;
    this.self = self;
    this.replica = replica;
    this.limits = limits;
    this.view = view;
    this.budget = budget;
    this.chunksTotal = chunksTotal;
    this.bytesTotal = bytesTotal;
  }

  /** The replica that is filled. */
  public TargetId replica() {
    return replica;
  }

  /** The chain version this belongs to. */
  public ChainVersion chainVersion() {
    return chain.version();
  }

  /** How far it is. */
  public ResyncProgress progress() {
    return new ResyncProgress(
        chunksDone, chunksTotal, bytesDone, bytesTotal, copied, bytesCopied, removed, disagreed);
  }

  /** What follows from an event. One thread calls this. The first event is a tick. */
  public List<ResyncEffect> step(ResyncEvent event, long now) {
    nowNanos = now;
    if (phase != Phase.DONE && phase != Phase.FAILED) {
      switch (event) {
        case ResyncEvent.Answered(long number, Reply reply) -> answered(number, reply);
        case ResyncEvent.CallFailed(long number, ErrorCode code) -> failed(number, code);
        case ResyncEvent.LocalFailed(ErrorCode code) -> giveUp(code);
        case ResyncEvent.LocalInventory page -> localInventory(page);
        case ResyncEvent.LocalDedup page -> localDedup(page);
        case ResyncEvent.Tick(long unacknowledged) -> inheritedUnacknowledged = unacknowledged;
      }
      proceed();
    }
    List<ResyncEffect> taken = effects;
    effects = new ArrayList<>();
    return taken;
  }

  private void proceed() {
    if (phase == Phase.COMPARING) {
      copy();
    }
    if (call != NOT_CALLING || readingLocally || nowNanos - retryNanos < 0) {
      return;
    }
    switch (phase) {
      case STARTING -> call(new SyncStartRequest(chain.id(), chain.version(), self, replica));
      case DEDUP -> handOverDedup();
      case COMPARING -> compare();
      case SETTLING -> {
        if (inheritedUnacknowledged == 0) {
          phase = Phase.DEDUP;
          proceed();
        }
      }
      case ENDING ->
          call(
              new SyncDoneRequest(chain.id(), chain.version(), self, replica, view.versionFloor()));
      case DONE, FAILED -> {}
    }
  }

  private void handOverDedup() {
    if (!dedupRead) {
      readingLocally = true;
      effects.add(new ResyncEffect.ReadDedup(dedupAfter, limits.pageRecords()));
    } else if (dedupPage.isEmpty()) {
      nextDedupPage();
      proceed();
    } else {
      call(new DedupRequest(chain.id(), chain.version(), self, replica, dedupPage));
    }
  }

  private void nextDedupPage() {
    dedupRead = false;
    if (!dedupMore) {
      phase = Phase.ENDING;
    }
  }

  private void localDedup(ResyncEvent.LocalDedup page) {
    readingLocally = false;
    dedupRead = true;
    dedupMore = page.more() && !page.records().isEmpty();
    if (!page.records().isEmpty()) {
      dedupAfter = Optional.of(page.records().getLast().tag());
    }
    dedupPage = page.records().stream().filter(this::committed).toList();
  }

  private boolean committed(DedupRecord record) {
    ChunkView.ChunkState held = view.state(record.chunk());
    boolean collected = held.isMissing() && record.version().compareTo(view.versionFloor()) <= 0;
    return collected || record.version().compareTo(held.committed()) <= 0;
  }

  private void compare() {
    if (!queue.isEmpty()) {
      return;
    }
    if (!inventoryDone) {
      call(new InventoryRequest(chain.id(), chain.version(), replica, after, limits.pageChunks()));
    } else if (copying.isEmpty() && !unreadable.isEmpty()) {
      giveUp(ErrorCode.CHECKSUM_MISMATCH);
    } else if (copying.isEmpty()) {
      phase = Phase.SETTLING;
      proceed();
    }
  }

  private void localInventory(ResyncEvent.LocalInventory page) {
    readingLocally = false;
    if (remotePage.isEmpty()) {
      return;
    }
    InventoryReply remote = remotePage.get();
    remotePage = Optional.empty();
    Optional<ChunkId> end =
        earlier(end(page.chunks(), page.more()), end(remote.chunks(), remote.more()));
    List<ChunkSummary> mine = upTo(page.chunks(), end);
    List<Decision> decisions = ResyncPlanner.plan(mine, upTo(remote.chunks(), end));
    countKept(mine, decisions);
    for (Decision decision : decisions) {
      if (decision instanceof Decision.Copy(ChunkId chunk, ChunkVersion version, boolean alert)
          && alert) {
        disagreed++;
        effects.add(
            new ResyncEffect.Alert(
                ErrorCode.CHECKSUM_MISMATCH,
                "replica disagrees, is overwritten: chain="
                    + chain.id()
                    + " chunk="
                    + chunk
                    + " version="
                    + version
                    + " target="
                    + replica));
      }
      queue.add(new Task(decision, nowNanos, 0));
    }
    after = end;
    inventoryDone = end.isEmpty();
  }

  private void countKept(List<ChunkSummary> mine, List<Decision> decisions) {
    Set<ChunkId> differing = new HashSet<>();
    decisions.forEach(decision -> differing.add(decision.chunk()));
    for (ChunkSummary held : mine) {
      if (!differing.contains(held.chunk())) {
        done(held.chunkBytes());
      }
    }
  }

  private void done(int bytes) {
    chunksDone++;
    bytesDone += bytes;
  }

  /** Where a page ends; empty: it goes to the end of everything. */
  private static Optional<ChunkId> end(List<ChunkSummary> page, boolean more) {
    return more && !page.isEmpty() ? Optional.of(page.getLast().chunk()) : Optional.empty();
  }

  private static Optional<ChunkId> earlier(Optional<ChunkId> a, Optional<ChunkId> b) {
    if (a.isEmpty() || b.isEmpty()) {
      return a.isEmpty() ? b : a;
    }
    return a.get().compareTo(b.get()) <= 0 ? a : b;
  }

  private static List<ChunkSummary> upTo(List<ChunkSummary> page, Optional<ChunkId> end) {
    return end.isEmpty()
        ? page
        : page.stream().filter(held -> held.chunk().compareTo(end.get()) <= 0).toList();
  }

  private void copy() {
    if (throttled && nowNanos - throttledUntilNanos < 0) {
      return;
    }
    throttled = false;
    int left = queue.size();
    while (left-- > 0 && copying.size() < limits.copiesMax() && !throttled) {
      Task task = queue.remove();
      if (nowNanos - task.notBeforeNanos() < 0) {
        queue.add(task);
      } else {
        begin(task);
      }
    }
  }

  private void begin(Task task) {
    ChunkId chunk = task.decision().chunk();
    ChunkView.ChunkState held = view.state(chunk);
    if (!held.pending().isEmpty()) {
      queue.add(new Task(task.decision(), nowNanos + limits.retryNanos(), task.tries()));
      return;
    }
    ChunkVersion planned =
        task.decision() instanceof Decision.Copy copy ? copy.version() : ChunkVersion.NONE;
    ChunkVersion version = held.committed();
    boolean next = chain.successorOf(self).filter(replica::equals).isPresent();
    if (next && !version.equals(planned)) {
      done(held.chunkBytes()); // It was updated since, and went to the replica on the write path.
      return;
    }
    boolean forget = version.equals(ChunkVersion.NONE);
    int bytes = forget || held.removed() ? 0 : held.chunkBytes();
    if (bytes > 0 && !budget.take(bytes, nowNanos)) {
      throttled = true;
      throttledUntilNanos = nowNanos + budget.waitNanos(nowNanos);
      queue.addFirst(task);
      return;
    }
    long number = ++lastCall;
    copying.put(number, new Copy(task, bytes));
    effects.add(
        new ResyncEffect.Call(
            number,
            new ForwardRequest(
                chain.id(),
                chain.version(),
                self,
                replica,
                chunk,
                version,
                version,
                Optional.empty(),
                new Update.Replace(bytes, forget || held.removed()),
                true,
                forget ? chain.version() : new ChainVersion(held.committedChainVersion()),
                0,
                NO_CHECKSUMS),
            forget || held.removed() ? Optional.empty() : Optional.of(version)));
  }

  private void call(Request message) {
    call = ++lastCall;
    effects.add(new ResyncEffect.Call(call, message, Optional.empty()));
  }

  private void answered(long number, Reply reply) {
    if (reply.code() != ErrorCode.OK) {
      failed(number, reply.code());
      return;
    }
    Copy copy = copying.remove(number);
    if (copy != null) {
      switch (copy.task().decision()) {
        case Decision.Copy _ -> {
          copied++;
          bytesCopied += copy.bytes();
          done(copy.bytes());
        }
        case Decision.Remove _ -> removed++;
      }
      return;
    }
    if (number != call) {
      return;
    }
    call = NOT_CALLING;
    tries = 0;
    switch (phase) {
      case STARTING -> phase = Phase.COMPARING;
      case DEDUP -> nextDedupPage();
      case COMPARING -> {
        if (reply instanceof InventoryReply page) {
          remotePage = Optional.of(page);
          readingLocally = true;
          effects.add(new ResyncEffect.ReadInventory(after, limits.pageChunks()));
        }
      }
      case SETTLING -> {}
      case ENDING -> {
        phase = Phase.DONE;
        effects.add(new ResyncEffect.Done(progress()));
      }
      case DONE, FAILED -> {}
    }
  }

  private void failed(long number, ErrorCode code) {
    Copy copy = copying.remove(number);
    Task task = copy == null ? null : copy.task();
    if (task == null && number != call) {
      return;
    }
    if (task != null && code == ErrorCode.CHECKSUM_MISMATCH) {
      // What cannot be read does not keep the rest from being copied.
      unreadable.add(task.decision().chunk());
      return;
    }
    boolean hopeless =
        code == ErrorCode.DISK_ERROR
            || (task == null ? ++tries : task.tries() + 1) >= limits.triesMax();
    if (hopeless) {
      giveUp(code);
    } else if (task == null) {
      call = NOT_CALLING;
      retryNanos = nowNanos + limits.retryNanos();
    } else {
      queue.add(new Task(task.decision(), nowNanos + limits.retryNanos(), task.tries() + 1));
    }
  }

  private void giveUp(ErrorCode code) {
    phase = Phase.FAILED;
    effects.add(
        new ResyncEffect.Failed(
            code,
            "resync: chain="
                + chain.id()
                + " version="
                + chain.version()
                + " to="
                + replica
                + " unreadable="
                + unreadable.size()
                + unreadable.stream().findFirst().map(chunk -> " first=" + chunk).orElse("")));
  }

  @Override
  public String toString() {
    return "resync chain="
        + chain.id()
        + " version="
        + chain.version()
        + " to="
        + replica
        + " "
        + phase
        + " queue="
        + queue.size()
        + " copying="
        + copying.size()
        + " inherited="
        + inheritedUnacknowledged
        + " "
        + progress();
  }
}

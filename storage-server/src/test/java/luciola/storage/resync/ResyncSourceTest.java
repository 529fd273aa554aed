package luciola.storage.resync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncReply;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.storage.chain.FakeView;
import org.junit.jupiter.api.Test;

final class ResyncSourceTest {
  private static final TargetId SOURCE = new TargetId(1);
  private static final TargetId REPLICA = new TargetId(2);
  private static final int BYTES = 64;
  private static final long MILLI = 1_000_000;

  private final FakeView view = new FakeView();
  private final TreeMap<ChunkId, ChunkSummary> mine = new TreeMap<>();
  private final TreeMap<ChunkId, ChunkSummary> theirs = new TreeMap<>();
  private long nowNanos;
  private int copies;
  private int copiesLeft = Integer.MAX_VALUE;
  private Optional<ChunkId> unreadable = Optional.empty();

  private static ChunkId chunk(int index) {
    return new ChunkId(new InodeId(3), index);
  }

  private void hold(int index, long version) {
    view.hold(chunk(index), version, 1, (int) version);
    mine.put(chunk(index), summary(index, version));
  }

  private static ChunkSummary summary(int index, long version) {
    var held = new ChunkVersion(version);
    return new ChunkSummary(chunk(index), held, held, 1, false, BYTES, (int) version);
  }

  private ResyncSource source(int chainVersion, TokenBucket budget) {
    var chain =
        new Chain(
            new ChainId(1),
            new ChainVersion(chainVersion),
            List.of(
                new ChainMember(SOURCE, PublicState.SERVING),
                new ChainMember(REPLICA, PublicState.SYNCING)));
    return new ResyncSource(
        chain,
        SOURCE,
        REPLICA,
        new ResyncLimits(4, 4, 2, 10 * MILLI, 5),
        view,
        budget,
        mine.size(),
        (long) mine.size() * BYTES);
  }

  /** Plays the replica until the source is done, or until no more copies are answered. */
  private boolean play(ResyncSource source) {
    for (int tick = 0; tick < 10_000; tick++) {
      nowNanos += 20 * MILLI;
      var effects = new ArrayDeque<>(source.step(new ResyncEvent.Tick(0), nowNanos));
      while (!effects.isEmpty()) {
        switch (effects.remove()) {
          case ResyncEffect.Done _ -> {
            return true;
          }
          case ResyncEffect.Call call -> {
            if (call.message() instanceof ForwardRequest && copiesLeft-- <= 0) {
              return false;
            }
            effects.addAll(source.step(answer(call), nowNanos));
          }
          case ResyncEffect.ReadInventory read ->
              effects.addAll(
                  source.step(
                      new ResyncEvent.LocalInventory(
                          page(mine, read.after(), read.limit()),
                          more(mine, read.after(), read.limit())),
                      nowNanos));
          case ResyncEffect.ReadDedup _ ->
              effects.addAll(source.step(new ResyncEvent.LocalDedup(List.of(), false), nowNanos));
          case ResyncEffect.Failed failed -> {
            assertEquals(
                unreadable.map(_ -> ErrorCode.CHECKSUM_MISMATCH), Optional.of(failed.code()));
            return false;
          }
          case ResyncEffect.Alert _ -> {}
        }
      }
    }
    throw new AssertionError("not done: " + source);
  }

  private ResyncEvent answer(ResyncEffect.Call call) {
    if (call.message() instanceof ForwardRequest copy
        && unreadable.filter(copy.chunk()::equals).isPresent()) {
      return new ResyncEvent.CallFailed(call.call(), ErrorCode.CHECKSUM_MISMATCH);
    }
    return new ResyncEvent.Answered(
        call.call(),
        switch (call.message()) {
          case SyncStartRequest _, SyncDoneRequest _, DedupRequest _ ->
              new SyncReply(ErrorCode.OK, 1);
          case InventoryRequest page ->
              new InventoryReply(
                  ErrorCode.OK,
                  page(theirs, page.after(), page.limit()),
                  more(theirs, page.after(), page.limit()));
          case ForwardRequest copy -> {
            copies++;
            if (copy.version().equals(ChunkVersion.NONE)) {
              theirs.remove(copy.chunk());
            } else {
              theirs.put(copy.chunk(), summary(copy.chunk().index(), copy.version().value()));
            }
            yield new UpdateReply(ErrorCode.OK, copy.version(), BYTES, 0, 1);
          }
          default -> throw new AssertionError(call);
        });
  }

  private static List<ChunkSummary> page(
      NavigableMap<ChunkId, ChunkSummary> held, Optional<ChunkId> after, int limit) {
    return after.map(last -> held.tailMap(last, false)).orElse(held).values().stream()
        .limit(limit)
        .toList();
  }

  private static boolean more(
      NavigableMap<ChunkId, ChunkSummary> held, Optional<ChunkId> after, int limit) {
    return after.map(last -> held.tailMap(last, false)).orElse(held).size() > limit;
  }

  @Test
  void movesOnlyWhatDiffersAndCountsBoth() {
    for (int i = 0; i < 10; i++) {
      hold(i, 5);
      theirs.put(chunk(i), summary(i, i % 2 == 0 ? 5 : 4));
    }
    theirs.put(chunk(77), summary(77, 1));
    ResyncSource source = source(7, TokenBucket.unlimited());
    assertTrue(play(source));
    assertEquals(
        new ResyncProgress(10, 10, 10 * BYTES, 10 * BYTES, 5, 5 * BYTES, 1, 0), source.progress());
    assertEquals(mine, theirs);
    assertEquals(1.0, source.progress().share());
  }

  @Test
  void whatAnInterruptedResyncHadMovedIsNotMovedAgain() {
    for (int i = 0; i < 20; i++) {
      hold(i, 5);
    }
    copiesLeft = 12;
    ResyncSource interrupted = source(7, TokenBucket.unlimited());
    assertFalse(play(interrupted));
    assertEquals(12, theirs.size());
    copiesLeft = Integer.MAX_VALUE;
    ResyncSource second = source(9, TokenBucket.unlimited());
    assertTrue(play(second));
    assertEquals(8, second.progress().copied());
    assertEquals(8 * BYTES, second.progress().bytesCopied());
    assertEquals(20 * BYTES, second.progress().bytesDone());
    assertEquals(20, copies);
    assertEquals(mine, theirs);
  }

  @Test
  void keepsToItsBandwidth() {
    for (int i = 0; i < 50; i++) {
      hold(i, 5);
    }
    var budget = new TokenBucket(10 * BYTES);
    assertTrue(play(source(7, budget)));
    assertEquals(50, copies);
    long seconds = nowNanos / 1_000_000_000;
    assertTrue(seconds >= 4 && seconds <= 7, "seconds=" + seconds);
  }

  @Test
  void severalResyncsShareOneBandwidth() {
    for (int i = 0; i < 30; i++) {
      hold(i, 5);
    }
    var budget = new TokenBucket(10 * BYTES);
    assertTrue(play(source(7, budget)));
    theirs.clear();
    assertTrue(play(source(7, budget)));
    assertTrue(nowNanos >= 5_000_000_000L, "nanos=" + nowNanos);
  }

  @Test
  void anAheadReplicaIsOverwrittenAndCounted() {
    hold(0, 5);
    theirs.put(chunk(0), summary(0, 9));
    ResyncSource source = source(7, TokenBucket.unlimited());
    assertTrue(play(source));
    assertEquals(1, source.progress().disagreed());
    assertEquals(mine, theirs);
  }

  @Test
  void oneChunkThatCannotBeReadDoesNotKeepTheRestFromBeingCopied() {
    for (int i = 0; i < 20; i++) {
      hold(i, 5);
    }
    unreadable = Optional.of(chunk(3));
    ResyncSource source = source(7, TokenBucket.unlimited());
    assertFalse(play(source));
    assertEquals(19, theirs.size());
    unreadable = Optional.empty();
    ResyncSource second = source(7, TokenBucket.unlimited());
    assertTrue(play(second));
    assertEquals(1, second.progress().copied());
    assertEquals(mine, theirs);
  }

  @Test
  void aSourceThatCannotReadItsMetadataGivesUp() {
    ResyncSource source = source(7, TokenBucket.unlimited());
    source.step(new ResyncEvent.Tick(0), 0);
    List<ResyncEffect> effects = source.step(new ResyncEvent.LocalFailed(ErrorCode.DISK_ERROR), 1);
    assertEquals(
        List.of(ErrorCode.DISK_ERROR),
        effects.stream()
            .filter(ResyncEffect.Failed.class::isInstance)
            .map(effect -> ((ResyncEffect.Failed) effect).code())
            .toList());
  }
}

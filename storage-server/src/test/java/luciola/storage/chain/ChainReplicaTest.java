package luciola.storage.chain;

import static luciola.storage.chain.ReplicaHarness.A;
import static luciola.storage.chain.ReplicaHarness.B;
import static luciola.storage.chain.ReplicaHarness.C;
import static luciola.storage.chain.ReplicaHarness.CHUNK;
import static luciola.storage.chain.ReplicaHarness.MILLI;
import static luciola.storage.chain.ReplicaHarness.checksum;
import static luciola.storage.chain.ReplicaHarness.in;
import static luciola.storage.chain.ReplicaHarness.member;
import static luciola.storage.chain.ReplicaHarness.serving;
import static luciola.storage.chain.ReplicaHarness.tag;
import static luciola.storage.chain.ReplicaHarness.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import org.junit.jupiter.api.Test;

final class ChainReplicaTest {
  private static final Optional<ErrorCode> OK = Optional.of(ErrorCode.OK);

  @Test
  void headStagesAndForwardsAtOnceAndAnswersWhenBothAreDone() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long request = head.write(1);
    assertEquals(1, head.all(ChainEffect.Stage.class).count());
    assertEquals(1, head.all(ChainEffect.Forward.class).count());
    head.durable(1);
    assertEquals(Optional.empty(), head.code(request));
    head.ack(1);
    assertEquals(OK, head.code(request));
    assertEquals(1, head.committed());
  }

  @Test
  void headDoesNotAnswerBeforeItsOwnCopyIsDurable() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long request = head.write(1);
    head.ack(1);
    assertEquals(Optional.empty(), head.code(request));
    assertEquals(0, head.committed());
    head.durable(1);
    assertEquals(OK, head.code(request));
  }

  @Test
  void versionsOfOneChunkArePipelinedAndCommittedInOrder() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long first = head.write(1);
    long second = head.write(2);
    assertEquals(
        List.of(1L, 2L),
        head.all(ChainEffect.Stage.class).map(stage -> stage.version().value()).toList());
    head.durable(1);
    head.durable(2);
    head.ack(2);
    assertEquals(Optional.empty(), head.code(second));
    head.ack(1);
    assertEquals(OK, head.code(first));
    assertEquals(OK, head.code(second));
    assertEquals(2, head.committed());
  }

  @Test
  void versionsOfOneChunkInFlightAreBounded() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    for (int sequence = 1; sequence <= ChainLimits.DEFAULT.pendingPerChunkMax(); sequence++) {
      head.write(sequence);
    }
    assertEquals(Optional.of(ErrorCode.CHUNK_BUSY), head.code(head.write(1000)));
  }

  @Test
  void middleAcknowledgesWhenItIsDurableHereAndFurtherDown() {
    ReplicaHarness middle = in(B, serving(A), serving(B), serving(C));
    long request = middle.forward(A, 1, 0, tag(1), write());
    assertEquals(C, middle.lastForward(1).to());
    middle.ack(1);
    assertEquals(Optional.empty(), middle.code(request));
    middle.durable(1);
    assertEquals(OK, middle.code(request));
    assertEquals(0, middle.committed());
  }

  @Test
  void endOfTheChainAcknowledgesWhenDurableAndCommitsWhenTold() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    long request = tail.forward(A, 1, 0, tag(1), write());
    assertEquals(Optional.empty(), tail.code(request));
    tail.durable(1);
    assertEquals(OK, tail.code(request));
    assertEquals(0, tail.committed());
    tail.forward(A, 2, 1, tag(2), write());
    assertEquals(1, tail.committed());
  }

  @Test
  void quietChunkAsksTheHeadWhatIsCommitted() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    assertEquals(0, tail.all(ChainEffect.AskVersion.class).count());
    tail.tickAfter(ChainLimits.DEFAULT.askAfterNanos());
    tail.headSays(1);
    assertEquals(1, tail.committed());
  }

  @Test
  void readsOfAQuietChunkAreServedByEveryReplica() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    assertEquals(Optional.of(0L), tail.served(tail.read()));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    tail.forward(A, 2, 1, tag(2), write());
    tail.durable(2);
    tail.tickAfter(ChainLimits.DEFAULT.askAfterNanos());
    tail.headSays(2);
    assertEquals(Optional.of(2L), tail.served(tail.read()));
  }

  @Test
  void readsOfAPendingChunkSeeWhatTheHeadCallsCommitted() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    long before = tail.read();
    assertEquals(Optional.empty(), tail.served(before));
    tail.headSays(0);
    assertEquals(Optional.of(0L), tail.served(before));
    long after = tail.read();
    tail.headSays(1);
    assertEquals(Optional.of(1L), tail.served(after));
  }

  @Test
  void readsThatCameAfterTheQuestionGetOneOfTheirOwn() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    long first = tail.read();
    long second = tail.read();
    tail.headSays(0);
    assertEquals(Optional.of(0L), tail.served(first));
    assertEquals(Optional.empty(), tail.served(second));
    assertEquals(2, tail.all(ChainEffect.AskVersion.class).count());
    tail.headSays(1);
    assertEquals(Optional.of(1L), tail.served(second));
  }

  @Test
  void headServesTheCommittedVersionWhileOthersArePending() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    head.write(1);
    head.durable(1);
    assertEquals(Optional.of(0L), head.served(head.read()));
  }

  @Test
  void nothingIsServedWithoutALease() {
    ReplicaHarness head = in(A, serving(A));
    head.nowNanos = 10_000 * MILLI;
    assertEquals(Optional.of(ErrorCode.NO_LEASE), head.refused(head.read()));
    assertEquals(Optional.of(ErrorCode.NO_LEASE), head.code(head.write(1)));
    assertEquals(Optional.of(ErrorCode.NO_LEASE), head.code(head.askHere(1)));
    head.lease(20_000 * MILLI);
    assertEquals(Optional.of(0L), head.served(head.read()));
  }

  @Test
  void aReadThatWaitedBeyondTheLeaseIsRefused() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    long read = tail.read();
    tail.nowNanos = 10_000 * MILLI;
    tail.headSays(0);
    assertEquals(Optional.of(ErrorCode.NO_LEASE), tail.refused(read));
  }

  @Test
  void otherChainVersionsAreRefusedWithTheOwnOne() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.chain(2, serving(A), serving(B));
    long old = tail.forward(1, A, 1, 0, tag(1), write());
    UpdateReply reply = assertInstanceOf(UpdateReply.class, tail.answer(old).orElseThrow());
    assertEquals(ErrorCode.STALE_CHAIN_VERSION, reply.code());
    assertEquals(2, reply.chainVersion());
    long newer = tail.forward(3, A, 1, 0, tag(1), write());
    assertEquals(Optional.of(ErrorCode.STALE_CHAIN_VERSION), tail.code(newer));
    assertEquals(
        List.of(new ChainEffect.RequestRouting(new ChainVersion(3))),
        tail.all(ChainEffect.RequestRouting.class).toList());
  }

  @Test
  void aSenderThatLearnsOfANewerChainAsksForRoutingAndSendsAgain() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    head.write(1);
    head.step(
        new ChainEvent.ForwardAnswered(
            head.lastForward(1).forward(),
            new UpdateReply(ErrorCode.STALE_CHAIN_VERSION, ChunkVersion.NONE, 0, 0, 2)));
    assertEquals(1, head.all(ChainEffect.RequestRouting.class).count());
    assertEquals(1, head.all(ChainEffect.Forward.class).count());
    head.tickAfter(ChainLimits.DEFAULT.retryFirstNanos());
    assertEquals(2, head.all(ChainEffect.Forward.class).count());
  }

  @Test
  void repeatedForwardsAreAcknowledgedWithoutBeingStagedAgain() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.forward(A, 1, 0, tag(1), write());
    long again = tail.forward(A, 1, 0, tag(1), write());
    assertEquals(1, tail.all(ChainEffect.Stage.class).count());
    tail.durable(1);
    assertEquals(OK, tail.code(again));
    tail.forward(A, 2, 1, tag(2), write());
    assertEquals(OK, tail.code(tail.forward(A, 1, 1, tag(1), write())));
  }

  @Test
  void aGapIsRefused() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    assertEquals(
        Optional.of(ErrorCode.MISSING_UPDATE), tail.code(tail.forward(A, 2, 0, tag(1), write())));
    assertEquals(
        Optional.of(ErrorCode.MISSING_UPDATE),
        tail.code(tail.forward(A, 2, 0, tag(1), new Update.Replace(64, false))));
  }

  @Test
  void anotherUpdateOfThePendingVersionReplacesIt() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    tail.forward(A, 1, 0, tag(2), write());
    assertEquals(
        List.of(new ChainEffect.Discard(CHUNK, new ChunkVersion(1))),
        tail.all(ChainEffect.Discard.class).toList());
    assertEquals(2, tail.all(ChainEffect.Stage.class).count());
  }

  @Test
  void aNewSuccessorGetsEverythingPendingInOrder() {
    ReplicaHarness head = in(A, serving(A), serving(B), serving(C));
    head.write(1);
    head.write(2);
    head.durable(1);
    head.effects.clear();
    head.chain(2, serving(A), serving(C), member(B, PublicState.OFFLINE));
    List<ChainEffect.Forward> sent = head.all(ChainEffect.Forward.class).toList();
    assertEquals(List.of(1L, 2L), sent.stream().map(f -> f.message().version().value()).toList());
    assertEquals(C, sent.getFirst().to());
    assertInstanceOf(Update.Replace.class, sent.getFirst().message().update());
    assertInstanceOf(Update.Write.class, sent.getLast().message().update());
  }

  @Test
  void lateAnswersOfAnOlderChainDoNotCount() {
    ReplicaHarness head = in(A, serving(A), serving(B), serving(C));
    long request = head.write(1);
    head.durable(1);
    long late = head.lastForward(1).forward();
    head.chain(2, serving(A), serving(C), member(B, PublicState.OFFLINE));
    head.step(
        new ChainEvent.ForwardAnswered(
            late, new UpdateReply(ErrorCode.OK, new ChunkVersion(1), 64, checksum(1), 1)));
    assertEquals(Optional.empty(), head.code(request));
    head.ack(1);
    assertEquals(OK, head.code(request));
  }

  @Test
  void aForwardOfAnOlderChainIsNotAcknowledgedAfterTheChange() {
    ReplicaHarness middle = in(B, serving(A), serving(B), serving(C));
    long request = middle.forward(A, 1, 0, tag(1), write());
    middle.durable(1);
    middle.chain(2, serving(A), serving(B), member(C, PublicState.OFFLINE));
    assertEquals(Optional.of(ErrorCode.STALE_CHAIN_VERSION), middle.code(request));
    assertEquals(OK, middle.code(middle.forward(A, 1, 0, tag(1), write())));
  }

  @Test
  void aNewHeadServesAChunkOnlyWhenWhatItInheritedIsCommitted() {
    ReplicaHarness tail = in(B, serving(A), serving(B), serving(C));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    tail.chain(2, serving(B), serving(C), member(A, PublicState.OFFLINE));
    long read = tail.read();
    long asked = tail.askHere(2);
    assertEquals(Optional.empty(), tail.served(read));
    assertEquals(List.of(answer(ErrorCode.CHUNK_BUSY, 0)), answers(tail, asked));
    tail.ack(1);
    assertEquals(Optional.of(1L), tail.served(read));
    assertEquals(List.of(answer(ErrorCode.OK, 1)), answers(tail, tail.askHere(2)));
  }

  @Test
  void clientsOfAHeadThatIsNoLongerOneAreSentAway() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long request = head.write(1);
    head.chain(2, serving(B), member(A, PublicState.OFFLINE));
    assertEquals(Optional.of(ErrorCode.STALE_CHAIN_VERSION), head.code(request));
    assertEquals(LocalState.ONLINE, head.replica.localState());
  }

  @Test
  void aRetryOfACommittedUpdateGetsTheSameAnswer() {
    ReplicaHarness head = in(A, serving(A));
    head.write(1);
    head.durable(1);
    head.write(1);
    UpdateReply reply =
        assertInstanceOf(UpdateReply.class, head.answer(head.write(1)).orElseThrow());
    assertEquals(new UpdateReply(ErrorCode.OK, new ChunkVersion(1), 64, 0, 1), reply);
    assertEquals(1, head.all(ChainEffect.Stage.class).count());
  }

  @Test
  void aRetryOfAPendingUpdateWaitsForIt() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long first = head.write(1);
    long whileStaged = head.write(1);
    assertEquals(Optional.of(ErrorCode.CHUNK_BUSY), head.code(first));
    head.durable(1);
    long whileDurable = head.write(1);
    assertEquals(Optional.of(ErrorCode.CHUNK_BUSY), head.code(whileStaged));
    head.ack(1);
    assertEquals(OK, head.code(whileDurable));
    assertEquals(1, head.all(ChainEffect.Stage.class).count());
  }

  @Test
  void anOlderSequenceOfAChannelIsRefused() {
    ReplicaHarness head = in(A, serving(A));
    head.write(7);
    assertEquals(Optional.of(ErrorCode.DUPLICATE_UPDATE), head.code(head.write(6)));
    head.durable(1);
    assertEquals(Optional.of(ErrorCode.DUPLICATE_UPDATE), head.code(head.write(6)));
  }

  @Test
  void aNewHeadKnowsTheUpdatesThatWereForwardedToIt() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.forward(A, 1, 0, tag(1), write());
    tail.durable(1);
    tail.chain(2, serving(B), member(A, PublicState.OFFLINE));
    assertEquals(OK, tail.code(tail.write(1)));
    assertEquals(1, tail.all(ChainEffect.Stage.class).count());
  }

  @Test
  void aSyncingSuccessorGetsWholeChunksOnceTheyAreDurableHere() {
    ReplicaHarness head = in(A, serving(A), member(B, PublicState.SYNCING));
    head.write(1);
    assertEquals(0, head.all(ChainEffect.Forward.class).count());
    head.durable(1);
    ChainEffect.Forward forward = head.lastForward(1);
    assertEquals(new Update.Replace(64, false), forward.message().update());
    assertEquals(new ChainEffect.Bytes.WholeChunk(new ChunkVersion(1)), forward.bytes());
    assertEquals(0, head.committed());
    head.ack(1);
    assertEquals(1, head.committed());
  }

  @Test
  void theOnlyCompleteReplicaServesOnOverOneChunkOfBadBytes() {
    ReplicaHarness head = in(A, serving(A), member(B, PublicState.SYNCING));
    long request = head.write(1);
    head.durable(1);
    ChainEffect.Forward forward = head.lastForward(1);
    head.step(new ChainEvent.ForwardFailed(forward.forward(), ErrorCode.CHECKSUM_MISMATCH));
    assertEquals(Optional.of(ErrorCode.CHECKSUM_MISMATCH), head.code(request));
    assertEquals(Optional.of(ErrorCode.CHECKSUM_MISMATCH), head.code(head.write(2)));
    assertEquals(LocalState.UP_TO_DATE, head.replica.localState());
    assertEquals(
        List.of(ErrorCode.CHECKSUM_MISMATCH),
        head.all(ChainEffect.Alert.class).map(ChainEffect.Alert::code).toList());
    // It is tried again, and once it is mended everything goes on.
    head.tickAfter(10_000_000_000L);
    head.lease(head.nowNanos + 1_000_000_000L);
    head.ack(1);
    assertEquals(1, head.committed());
    head.write(3);
    assertEquals(2, head.all(ChainEffect.Stage.class).count());
  }

  @Test
  void badBytesEndTheServiceOfAReplicaThatAnotherCanStandInFor() {
    ReplicaHarness head = in(A, serving(A), serving(B), member(C, PublicState.SYNCING));
    head.write(1);
    head.durable(1);
    ChainEffect.Forward forward = head.lastForward(1);
    head.step(new ChainEvent.ForwardFailed(forward.forward(), ErrorCode.CHECKSUM_MISMATCH));
    assertEquals(LocalState.OFFLINE, head.replica.localState());
  }

  @Test
  void otherBytesAtTheSuccessorRaiseAnAlertAndAreNotAcknowledged() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long request = head.write(1);
    head.durable(1);
    head.ack(1, ErrorCode.OK, 99);
    assertEquals(Optional.of(ErrorCode.CHECKSUM_MISMATCH), head.code(request));
    assertEquals(0, head.committed());
    assertEquals(
        List.of(ErrorCode.CHECKSUM_MISMATCH),
        head.all(ChainEffect.Alert.class).map(ChainEffect.Alert::code).toList());
    assertEquals(Optional.of(ErrorCode.CHECKSUM_MISMATCH), head.code(head.write(2)));
  }

  @Test
  void aFullDiskRefusesBeforeAnythingIsStaged() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    head.view.fill();
    assertEquals(Optional.of(ErrorCode.NO_SPACE), head.code(head.write(1)));
    assertEquals(0, head.all(ChainEffect.Stage.class).count());
  }

  @Test
  void aWriteThatFailedBeforeItLeftFailsAlone() {
    ReplicaHarness head = in(A, serving(A), member(B, PublicState.SYNCING));
    long request = head.write(1);
    head.step(new ChainEvent.LocalFailed(CHUNK, new ChunkVersion(1), ErrorCode.NO_SPACE));
    assertEquals(Optional.of(ErrorCode.NO_SPACE), head.code(request));
    assertEquals(LocalState.UP_TO_DATE, head.replica.localState());
    head.write(1);
    head.durable(1);
    head.ack(1);
    assertEquals(1, head.committed());
  }

  @Test
  void aWriteThatFailedAfterItLeftTakesTheTargetOffline() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long request = head.write(1);
    head.step(new ChainEvent.LocalFailed(CHUNK, new ChunkVersion(1), ErrorCode.DISK_ERROR));
    assertEquals(Optional.of(ErrorCode.NOT_SERVING), head.code(request));
    assertEquals(LocalState.OFFLINE, head.replica.localState());
    assertEquals(Optional.of(ErrorCode.NOT_SERVING), head.refused(head.read()));
    head.chain(2, serving(B), member(A, PublicState.OFFLINE));
    assertEquals(LocalState.OFFLINE, head.replica.localState());
  }

  @Test
  void aRestartedMemberTakesPartInNothingUntilItWasCountedOut() {
    var member = new ReplicaHarness(B);
    member.view.hold(CHUNK, 4, 1, checksum(4));
    member.lease(10_000 * MILLI);
    member.chain(3, serving(A), serving(B));
    assertEquals(LocalState.OFFLINE, member.replica.localState());
    assertEquals(Optional.of(ErrorCode.NOT_SERVING), member.refused(member.read()));
    assertEquals(
        Optional.of(ErrorCode.NOT_SERVING), member.code(member.forward(A, 5, 4, tag(1), write())));
    member.chain(4, serving(A), member(B, PublicState.OFFLINE));
    assertEquals(LocalState.ONLINE, member.replica.localState());
  }

  @Test
  void theLastServingMemberComesBackAndCommitsWhatItHeldPending() {
    var member = new ReplicaHarness(B);
    member.view.hold(
        CHUNK,
        new ChunkView.ChunkState(
            new ChunkVersion(4),
            1,
            false,
            64,
            checksum(4),
            List.of(FakeView.pending(5, tag(1), checksum(5)))));
    member.lease(10_000 * MILLI);
    member.chain(3, member(B, PublicState.LAST_SERVING), member(A, PublicState.OFFLINE));
    assertEquals(LocalState.UP_TO_DATE, member.replica.localState());
    member.chain(4, serving(B), member(A, PublicState.OFFLINE));
    assertEquals(5, member.committed());
    assertEquals(Optional.of(5L), member.served(member.read()));
  }

  @Test
  void aMemberThatBeginsToSyncDropsWhatItHeldPending() {
    var member = new ReplicaHarness(B);
    member.view.hold(
        CHUNK,
        new ChunkView.ChunkState(
            new ChunkVersion(4),
            1,
            false,
            64,
            checksum(4),
            List.of(FakeView.pending(5, tag(1), checksum(5)))));
    member.chain(3, serving(A), member(B, PublicState.OFFLINE));
    member.chain(4, serving(A), member(B, PublicState.SYNCING));
    assertEquals(
        List.of(new ChainEffect.Discard(CHUNK, new ChunkVersion(5))),
        member.all(ChainEffect.Discard.class).toList());
  }

  private static ReplicaHarness syncing() {
    var member = new ReplicaHarness(B);
    member.lease(10_000 * MILLI);
    member.view.hold(CHUNK, 4, 1, checksum(4));
    member.chain(3, serving(A), member(B, PublicState.OFFLINE));
    member.chain(4, serving(A), member(B, PublicState.SYNCING));
    return member;
  }

  @Test
  void aSyncingMemberInstallsCopiesAndAnswersWhenTheyAreDurable() {
    ReplicaHarness member = syncing();
    long copy = member.copy(A, 6);
    assertEquals(1, member.all(ChainEffect.Install.class).count());
    assertEquals(Optional.empty(), member.code(copy));
    member.step(new ChainEvent.InstallDurable(copy, CHUNK, 64, checksum(6)));
    assertEquals(OK, member.code(copy));
  }

  @Test
  void aCopyDoesNotOverwriteANewerVersionThatWasForwarded() {
    ReplicaHarness member = syncing();
    member.forward(A, 7, 6, tag(1), new Update.Replace(64, false));
    assertEquals(Optional.of(ErrorCode.CHUNK_BUSY), member.code(member.copy(A, 6)));
    member.durable(7);
    assertEquals(OK, member.code(member.copy(A, 6)));
    assertEquals(0, member.all(ChainEffect.Install.class).count());
  }

  @Test
  void anOvertakenForwardIsAcknowledgedOnlyWithItsDedupRecord() {
    ReplicaHarness member = syncing();
    assertEquals(
        Optional.of(ErrorCode.MISSING_UPDATE),
        member.code(member.forward(A, 7, 4, tag(8), new Update.Replace(64, false))));
    member.forward(A, 7, 6, tag(8), new Update.Replace(64, false));
    assertEquals(
        Optional.of(ErrorCode.CHUNK_BUSY),
        member.code(member.forward(A, 6, 4, tag(9), new Update.Replace(64, false))));
    member.durable(7);
    member.effects.clear();
    member.forward(A, 6, 4, tag(9), new Update.Replace(64, false));
    ChainEffect.StoreDedup stored =
        member.all(ChainEffect.StoreDedup.class).findFirst().orElseThrow();
    assertEquals(tag(9), stored.records().getFirst().tag());
    assertEquals(ErrorCode.OK, stored.answer().code());
  }

  @Test
  void theEndOfSyncIsReportedForThePresentChainOnly() {
    ReplicaHarness member = syncing();
    member.step(
        new ChainEvent.SyncDoneArrived(
            50,
            new SyncDoneRequest(
                ReplicaHarness.CHAIN, new ChainVersion(3), A, B, ChunkVersion.NONE)));
    assertEquals(LocalState.ONLINE, member.replica.localState());
    member.step(
        new ChainEvent.SyncDoneArrived(
            51,
            new SyncDoneRequest(
                ReplicaHarness.CHAIN, new ChainVersion(4), A, B, ChunkVersion.NONE)));
    assertEquals(OK, member.code(51));
    assertEquals(LocalState.UP_TO_DATE, member.replica.localState());
    member.chain(6, serving(A), member(B, PublicState.SYNCING));
    assertEquals(LocalState.ONLINE, member.replica.localState());
  }

  @Test
  void aMemberOfANewChainServesAtOnceUnlessItHoldsSomething() {
    assertEquals(LocalState.UP_TO_DATE, in(A, serving(A)).replica.localState());
    var former = new ReplicaHarness(A);
    former.view.hold(CHUNK, 1, 1, checksum(1));
    former.chain(1, serving(A));
    assertEquals(LocalState.OFFLINE, former.replica.localState());
  }

  @Test
  void everyPayloadIsReleasedOnce() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    head.write(1);
    head.durable(1);
    head.ack(1);
    head.write(1);
    head.write(2);
    head.chain(2, serving(B), member(A, PublicState.OFFLINE));
    head.durable(2);
    head.write(3);
    Stream<Long> released =
        head.all(ChainEffect.ReleasePayload.class).map(ChainEffect.ReleasePayload::payload);
    List<Long> all = released.toList();
    assertEquals(4, all.size());
    assertEquals(4, all.stream().distinct().count());
  }

  @Test
  void nothingIsKeptOfAChunkThatIsDone() {
    ReplicaHarness head = in(A, serving(A));
    head.write(1);
    head.durable(1);
    head.read();
    assertTrue(head.replica.toString().endsWith("UP_TO_DATE"), head.replica.toString());
  }

  private static VersionReply.Answer answer(ErrorCode code, long committed) {
    return new VersionReply.Answer(code, new ChunkVersion(committed));
  }

  private static List<VersionReply.Answer> answers(ReplicaHarness at, long asked) {
    return assertInstanceOf(VersionReply.class, at.answer(asked).orElseThrow()).answers();
  }

  @Test
  void readsOfSeveralPendingChunksAskTheHeadInOneMessage() {
    ReplicaHarness tail = new ReplicaHarness(B);
    List<ChunkId> chunks =
        Stream.iterate(0, i -> i + 1).limit(3).map(i -> new ChunkId(new InodeId(9), i)).toList();
    for (ChunkId chunk : chunks) {
      tail.view.hold(
          chunk,
          new ChunkView.ChunkState(
              new ChunkVersion(4), 1, false, 64, 1, List.of(FakeView.pending(5, tag(1), 2))));
    }
    tail.lease(10_000 * MILLI);
    tail.chain(1, serving(A), member(B, PublicState.OFFLINE));
    tail.chain(2, serving(A), member(B, PublicState.SYNCING));
    tail.chain(3, member(B, PublicState.LAST_SERVING), member(A, PublicState.OFFLINE));
    tail.chain(4, serving(A), serving(B));
    for (ChunkId chunk : chunks) {
      tail.view.hold(
          chunk,
          new ChunkView.ChunkState(
              new ChunkVersion(4), 1, false, 64, 1, List.of(FakeView.pending(5, tag(1), 2))));
    }
    tail.chain(5, serving(A), serving(B), member(C, PublicState.OFFLINE));
    tail.effects.clear();
    List<Long> reads = tail.read(chunks);
    assertEquals(1, tail.all(ChainEffect.AskVersion.class).count());
    assertEquals(
        chunks,
        tail.all(ChainEffect.AskVersion.class).findFirst().orElseThrow().question().chunks());
    tail.headSays(5);
    for (long read : reads) {
      assertEquals(Optional.of(5L), tail.served(read));
    }
  }

  @Test
  void aHeadWithoutALeaseAcknowledgesNothingButTheRetryLearnsThatItIsDone() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long request = head.write(1);
    head.durable(1);
    head.nowNanos = 20_000 * MILLI;
    head.ack(1);
    assertEquals(Optional.of(ErrorCode.NO_LEASE), head.code(request));
    head.lease(30_000 * MILLI);
    assertEquals(OK, head.code(head.write(1)));
  }

  @Test
  void aPermitCoversWhatWasFoundWhileTheReplicaServedUnderALease() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    ReadPermit first = head.replica.permit();
    assertTrue(ReadPermit.covers(first, first, 9_999 * MILLI));
    assertFalse(ReadPermit.covers(first, first, 10_000 * MILLI));
    head.lease(20_000 * MILLI);
    assertTrue(ReadPermit.covers(first, head.replica.permit(), 10_000 * MILLI));
    head.chain(2, serving(A), member(B, PublicState.OFFLINE));
    ReadPermit second = head.replica.permit();
    assertFalse(ReadPermit.covers(first, second, 0));
    head.chain(3, serving(B), member(A, PublicState.OFFLINE));
    assertFalse(ReadPermit.covers(second, head.replica.permit(), 0));
    assertFalse(head.replica.permit().serves());
  }

  @Test
  void aPermitEndsWithTheDisk() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    ReadPermit before = head.replica.permit();
    head.step(new ChainEvent.DiskFailed(ErrorCode.DISK_ERROR));
    assertFalse(ReadPermit.covers(before, head.replica.permit(), 0));
  }

  @Test
  void aReplicaWithoutALeaseGivesNoPermit() {
    ReplicaHarness head = new ReplicaHarness(A);
    head.chain(1, serving(A), serving(B));
    assertFalse(head.replica.permit().serves());
    assertEquals(LocalState.UP_TO_DATE, head.replica.localState());
  }

  private static long stages(ReplicaHarness at, long version) {
    return at.all(ChainEffect.Stage.class)
        .filter(stage -> stage.version().value() == version)
        .count();
  }

  @Test
  void aServingMemberWithoutRoomRefusesTheForwardAndTheHeadRefusesUpdatesForAWhile() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    tail.view.fill();
    long forwarded = tail.forward(A, 1, 0, tag(1), write());
    assertEquals(Optional.of(ErrorCode.NO_SPACE), tail.code(forwarded));
    assertEquals(0, tail.all(ChainEffect.Stage.class).count());
    assertEquals(LocalState.UP_TO_DATE, tail.replica.localState());

    ReplicaHarness head = in(A, serving(A), serving(B));
    long first = head.write(1);
    head.durable(1);
    head.ack(1, ErrorCode.NO_SPACE, 0);
    assertEquals(Optional.empty(), head.code(first));
    assertEquals(Optional.of(ErrorCode.NO_SPACE), head.code(head.write(2)));
    assertEquals(Optional.of(0L), head.served(head.read()));
    head.tickAfter(1500 * MILLI);
    head.ack(1);
    assertEquals(OK, head.code(first));
    head.tickAfter(1500 * MILLI);
    assertEquals(Optional.empty(), head.code(head.write(2)));
  }

  @Test
  void aClientDoesNotWaitForRoomBehindTheHeadForEver() {
    ReplicaHarness head = in(A, serving(A), serving(B));
    long request = head.write(1);
    head.durable(1);
    for (int tries = 0; tries < 100 && head.code(request).isEmpty(); tries++) {
      head.ack(1, ErrorCode.NO_SPACE, 0);
      head.tickAfter(1500 * MILLI);
    }
    assertEquals(Optional.of(ErrorCode.NO_SPACE), head.code(request));
    assertEquals(Optional.of(0L), head.served(head.read()));
    head.ack(1);
    assertEquals(Optional.of(1L), head.served(head.read()), "it is done once there is room");
  }

  @Test
  void aMemberInTheMiddlePassesOnThatTheOneAfterItIsFull() {
    ReplicaHarness middle = in(B, serving(A), serving(B), serving(C));
    long forwarded = middle.forward(A, 1, 0, tag(1), write());
    middle.durable(1);
    middle.ack(1, ErrorCode.NO_SPACE, 0);
    assertEquals(Optional.of(ErrorCode.NO_SPACE), middle.code(forwarded));
    long again = middle.forward(A, 1, 0, tag(1), write());
    assertEquals(Optional.empty(), middle.code(again));
    middle.tickAfter(1500 * MILLI);
    middle.ack(1);
    assertEquals(OK, middle.code(again));
  }

  @Test
  void versionsThatFoundNoRoomAreWrittenInOrderWhenThereIsSome() {
    ReplicaHarness tail = in(B, serving(A), serving(B));
    long first = tail.forward(A, 1, 0, tag(1), write());
    long second = tail.forward(A, 2, 0, tag(2), write());
    tail.step(new ChainEvent.LocalFailed(CHUNK, new ChunkVersion(1), ErrorCode.NO_SPACE));
    assertEquals(LocalState.UP_TO_DATE, tail.replica.localState());
    assertEquals(
        List.of(new ChunkVersion(1)),
        tail.all(ChainEffect.Discard.class).map(ChainEffect.Discard::from).toList());
    long third = tail.forward(A, 3, 0, tag(3), write());
    assertEquals(0, stages(tail, 3));
    tail.view.fill();
    tail.tickAfter(1500 * MILLI);
    assertEquals(1, stages(tail, 1));
    tail.view.makeRoom();
    tail.tickAfter(20 * MILLI);
    assertEquals(2, stages(tail, 1));
    assertEquals(2, stages(tail, 2));
    assertEquals(1, stages(tail, 3));
    tail.durable(1);
    tail.durable(2);
    assertEquals(OK, tail.code(first));
    tail.durable(3);
    assertEquals(OK, tail.code(second));
    assertEquals(OK, tail.code(third));
  }

  @Test
  void aMemberThatIsBeingFilledAndFindsNoRoomLetsTheOthersGoOn() {
    ReplicaHarness tail = in(B, serving(A), member(B, PublicState.OFFLINE));
    tail.chain(2, serving(A), member(B, PublicState.SYNCING));
    tail.forward(A, 1, 0, tag(1), new Update.Replace(64, false));
    tail.step(new ChainEvent.LocalFailed(CHUNK, new ChunkVersion(1), ErrorCode.NO_SPACE));
    assertEquals(LocalState.OFFLINE, tail.replica.localState());
  }

  @Test
  void aWriteOnBadOldBytesThatNobodyElseHasFailsAlone() {
    ReplicaHarness head = in(A, serving(A));
    long request = head.write(1);
    head.step(new ChainEvent.LocalFailed(CHUNK, new ChunkVersion(1), ErrorCode.CHECKSUM_MISMATCH));
    assertEquals(Optional.of(ErrorCode.CHECKSUM_MISMATCH), head.code(request));
    assertEquals(LocalState.UP_TO_DATE, head.replica.localState());
  }
}

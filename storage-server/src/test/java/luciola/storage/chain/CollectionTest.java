package luciola.storage.chain;

import static luciola.storage.chain.ReplicaHarness.A;
import static luciola.storage.chain.ReplicaHarness.B;
import static luciola.storage.chain.ReplicaHarness.C;
import static luciola.storage.chain.ReplicaHarness.CHAIN;
import static luciola.storage.chain.ReplicaHarness.CHUNK;
import static luciola.storage.chain.ReplicaHarness.MILLI;
import static luciola.storage.chain.ReplicaHarness.member;
import static luciola.storage.chain.ReplicaHarness.serving;
import static luciola.storage.chain.ReplicaHarness.tag;
import static luciola.storage.chain.ReplicaHarness.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.CollectReply;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import org.junit.jupiter.api.Test;

/** Tombstones are forgotten, and what was removed stays removed. */
final class CollectionTest {
  private static final List<RemovedChunk> REMOVED =
      List.of(new RemovedChunk(CHUNK, new ChunkVersion(5)));

  private static void holdTombstone(ReplicaHarness replica, long version) {
    replica.view.hold(
        CHUNK, new ChunkView.ChunkState(new ChunkVersion(version), 1, true, 0, 0, List.of()));
  }

  private static ReplicaHarness head() {
    ReplicaHarness head = ReplicaHarness.in(A, serving(A), serving(B), serving(C));
    holdTombstone(head, 5);
    return head;
  }

  private static ReplicaHarness middle() {
    return ReplicaHarness.in(B, serving(A), serving(B), serving(C));
  }

  /** The pause passes; the tombstones that the head looked for. */
  private static ChainEffect.ListTombstones lists(ReplicaHarness head) {
    head.tickAfter(MILLI);
    head.tickAfter(150 * MILLI);
    return last(head, ChainEffect.ListTombstones.class);
  }

  private static <E extends ChainEffect> E last(ReplicaHarness replica, Class<E> kind) {
    return replica.all(kind).reduce((_, last) -> last).orElseThrow();
  }

  private static void found(ReplicaHarness head) {
    head.step(new ChainEvent.TombstonesListed(lists(head).number(), REMOVED, Optional.empty()));
  }

  private static List<ChainEffect.CallMember> calls(ReplicaHarness head, TargetId to) {
    return head.all(ChainEffect.CallMember.class).filter(call -> call.to().equals(to)).toList();
  }

  private static void answers(
      ReplicaHarness head, TargetId member, ErrorCode code, Boolean... yes) {
    head.step(
        new ChainEvent.MemberAnswered(
            calls(head, member).getLast().call(), new CollectReply(code, 1, List.of(yes))));
  }

  private static void floorDurable(ReplicaHarness replica) {
    ChainEffect.RaiseFloor raise = last(replica, ChainEffect.RaiseFloor.class);
    replica.view.raise(raise.floor().value());
    replica.step(new ChainEvent.FloorDurable(raise.number()));
  }

  private static long asked(ReplicaHarness member, int collection, long floor) {
    long request = 900L + collection;
    member.step(
        new ChainEvent.CollectArrived(
            request,
            new CollectRequest(
                CHAIN,
                new ChainVersion(1),
                A,
                member.self,
                collection,
                new ChunkVersion(floor),
                REMOVED)));
    return request;
  }

  private static long ordered(ReplicaHarness member, int collection) {
    long request = 950L + collection;
    member.step(
        new ChainEvent.ForgetArrived(
            request,
            new ForgetRequest(CHAIN, new ChainVersion(1), A, member.self, collection, REMOVED)));
    return request;
  }

  private static void forgotten(ReplicaHarness replica) {
    ChainEffect.Forget forget = last(replica, ChainEffect.Forget.class);
    replica.step(new ChainEvent.Forgotten(forget.number(), forget.removed().size()));
  }

  private static CollectReply reply(ReplicaHarness member, long request) {
    return (CollectReply) member.answer(request).orElseThrow();
  }

  // The head.

  @Test
  void theHeadForgetsLastWhatAllAgreedOnAndOnlyWithEveryFloorDurable() {
    ReplicaHarness head = head();
    found(head);
    var question = (CollectRequest) calls(head, C).getFirst().message();
    assertEquals(5, question.floor().value());
    assertEquals(REMOVED, question.removed());
    answers(head, B, ErrorCode.OK, true);
    answers(head, C, ErrorCode.OK, true);
    assertEquals(1, calls(head, C).size(), "its own floor is not durable yet");
    floorDurable(head);
    assertTrue(calls(head, C).getLast().message() instanceof ForgetRequest);
    assertEquals(1, calls(head, B).size(), "the tail is first");
    answers(head, C, ErrorCode.OK, true);
    assertTrue(calls(head, B).getLast().message() instanceof ForgetRequest);
    assertEquals(0, head.all(ChainEffect.Forget.class).count());
    answers(head, B, ErrorCode.OK, true);
    assertEquals(REMOVED, last(head, ChainEffect.Forget.class).removed());
    forgotten(head);
    assertEquals(1, head.replica.tombstonesForgotten());
    assertTrue(head.view.state(CHUNK).isMissing());
  }

  @Test
  void whatOneMemberDoesNotAgreeOnStays() {
    ReplicaHarness head = head();
    found(head);
    answers(head, B, ErrorCode.OK, false);
    floorDurable(head);
    answers(head, C, ErrorCode.OK, true);
    assertEquals(1, calls(head, C).size());
    assertEquals(0, head.all(ChainEffect.Forget.class).count());
  }

  @Test
  void whatTheTailCouldNotForgetTheOthersKeep() {
    ReplicaHarness head = head();
    found(head);
    floorDurable(head);
    answers(head, B, ErrorCode.OK, true);
    answers(head, C, ErrorCode.OK, true);
    answers(head, C, ErrorCode.OK, false);
    assertEquals(1, calls(head, B).size());
    assertEquals(5, head.committed());
  }

  @Test
  void aChangeOfTheChainEndsACollection() {
    ReplicaHarness head = head();
    found(head);
    answers(head, B, ErrorCode.OK, true);
    answers(head, C, ErrorCode.OK, true);
    ChainEffect.RaiseFloor raise = last(head, ChainEffect.RaiseFloor.class);
    head.chain(2, serving(A), serving(B), member(C, PublicState.OFFLINE));
    assertEquals(1, head.replica.collectionsAbandoned());
    head.step(new ChainEvent.FloorDurable(raise.number()));
    assertEquals(1, calls(head, C).size());
    head.tickAfter(MILLI);
    head.tickAfter(3000 * MILLI);
    assertEquals(1, head.all(ChainEffect.ListTombstones.class).count(), "not every member serves");
  }

  @Test
  void aFormerCollectionsFloorIsNotTakenForThePresentOnes() {
    ReplicaHarness head = head();
    found(head);
    ChainEffect.RaiseFloor former = last(head, ChainEffect.RaiseFloor.class);
    head.chain(2, serving(A), serving(B), serving(C));
    holdTombstone(head, 8);
    var later = List.of(new RemovedChunk(CHUNK, new ChunkVersion(8)));
    head.step(new ChainEvent.TombstonesListed(lists(head).number(), later, Optional.empty()));
    long call = calls(head, B).getLast().call();
    head.step(
        new ChainEvent.MemberAnswered(call, new CollectReply(ErrorCode.OK, 2, List.of(true))));
    call = calls(head, C).getLast().call();
    head.step(
        new ChainEvent.MemberAnswered(call, new CollectReply(ErrorCode.OK, 2, List.of(true))));
    head.step(new ChainEvent.FloorDurable(former.number()));
    assertTrue(calls(head, C).getLast().message() instanceof CollectRequest);
    floorDurable(head);
    assertTrue(calls(head, C).getLast().message() instanceof ForgetRequest);
  }

  @Test
  void nothingIsAskedWithoutALease() {
    ReplicaHarness head = head();
    head.tickAfter(MILLI);
    head.tickAfter(11_000 * MILLI);
    assertEquals(0, head.all(ChainEffect.ListTombstones.class).count());
  }

  @Test
  void aLateAnswerOfAnAbandonedCollectionDoesNothing() {
    ReplicaHarness head = head();
    found(head);
    floorDurable(head);
    long late = calls(head, B).getFirst().call();
    head.step(
        new ChainEvent.MemberCallFailed(calls(head, C).getFirst().call(), ErrorCode.TIMED_OUT));
    head.step(
        new ChainEvent.MemberAnswered(late, new CollectReply(ErrorCode.OK, 1, List.of(true))));
    assertEquals(1, calls(head, C).size());
    assertEquals(1, head.replica.collectionsAbandoned());
  }

  @Test
  void aChunkThatIsNotKnownGetsTheVersionAfterTheFloor() {
    ReplicaHarness head = ReplicaHarness.in(A, serving(A), serving(B));
    head.view.raise(7);
    head.write(1);
    ForwardRequest forward = head.lastForward(8).message();
    assertEquals(7, forward.committed().value());
    head.view.raise(20);
    long asked = head.askHere(1);
    var answer = (VersionReply) head.answer(asked).orElseThrow();
    assertEquals(7, answer.answers().getFirst().committed().value(), "8 is not committed");
    head.write(2);
    assertEquals(9, head.lastForward(9).message().version().value());
  }

  @Test
  void theHeadAnswersTheFloorForAChunkThatIsNotKnown() {
    ReplicaHarness head = ReplicaHarness.in(A, serving(A), serving(B));
    head.view.raise(7);
    var answer = (VersionReply) head.answer(head.askHere(1)).orElseThrow();
    assertEquals(7, answer.answers().getFirst().committed().value());
  }

  @Test
  void aRetryOfAnUpdateWhoseChunkWasForgottenLearnsThatItIsDone() {
    ReplicaHarness head = ReplicaHarness.in(A, serving(A), serving(B));
    head.view.raise(5);
    head.view.remember(new DedupRecord(tag(3), CHUNK, new ChunkVersion(5), 0));
    long request = head.write(3);
    assertEquals(
        new UpdateReply(ErrorCode.OK, new ChunkVersion(5), 0, 0, 1),
        head.answer(request).orElseThrow());
  }

  // Members.

  @Test
  void aMemberAgreesOnlyOnceItsFloorIsDurable() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    long request = asked(member, 1, 9);
    assertEquals(Optional.empty(), member.answer(request));
    floorDurable(member);
    assertEquals(List.of(true), reply(member, request).yes());
  }

  @Test
  void aMemberDoesNotAgreeWhileSomethingIsPendingOrAnotherVersionIsHeld() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    member.view.raise(9);
    member.forward(A, 6, 5, tag(1), write());
    assertEquals(List.of(false), reply(member, asked(member, 1, 9)).yes());
    ReplicaHarness behind = middle();
    holdTombstone(behind, 4);
    behind.view.raise(9);
    assertEquals(List.of(false), reply(behind, asked(behind, 1, 9)).yes());
    ReplicaHarness without = middle();
    without.view.raise(9);
    assertEquals(List.of(true), reply(without, asked(without, 1, 9)).yes());
  }

  @Test
  void aFloorThatBecomesDurableUnderAnotherChainVersionIsNoAgreement() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    long request = asked(member, 1, 9);
    member.chain(2, serving(A), serving(B), serving(C));
    floorDurable(member);
    assertEquals(ErrorCode.STALE_CHAIN_VERSION, reply(member, request).code());
  }

  @Test
  void anOrderAboveTheFloorIsRefused() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    member.view.raise(4);
    assertEquals(ErrorCode.INVARIANT_BROKEN, reply(member, ordered(member, 1)).code());
    assertEquals(5, member.committed());
  }

  @Test
  void anOrderComesTooLateForAChunkThatIsWrittenAgain() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    member.view.raise(5);
    asked(member, 1, 5);
    member.forward(A, 6, 5, tag(1), write());
    long request = ordered(member, 1);
    forgotten(member);
    assertEquals(List.of(false), reply(member, request).yes());
    assertEquals(5, member.committed());
  }

  @Test
  void onlyTheHeadOfThePresentChainVersionOrders() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    member.view.raise(5);
    member.chain(2, serving(B), serving(C));
    assertEquals(ErrorCode.STALE_CHAIN_VERSION, reply(member, ordered(member, 1)).code());
    ReplicaHarness other = ReplicaHarness.in(B, serving(C), serving(B));
    holdTombstone(other, 5);
    other.view.raise(5);
    assertEquals(ErrorCode.NOT_SERVING, reply(other, ordered(other, 1)).code());
  }

  @Test
  void aLateForwardOfAForgottenChunkIsNotTaken() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    member.view.raise(5);
    asked(member, 1, 5);
    ordered(member, 1);
    forgotten(member);
    long late = member.forward(A, 3, 2, tag(1), write());
    assertEquals(Optional.of(ErrorCode.CHUNK_BUSY), member.code(late));
    assertEquals(0, member.all(ChainEffect.Stage.class).count());
    long fresh = member.forwardAfter(1, A, 6, 5, tag(2), write());
    assertEquals(Optional.empty(), member.code(fresh));
    assertEquals(1, member.lastForward(6).message().collection());
  }

  @Test
  void aForwardJumpsToTheFloorOfTheHead() {
    ReplicaHarness without = middle();
    assertEquals(Optional.empty(), without.code(without.forward(A, 11, 10, tag(1), write())));
    assertEquals(Optional.empty(), without.code(without.forward(A, 12, 10, tag(2), write())));
    ReplicaHarness removed = middle();
    holdTombstone(removed, 5);
    assertEquals(Optional.empty(), removed.code(removed.forward(A, 11, 10, tag(1), write())));
    removed.durable(11);
    removed.ack(11);
    removed.tickAfter(40 * MILLI);
    removed.headSays(11);
    assertEquals(11, removed.committed());
  }

  @Test
  void aGapIsRefusedWhereTheChunkExistsOrItsPredecessorIsNotCommitted() {
    ReplicaHarness exists = middle();
    exists.view.hold(CHUNK, 5, 1, 77);
    assertEquals(
        Optional.of(ErrorCode.MISSING_UPDATE),
        exists.code(exists.forward(A, 11, 10, tag(1), write())));
    ReplicaHarness without = middle();
    assertEquals(
        Optional.of(ErrorCode.MISSING_UPDATE),
        without.code(without.forward(A, 12, 10, tag(1), write())));
  }

  @Test
  void aReaderOfAChunkThatIsMadeAnewSeesThatItIsNotThere() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    member.forward(A, 11, 10, tag(1), write());
    member.durable(11);
    long read = member.read();
    member.headSays(0);
    assertEquals(Optional.of(5L), member.served(read), "the removal");
    member.ack(11);
    read = member.read();
    member.headSays(11);
    assertEquals(Optional.of(11L), member.served(read));
  }

  @Test
  void whatAWholeChunkHasJumpedIsNotTakenForARemoval() {
    ReplicaHarness member = middle();
    holdTombstone(member, 5);
    // Versions 6 to 10 are committed at the others, and the chunk exists in them.
    member.forward(A, 11, 10, tag(1), new Update.Replace(4, false));
    member.durable(11);
    long read = member.read();
    member.headSays(10);
    assertEquals(Optional.empty(), member.served(read));
    assertEquals(Optional.of(ErrorCode.CHUNK_BUSY), member.refused(read));
    member.ack(11);
    read = member.read();
    member.headSays(11);
    assertEquals(Optional.of(11L), member.served(read));
  }

  @Test
  void aMemberThatIsFilledIsCompleteWithTheFloorOnly() {
    var replica = new ReplicaHarness(B);
    replica.lease(10_000 * MILLI);
    replica.chain(2, serving(A), member(B, PublicState.OFFLINE));
    replica.chain(3, serving(A), member(B, PublicState.SYNCING));
    replica.step(
        new ChainEvent.SyncDoneArrived(
            50, new SyncDoneRequest(CHAIN, new ChainVersion(3), A, B, new ChunkVersion(9))));
    assertEquals(LocalState.ONLINE, replica.replica.localState());
    assertFalse(replica.answer(50).isPresent());
    floorDurable(replica);
    assertEquals(LocalState.UP_TO_DATE, replica.replica.localState());
    assertEquals(Optional.of(ErrorCode.OK), replica.code(50));
  }

  @Test
  void aFloorThatCameTooLateDoesNotCompleteTheNextFilling() {
    var replica = new ReplicaHarness(B);
    replica.lease(10_000 * MILLI);
    replica.chain(2, serving(A), member(B, PublicState.OFFLINE));
    replica.chain(3, serving(A), member(B, PublicState.SYNCING));
    replica.step(
        new ChainEvent.SyncDoneArrived(
            50, new SyncDoneRequest(CHAIN, new ChainVersion(3), A, B, new ChunkVersion(9))));
    replica.chain(4, serving(C), serving(A), member(B, PublicState.SYNCING));
    floorDurable(replica);
    assertEquals(LocalState.ONLINE, replica.replica.localState());
    assertEquals(Optional.of(ErrorCode.STALE_CHAIN_VERSION), replica.code(50));
  }
}

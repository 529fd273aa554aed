package luciola.storage.chain;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;

/** One replica, the events a test gives it and all effects that followed. */
final class ReplicaHarness {
  static final ChainId CHAIN = new ChainId(1);
  static final TargetId A = new TargetId(1);
  static final TargetId B = new TargetId(2);
  static final TargetId C = new TargetId(3);
  static final ChunkId CHUNK = new ChunkId(new InodeId(9), 0);
  static final long MILLI = 1_000_000;

  /** Everything may go at once. */
  static final CollectLimits COLLECT = new CollectLimits(0, 100 * MILLI, 1000 * MILLI, 4);

  private static final int[] SUMS = {};

  final FakeView view = new FakeView();
  final List<ChainEffect> effects = new ArrayList<>();
  final TargetId self;
  final ChainReplica replica;
  long nowNanos;
  private Chain chain = chain(1, serving(A));
  private long lastHandle = 100;

  ReplicaHarness(TargetId self) {
    this.self = self;
    this.replica = new ChainReplica(CHAIN, self, ChainLimits.DEFAULT, COLLECT, view);
  }

  /** A member of a new chain, with a lease of ten seconds. */
  static ReplicaHarness in(TargetId self, ChainMember... members) {
    var harness = new ReplicaHarness(self);
    harness.lease(10_000 * MILLI);
    harness.chain(1, members);
    return harness;
  }

  static ChainMember serving(TargetId target) {
    return new ChainMember(target, PublicState.SERVING);
  }

  static ChainMember member(TargetId target, PublicState state) {
    return new ChainMember(target, state);
  }

  Chain chain(int version, ChainMember... members) {
    chain = new Chain(CHAIN, new ChainVersion(version), List.of(members));
    if (replica != null) {
      step(new ChainEvent.ChainChanged(chain));
    }
    return chain;
  }

  void lease(long untilNanos) {
    step(new ChainEvent.LeaseChanged(untilNanos));
  }

  List<ChainEffect> step(ChainEvent event) {
    List<ChainEffect> made = replica.step(event, nowNanos);
    made.forEach(view::apply);
    effects.addAll(made);
    return made;
  }

  void tickAfter(long nanos) {
    nowNanos += nanos;
    step(new ChainEvent.Tick());
  }

  static UpdateTag tag(long sequence) {
    return new UpdateTag(new ClientId(5), 0, sequence);
  }

  /** A client's write with this sequence of its channel; its request handle. */
  long write(long sequence) {
    long request = ++lastHandle;
    step(
        new ChainEvent.UpdateArrived(
            request,
            new UpdateRequest(CHAIN, chain.version(), self, CHUNK, tag(sequence), write(), SUMS),
            ++lastHandle));
    return request;
  }

  static Update write() {
    return new Update.Write(0, 64, 4096);
  }

  /** The predecessor forwards a write; the request handle. */
  long forward(TargetId from, long version, long committed, UpdateTag tag, Update update) {
    return forward(chain.version().value(), from, version, committed, tag, update);
  }

  long forward(
      int chainVersion, TargetId from, long version, long committed, UpdateTag tag, Update update) {
    return forward(chainVersion, 0, from, version, committed, tag, update);
  }

  /** The predecessor knew of a collection of tombstones. */
  long forwardAfter(
      int collection, TargetId from, long version, long committed, UpdateTag tag, Update update) {
    return forward(chain.version().value(), collection, from, version, committed, tag, update);
  }

  private long forward(
      int chainVersion,
      int collection,
      TargetId from,
      long version,
      long committed,
      UpdateTag tag,
      Update update) {
    long request = ++lastHandle;
    step(
        new ChainEvent.ForwardArrived(
            request,
            new ForwardRequest(
                CHAIN,
                new ChainVersion(chainVersion),
                from,
                self,
                CHUNK,
                new ChunkVersion(version),
                new ChunkVersion(committed),
                Optional.of(tag),
                update,
                false,
                new ChainVersion(chainVersion),
                collection,
                SUMS),
            ++lastHandle));
    return request;
  }

  /** A copy from resync arrives; the request handle. */
  long copy(TargetId from, long version) {
    long request = ++lastHandle;
    step(
        new ChainEvent.ForwardArrived(
            request,
            new ForwardRequest(
                CHAIN,
                chain.version(),
                from,
                self,
                CHUNK,
                new ChunkVersion(version),
                new ChunkVersion(version),
                Optional.empty(),
                new Update.Replace(version == 0 ? 0 : 64, version == 0),
                true,
                chain.version(),
                0,
                SUMS),
            ++lastHandle));
    return request;
  }

  /** The disk says that a version is durable. */
  List<ChainEffect> durable(long version) {
    ChainEffect.Stage stage =
        all(ChainEffect.Stage.class)
            .filter(staged -> staged.version().value() == version)
            .reduce((_, last) -> last)
            .orElseThrow();
    view.durable(
        CHUNK,
        new ChunkView.PendingVersion(stage.version(), stage.tag(), false, 64, checksum(version)));
    return step(new ChainEvent.LocalDurable(CHUNK, stage.version(), false, 64, checksum(version)));
  }

  static int checksum(long version) {
    return (int) version * 1000 + 7;
  }

  /** The successor answers the last forward of this version. */
  List<ChainEffect> ack(long version, ErrorCode code, int checksum) {
    return step(
        new ChainEvent.ForwardAnswered(
            lastForward(version).forward(),
            new UpdateReply(
                code, new ChunkVersion(version), 64, checksum, chain.version().value())));
  }

  List<ChainEffect> ack(long version) {
    return ack(version, ErrorCode.OK, checksum(version));
  }

  ChainEffect.Forward lastForward(long version) {
    return all(ChainEffect.Forward.class)
        .filter(forward -> forward.message().version().value() == version)
        .reduce((_, last) -> last)
        .orElseThrow();
  }

  long read() {
    long request = ++lastHandle;
    step(
        new ChainEvent.ReadArrived(
            request, new ReadRequest.Range(CHAIN, chain.version(), self, CHUNK, 0, 64)));
    return request;
  }

  /** A read of several chunks that arrive together; their request handles. */
  List<Long> read(List<ChunkId> chunks) {
    List<ChainEvent.ReadArrived> reads =
        chunks.stream()
            .map(chunk ->
                new ChainEvent.ReadArrived(
                    ++lastHandle,
                    new ReadRequest.Range(CHAIN, chain.version(), self, chunk, 0, 64)))
            .toList();
    step(new ChainEvent.ReadsArrived(reads));
    return reads.stream().map(ChainEvent.ReadArrived::request).toList();
  }

  long askHere(int chainVersion) {
    long request = ++lastHandle;
    step(
        new ChainEvent.VersionAsked(
            request,
            new VersionRequest(CHAIN, new ChainVersion(chainVersion), self, List.of(CHUNK))));
    return request;
  }

  /** The head answers the last question. */
  void headSays(long committed) {
    ChainEffect.AskVersion ask =
        all(ChainEffect.AskVersion.class).reduce((_, last) -> last).orElseThrow();
    step(
        new ChainEvent.VersionAnswered(
            ask.ask(),
            new VersionReply(
                ErrorCode.OK,
                chain.version().value(),
                ask.question().chunks().stream()
                    .map(_ -> new VersionReply.Answer(ErrorCode.OK, new ChunkVersion(committed)))
                    .toList())));
  }

  <E extends ChainEffect> Stream<E> all(Class<E> kind) {
    return effects.stream().filter(kind::isInstance).map(kind::cast);
  }

  /** The answer to a request; empty while there is none. */
  Optional<Reply> answer(long request) {
    return all(ChainEffect.Answer.class)
        .filter(answer -> answer.request() == request)
        .map(ChainEffect.Answer::reply)
        .findFirst();
  }

  /** The code of the answer; empty while there is none. */
  Optional<ErrorCode> code(long request) {
    return answer(request).map(Reply::code);
  }

  /** The version that a read was served from; empty if it was not. */
  Optional<Long> served(long request) {
    return all(ChainEffect.ServeRead.class)
        .filter(serve -> serve.request() == request)
        .map(serve -> serve.version().value())
        .findFirst();
  }

  /** Why a read was refused; empty if it was not. */
  Optional<ErrorCode> refused(long request) {
    return all(ChainEffect.RefuseRead.class)
        .filter(refuse -> refuse.request() == request)
        .map(ChainEffect.RefuseRead::code)
        .findFirst();
  }

  long committed() {
    return view.state(CHUNK).committed().value();
  }
}

package luciola.storage.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.ReplyBody;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.FetchRequest;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ChunkUpdate;
import luciola.storage.engine.EngineConfig;
import luciola.storage.engine.ReplicaSource;
import luciola.storage.engine.Waits;
import luciola.storage.index.ChunkKey;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All replicas of a server over a real engine, with nobody else there. */
final class ReplicaHostTest {
  private static final TargetId SELF = new TargetId(1);
  private static final TargetId OTHER = new TargetId(2);
  private static final ChainId LEFT = new ChainId(3);
  private static final ChainId KEPT = new ChainId(4);
  private static final int CHUNKS = 2500;

  @TempDir Path directory;

  private final LonelyServer server = new LonelyServer();
  private final AtomicInteger reports = new AtomicInteger();
  private volatile Routing routing = Routing.EMPTY;
  private ChunkEngine engine;
  private ReplicaHost host;

  @BeforeEach
  void open() throws IOException {
    engine = ChunkEngine.open("t", directory, EngineConfig.DEFAULTS, ReplicaSource.NONE);
    host = host();
  }

  private ReplicaHost host() {
    return new ReplicaHost(
        Map.of(SELF, engine), server.parts(() -> routing, reports::incrementAndGet));
  }

  @AfterEach
  void close() throws IOException {
    host.close();
    server.close();
    engine.close();
  }

  private void hold(ChainId chain, int count) {
    var bytes = Arena.ofAuto().allocate(5000, 4096);
    var staged =
        java.util.stream.IntStream.range(0, count)
            .mapToObj(i ->
                engine.stage(
                    new ChunkUpdate(
                        new ChunkKey(chain, new ChunkId(new InodeId(9), i)),
                        new ChunkVersion(1),
                        1,
                        new Update.Replace(5000, false),
                        bytes,
                        Granules.checksums(0, bytes),
                        Optional.empty(),
                        true)))
            .toList();
    staged.forEach(CompletableFuture::join);
  }

  private static Chain chain(ChainId id, int version, TargetId... members) {
    return new Chain(
        id,
        new ChainVersion(version),
        List.of(members).stream().map(it -> new ChainMember(it, PublicState.SERVING)).toList());
  }

  private void route(int version, Chain... chains) {
    routing =
        routing.apply(
            new RoutingDelta(
                routing.version(),
                new RoutingVersion(version),
                false,
                List.of(),
                List.of(chains),
                List.of()));
    host.routingChanged(routing);
  }

  private boolean reportsChain(ChainId chain) {
    return host.reports().getFirst().getChainsList().stream()
        .map(ChainReport::getChainId)
        .anyMatch(id -> id == chain.value());
  }

  private void awaitDropped() {
    Waits.until(
        () -> "dropped: " + host.reports(),
        () ->
            engine.chain(LEFT).isEmpty()
                && host.reports().stream()
                    .map(TargetReport::getDroppingChainsList)
                    .allMatch(List::isEmpty));
  }

  @Test
  void itDropsWhatItHeldAndCanBeGivenTheChainAgain() {
    hold(LEFT, CHUNKS);
    hold(KEPT, 10);
    route(1, chain(LEFT, 5, SELF, OTHER), chain(KEPT, 5, SELF, OTHER));
    Waits.until(() -> "both reported", () -> reportsChain(LEFT) && reportsChain(KEPT));
    int before = reports.get();
    route(2, chain(LEFT, 6, OTHER));
    assertFalse(reportsChain(LEFT));
    awaitDropped();
    assertTrue(reports.get() > before);
    assertEquals(10, engine.chain(KEPT).totals().chunks());
    route(3, chain(LEFT, 7, OTHER, SELF));
    Waits.until(() -> "it is back", () -> reportsChain(LEFT));
    assertTrue(engine.chain(LEFT).isEmpty());
  }

  @Test
  void aChainThatIsGivenBackWhileItIsDroppedBeginsWhenThatIsDone() {
    hold(LEFT, CHUNKS);
    route(1, chain(LEFT, 5, SELF, OTHER));
    Waits.until(() -> "reported", () -> reportsChain(LEFT));
    route(2, chain(LEFT, 6, OTHER));
    route(3, chain(LEFT, 7, OTHER, SELF));
    Waits.until(() -> "it is back", () -> reportsChain(LEFT));
    assertTrue(engine.chain(LEFT).isEmpty());
  }

  @Test
  void aNewLifeDropsWhatTheFormerOneHadLeft() {
    hold(LEFT, CHUNKS);
    hold(KEPT, 10);
    route(1, chain(LEFT, 6, OTHER), chain(KEPT, 5, SELF, OTHER));
    awaitDropped();
    assertEquals(10, engine.chain(KEPT).totals().chunks());
  }

  @Test
  void whatAFormerLifeHadLeftWaitsForAMemberThatServes() throws Exception {
    hold(LEFT, CHUNKS);
    Chain nobodyServes =
        new Chain(
            LEFT, new ChainVersion(6), List.of(new ChainMember(OTHER, PublicState.LAST_SERVING)));
    route(1, nobodyServes, chain(KEPT, 5, SELF, OTHER));
    server.owner().submit(() -> {}).get();
    server.owner().submit(() -> {}).get();
    assertEquals(CHUNKS, engine.chain(LEFT).totals().chunks());
    route(2, chain(LEFT, 7, OTHER));
    awaitDropped();
  }

  @Test
  void whatRoutingDoesNotKnowIsNotTouched() {
    hold(LEFT, 10);
    route(1, chain(KEPT, 5, SELF, OTHER));
    Waits.until(() -> "reported", () -> reportsChain(KEPT));
    assertEquals(10, engine.chain(LEFT).totals().chunks());
  }

  /** A call whose reply is kept. */
  private static final class KeptCall implements Call {
    private final Request request;
    private final CompletableFuture<ReadReply> reply = new CompletableFuture<>();

    KeptCall(Request request) {
      this.request = request;
    }

    @Override
    public Request request() {
      return request;
    }

    @Override
    public PayloadBuffer payload() {
      return PayloadBuffer.empty();
    }

    @Override
    public long caller() {
      return 1;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void reply(Reply made, ReplyBody body) {
      body.release().run();
      reply.complete((ReadReply) made);
    }
  }

  private ErrorCode fetch(long version, int offset, int length) {
    var call =
        new KeptCall(
            new FetchRequest(
                KEPT,
                SELF,
                new ChunkId(new InodeId(9), 0),
                new ChunkVersion(version),
                offset,
                length));
    host.handle(call);
    ReadReply reply = call.reply.join();
    return reply.code() == ErrorCode.OK ? reply.results().getFirst().code() : reply.code();
  }

  @Test
  void aMemberThatDoesNotServeGivesAVersionForARepair() {
    hold(KEPT, 1);
    route(
        1,
        new Chain(
            KEPT,
            new ChainVersion(5),
            List.of(
                new ChainMember(OTHER, PublicState.SERVING),
                new ChainMember(SELF, PublicState.WAITING))));
    Waits.until(() -> "reported", () -> reportsChain(KEPT));
    assertEquals(ErrorCode.OK, fetch(1, 0, 5000));
    assertEquals(ErrorCode.OK, fetch(1, 4000, 1000));
    assertEquals(ErrorCode.OK, fetch(0, 4000, 1000));
    assertEquals(ErrorCode.CHUNK_NOT_FOUND, fetch(1, 4000, 1001));
    assertEquals(ErrorCode.CHUNK_BUSY, fetch(2, 0, 5000));
  }
}

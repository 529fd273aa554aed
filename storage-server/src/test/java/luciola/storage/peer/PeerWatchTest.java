package luciola.storage.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import luciola.grpc.v1.PeerReport;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;
import luciola.protocol.routing.StorageNode;
import org.junit.jupiter.api.Test;

/** Server n has target n; this is server 1. Server 4 shares no chain with it. */
class PeerWatchTest {
  private static final long SECOND = 1_000_000_000L;

  private final Map<Integer, FakeClient> clients = new HashMap<>();
  private final Routing routing = routing();
  private final Peers peers =
      new Peers(source(), (_, port) -> connect(port), Duration.ofSeconds(10));
  private long now = 77 * SECOND;
  private final PeerWatch watch =
      new PeerWatch(source(), peers, Set.of(new TargetId(1)), () -> now);

  /** Answers at once, not at all, or cannot be connected to. */
  private enum Way {
    OPEN,
    SILENT,
    REFUSED
  }

  private final Map<Integer, Way> ways = new HashMap<>();

  private RoutingSource source() {
    return new RoutingSource() {
      @Override
      public Routing routing() {
        return routing;
      }

      @Override
      public void refresh() {}
    };
  }

  private static Routing routing() {
    var nodes = new ArrayList<StorageNode>();
    for (int node = 1; node <= 4; node++) {
      nodes.add(
          new StorageNode(
              new NodeId(node), "host", node, Map.of(), List.of(new TargetId(node)), 1));
    }
    return Routing.EMPTY.apply(
        new RoutingDelta(
            Routing.EMPTY.version(),
            new RoutingVersion(1),
            true,
            nodes,
            List.of(chain(1, 1, 2), chain(2, 3, 1), chain(3, 2, 4)),
            List.of()));
  }

  private static Chain chain(int id, int... targets) {
    var members = new ArrayList<ChainMember>();
    for (int target : targets) {
      members.add(new ChainMember(new TargetId(target), PublicState.SERVING));
    }
    return new Chain(new ChainId(id), new ChainVersion(1), members);
  }

  private CompletableFuture<DataClient> connect(int port) {
    FakeClient open = clients.get(port);
    if (open != null && open.open) {
      return CompletableFuture.completedFuture(open);
    }
    return switch (ways.getOrDefault(port, Way.OPEN)) {
      case OPEN -> {
        var made = new FakeClient(port);
        clients.put(port, made);
        yield CompletableFuture.completedFuture(made);
      }
      case SILENT -> new CompletableFuture<>();
      case REFUSED ->
          CompletableFuture.failedFuture(
              new LuciolaException(ErrorCode.CONNECTION_LOST, "refused"));
    };
  }

  private final class FakeClient implements DataClient {
    private final int port;
    private final Deque<CompletableFuture<? extends Reply>> waiting = new ArrayDeque<>();
    private boolean open = true;
    private int calls;

    FakeClient(int port) {
      this.port = port;
    }

    @Override
    public <R extends Reply> CompletableFuture<R> call(
        Request request,
        Class<R> replyType,
        List<MemorySegment> payload,
        ReplyPayload destination,
        Duration timeout) {
      calls++;
      var result = new CompletableFuture<R>();
      if (ways.getOrDefault(port, Way.OPEN) == Way.OPEN) {
        result.complete(replyType.cast(new VersionReply(ErrorCode.NOT_HEAD, 1, List.of())));
      } else {
        waiting.add(result);
      }
      return result;
    }

    void timeOut() {
      while (!waiting.isEmpty()) {
        waiting
            .remove()
            .completeExceptionally(new LuciolaException(ErrorCode.TIMED_OUT, "no answer"));
      }
    }

    @Override
    public HelloReply peer() {
      return new HelloReply(ErrorCode.OK, port, 1);
    }

    @Override
    public boolean isOpen() {
      return open;
    }

    @Override
    public int callsInFlight() {
      return waiting.size();
    }

    @Override
    public CompletableFuture<Void> closed() {
      return new CompletableFuture<>();
    }

    @Override
    public void close() {
      open = false;
    }
  }

  private FakeClient client(int port) {
    return Objects.requireNonNull(clients.get(port));
  }

  /** A heartbeat a second, with whatever was asked timing out after one. */
  private Map<Long, Long> pass(int seconds) {
    Map<Long, Long> silent = Map.of();
    for (int second = 0; second < seconds; second++) {
      now += SECOND;
      clients.values().forEach(FakeClient::timeOut);
      silent = new HashMap<>();
      for (PeerReport report : watch.look()) {
        silent.put(report.getNodeId(), report.getSilentNanos() / SECOND);
      }
    }
    return silent;
  }

  @Test
  void onlyServersOfSharedChainsAreAskedAndWhoAnswersIsNotSilent() {
    assertEquals(Map.of(), pass(20));
    assertEquals(Set.of(2, 3), clients.keySet());
    assertTrue(client(2).calls >= 19, "asked " + client(2).calls);
  }

  @Test
  void whoDoesNotAnswerIsSilentUntilItDoes() {
    pass(3);
    ways.put(2, Way.SILENT);
    assertEquals(Map.of(), pass(1), "it may be this process that slept");
    Map<Long, Long> silent = pass(6);
    assertEquals(Set.of(2L), silent.keySet());
    assertTrue(
        silent.getOrDefault(2L, 0L) >= 5 && silent.getOrDefault(2L, 99L) <= 7, silent.toString());
    assertFalse(client(2).open, "the connection is of no use any more");
    ways.put(2, Way.OPEN);
    pass(1);
    assertEquals(Map.of(), pass(1));
    assertTrue(client(2).open);
  }

  @Test
  void whoCannotBeConnectedToIsSilentToo() {
    ways.put(2, Way.REFUSED);
    ways.put(3, Way.SILENT);
    assertEquals(Set.of(2L, 3L), pass(8).keySet());
    ways.clear();
    pass(1);
    assertEquals(Set.of(), pass(2).keySet());
  }

  @Test
  void answersToWhateverWasAskedCount() {
    pass(2);
    ways.put(2, Way.SILENT);
    for (int second = 0; second < 10; second++) {
      peers.answered(new TargetId(2));
      assertEquals(Map.of(), pass(1));
    }
    assertTrue(client(2).open);
  }

  @Test
  void aPauseOfThisProcessIsHeldAgainstNobody() {
    pass(3);
    now += 60 * SECOND;
    clients.values().forEach(FakeClient::timeOut);
    assertEquals(List.of(), watch.look());
    assertEquals(Map.of(), pass(3));
  }
}

package luciola.simulation.cluster;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.TargetId;
import luciola.protocol.router.ChunkRouter;
import luciola.protocol.router.Route;
import luciola.protocol.router.RouterLimits;
import luciola.protocol.router.Step;
import luciola.protocol.router.UpdateChannels;
import luciola.protocol.routing.Routing;
import luciola.simulation.check.Content;
import luciola.simulation.check.History;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import org.jspecify.annotations.Nullable;

/**
 * A client that reads and updates a few chunks of every chain, one operation after the other. It
 * may die: what it was doing stays open for ever, and its next life is another client.
 */
final class SimClient {
  private static final long MILLI = 1_000_000;
  private static final int LARGE_BYTES = 64 << 10;
  private static final int CHANNELS = 2;
  private static final RouterLimits LIMITS =
      new RouterLimits(2500 * MILLI, 120 * MILLI, 2 * MILLI, 100 * MILLI, 100 * MILLI, 3);

  private final World world;
  private final Cluster cluster;
  private final SimProcess process;
  private final int number;
  private final boolean keen;
  private ChunkRouter router;
  private UpdateChannels channels;
  private Routing routing = Routing.EMPTY;
  private int left;
  private int done;
  private long lastValue;
  private @Nullable Operation current;
  private boolean fetching;
  private boolean wroteMuch;

  /** What is under way. */
  private final class Operation {
    final ChunkId chunk;
    final @Nullable Update update;
    final Content payload;
    final byte[] bytes;
    final Route route;
    final long calledNanos;
    final Optional<UpdateTag> tag;
    final History.@Nullable Operation recorded;
    final long floor;
    @Nullable TargetId firstHead;
    @Nullable TargetId lastSent;
    int waits;

    Operation(
        ChainId chain,
        ChunkId chunk,
        @Nullable Update update,
        Content payload,
        Optional<UpdateTag> tag) {
      this.chunk = chunk;
      this.update = update;
      this.payload = payload;
      this.bytes = payload.toBytes();
      this.tag = tag;
      this.calledNanos = world.nowNanos();
      this.floor = cluster.rules().forward.called(chunk);
      this.route =
          update == null
              ? router.toReplica(chain, 1, process.clockNanos())
              : router.toHead(chain, process.clockNanos());
      this.recorded =
          update == null
              ? null
              : cluster
                  .rules()
                  .history
                  .updateCalled(process.name(), chunk, update, payload, calledNanos);
    }
  }

  SimClient(Cluster cluster, int number, int operations, double driftMax) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.number = number;
    this.left = operations;
    this.process = new SimProcess(world, "client" + number, driftMax);
    this.keen = world.chance(0.3);
    this.router = new ChunkRouter(LIMITS, Optional.empty(), world::bits);
    this.channels = new UpdateChannels(new ClientId(1000L + number), CHANNELS);
  }

  SimProcess process() {
    return process;
  }

  boolean finished() {
    return left == 0 && current == null;
  }

  int done() {
    return done;
  }

  void start() {
    process.start();
    router = new ChunkRouter(LIMITS, Optional.empty(), world::bits);
    channels = new UpdateChannels(new ClientId(1000L * process.life() + number), CHANNELS);
    routing = Routing.EMPTY;
    current = null;
    fetching = false;
    pause();
  }

  void die() {
    Operation lost = current;
    if (lost != null && lost.tag.isPresent()) {
      cluster.rules().orphans.add(lost.tag.get());
    }
    process.stop();
    current = null;
  }

  private void pause() {
    long think =
        world.chance(0.1)
            ? world.between(20 * MILLI, 300 * MILLI)
            : world.between(0, keen ? MILLI / 4 : 4 * MILLI);
    if (left > 0) {
      process.later(think, this::begin);
    }
  }

  private void begin() {
    left--;
    ChainId chain = new ChainId(1 + world.below(cluster.plan().chains()));
    ChunkId chunk = Cluster.chunk(chain, world.below(cluster.plan().chunksPerChain()));
    int draw = world.below(100);
    Operation operation;
    if (draw < 50) {
      operation = new Operation(chain, chunk, null, Content.MISSING, Optional.empty());
    } else {
      Update update = update(draw);
      Content payload =
          update instanceof Update.Write write
              ? Content.of(write.length() / Content.CELL, number * 1_000_000L + ++lastValue)
              : Content.of(0, 0);
      operation = new Operation(chain, chunk, update, payload, channels.take());
    }
    current = operation;
    world.log(process.name(), () -> "begins " + operation.chunk + " " + describe(operation));
    follow(operation, operation.route.next(routing, process.clockNanos()));
  }

  private static String describe(Operation operation) {
    return operation.update == null
        ? "read"
        : operation.update + " " + operation.payload + " " + operation.tag.orElseThrow();
  }

  private int cellsMax() {
    return cluster.plan().cellsMax();
  }

  private Update update(int draw) {
    if (draw < 86) {
      int at = world.below(cellsMax());
      int count = 1 + world.below(cellsMax() - at);
      if (count * Content.CELL > LARGE_BYTES && !wroteMuch) {
        wroteMuch = true;
        world.met(Probe.LARGE_WRITE);
      }
      return new Update.Write(at * Content.CELL, count * Content.CELL, cellsMax() * Content.CELL);
    }
    return draw < 92
        ? new Update.Truncate(world.below(cellsMax() + 1) * Content.CELL)
        : new Update.Remove();
  }

  private void follow(Operation operation, Step step) {
    if (current != operation) {
      return;
    }
    switch (step) {
      case Step.Send send -> send(operation, send);
      case Step.WaitUntil(long until) -> nextAt(operation, until);
      case Step.RefreshRouting(var _, long until) -> {
        fetchRouting();
        nextAt(operation, until);
      }
      case Step.GiveUp(ErrorCode code, String _) -> {
        world.met("a client gave up: " + code);
        if (code == ErrorCode.INVARIANT_BROKEN || code == ErrorCode.DUPLICATE_UPDATE) {
          throw new RuleBroken("ClientsAreNotToldNonsense", code + " " + describe(operation));
        }
        end(operation);
      }
    }
  }

  private void nextAt(Operation operation, long until) {
    int wait = ++operation.waits;
    process.later(until - process.clockNanos(), () -> next(operation, wait));
  }

  private void next(Operation operation, int wait) {
    if (current == operation && operation.waits == wait) {
      operation.waits++;
      follow(operation, operation.route.next(routing, process.clockNanos()));
    }
  }

  private void fetchRouting() {
    if (fetching) {
      return;
    }
    fetching = true;
    cluster.callMeta(
        process,
        RoutingRequest.newBuilder()
            .setClusterId(SimLog.CLUSTER)
            .setKnownVersion(routing.version().value())
            .build(),
        answer -> {
          fetching = false;
          if (answer instanceof RoutingUpdate update) {
            Routing before = routing;
            routing = routing.apply(RoutingMessages.fromMessage(update));
            Operation waiting = current;
            if (routing.version().compareTo(before.version()) > 0
                && waiting != null
                && waiting.waits % 2 == 1) {
              next(waiting, waiting.waits);
            }
          }
        },
        () -> fetching = false);
  }

  private void send(Operation operation, Step.Send send) {
    if (operation.waits % 2 == 1) {
      operation.waits++;
    }
    Request request =
        operation.update == null
            ? new ReadRequest(
                List.of(
                    new ReadRequest.Range(
                        send.chain(),
                        send.chainVersion(),
                        send.target(),
                        operation.chunk,
                        0,
                        cellsMax() * Content.CELL)))
            : new UpdateRequest(
                send.chain(),
                send.chainVersion(),
                send.target(),
                operation.chunk,
                operation.tag.orElseThrow(),
                operation.update,
                Granules.checksums(
                    operation.update instanceof Update.Write write ? write.offset() : 0,
                    MemorySegment.ofArray(operation.bytes)));
    if (operation.update != null && operation.route.failures() > 0) {
      world.met("a client sent an update again");
    }
    if (operation.firstHead == null) {
      operation.firstHead = send.target();
    }
    operation.lastSent = send.target();
    SimServer server = cluster.serverAt(send.node().host()).orElseThrow();
    Network network = cluster.network();
    network.<Message, Message.Answer>call(
        process,
        server.process(),
        (message, sink) -> server.port().receive(server.process().life(), message, sink),
        new Message(request, operation.bytes),
        Math.max(1, send.untilNanos() - process.clockNanos()),
        new Network.Asker<>() {
          @Override
          public void answered(Message.Answer answer) {
            SimClient.this.answered(operation, answer);
          }

          @Override
          public void failed(boolean refused) {
            SimClient.this.failed(
                operation, refused ? ErrorCode.CONNECTION_LOST : ErrorCode.TIMED_OUT);
          }
        });
  }

  private void failed(Operation operation, ErrorCode code) {
    follow(operation, operation.route.failed(code, routing, process.clockNanos()));
  }

  private void answered(Operation operation, Message.Answer answer) {
    Reply said = answer.reply();
    switch (said) {
      case null -> failed(operation, ErrorCode.CONNECTION_LOST);
      case UpdateReply reply -> {
        if (reply.code() == ErrorCode.OK && operation.recorded != null) {
          operation.route.succeeded();
          if (operation.route.failures() > 0
              && !Objects.equals(operation.lastSent, operation.firstHead)) {
            world.met(Probe.RETRY_AFTER_HEAD_CHANGE);
          }
          cluster.rules().forward.acknowledged(operation.chunk, reply.version(), operation.floor);
          cluster.rules().history.acknowledged(operation.recorded, world.nowNanos());
          end(operation);
        } else {
          failed(operation, reply.code());
        }
      }
      case ReadReply reply -> readAnswered(operation, reply, answer.payload());
      default -> throw new IllegalStateException("unexpected: " + answer);
    }
  }

  private void readAnswered(Operation operation, ReadReply reply, byte[] bytes) {
    ErrorCode code = reply.code();
    if (code == ErrorCode.OK) {
      ReadReply.Result result = reply.results().getFirst();
      code = result.code();
      if (code == ErrorCode.OK
          && Granules.firstMismatch(0, MemorySegment.ofArray(bytes), result.checksums()) >= 0) {
        code = ErrorCode.CHECKSUM_MISMATCH;
      }
    }
    if (code != ErrorCode.OK && code != ErrorCode.CHUNK_NOT_FOUND) {
      failed(operation, code);
      return;
    }
    operation.route.succeeded();
    Content seen = Content.MISSING;
    if (code == ErrorCode.OK) {
      seen = Content.fromBytes(bytes);
      cluster
          .rules()
          .forward
          .read(
              operation.chunk,
              reply.results().getFirst().version(),
              operation.floor,
              process.name());
    }
    cluster
        .rules()
        .history
        .read(process.name(), operation.chunk, operation.calledNanos, world.nowNanos(), seen);
    end(operation);
  }

  private void end(Operation operation) {
    world.log(process.name(), () -> "ends   " + operation.chunk + " " + describe(operation));
    operation.tag.ifPresent(channels::settled);
    current = null;
    done++;
    pause();
  }
}

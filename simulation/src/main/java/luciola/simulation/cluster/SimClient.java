package luciola.simulation.cluster;

import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.protocol.router.ChunkRouter;
import luciola.protocol.router.Route;
import luciola.protocol.router.RouterLimits;
import luciola.protocol.router.Step;
import luciola.protocol.router.UpdateChannels;
import luciola.protocol.routing.Routing;
import luciola.simulation.check.Content;
import luciola.simulation.check.History;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import org.jspecify.annotations.Nullable;

/** A client that reads and updates a few chunks, one operation after the other. */
final class SimClient {
  static final int CHUNKS = 3;
  private static final long MILLI = 1_000_000;
  private static final int CELLS_MAX = 6;
  private static final int[] NO_CHECKSUMS = {};
  private static final RouterLimits LIMITS =
      new RouterLimits(2500 * MILLI, 120 * MILLI, 2 * MILLI, 100 * MILLI, 100 * MILLI, 3);

  private final World world;
  private final Cluster cluster;
  private final SimProcess process;
  private final ChunkRouter router;
  private final UpdateChannels channels;
  private final int number;
  private Routing routing = Routing.EMPTY;
  private int left;
  private int done;
  private long lastValue;
  private @Nullable Operation current;
  private boolean fetching;

  /** What is under way. */
  private final class Operation {
    final ChunkId chunk;
    final @Nullable Update update;
    final Content payload;
    final Route route;
    final long calledNanos;
    final Optional<UpdateTag> tag;
    final History.@Nullable Operation recorded;
    int waits;

    Operation(ChunkId chunk, @Nullable Update update, Content payload, Optional<UpdateTag> tag) {
      this.chunk = chunk;
      this.update = update;
      this.payload = payload;
      this.tag = tag;
      this.calledNanos = world.nowNanos();
      this.route =
          update == null
              ? router.toReplica(CHAIN, 1, process.clockNanos())
              : router.toHead(CHAIN, process.clockNanos());
      this.recorded =
          update == null
              ? null
              : cluster
                  .rules()
                  .history
                  .updateCalled(process.name(), chunk, update, payload, calledNanos);
    }
  }

  private static final ChainId CHAIN = new ChainId(1);

  SimClient(Cluster cluster, int number, int operations, double driftMax) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.number = number;
    this.left = operations;
    this.process = new SimProcess(world, "client" + number, driftMax);
    this.router = new ChunkRouter(LIMITS, Optional.empty(), world::bits);
    this.channels = new UpdateChannels(new ClientId(1000 + number), 2);
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
    pause();
  }

  private void pause() {
    long think =
        world.chance(0.1) ? world.between(20 * MILLI, 300 * MILLI) : world.between(0, 4 * MILLI);
    if (left > 0) {
      process.later(think, this::begin);
    }
  }

  private void begin() {
    left--;
    ChunkId chunk = new ChunkId(new InodeId(7), world.below(CHUNKS));
    int draw = world.below(100);
    Operation operation;
    if (draw < 50) {
      operation = new Operation(chunk, null, Content.MISSING, Optional.empty());
    } else {
      Update update = update(draw);
      Content payload =
          update instanceof Update.Write write
              ? Content.of(write.length() / Content.CELL, number * 1_000_000L + ++lastValue)
              : Content.of(0, 0);
      operation = new Operation(chunk, update, payload, channels.take());
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

  private Update update(int draw) {
    if (draw < 88) {
      int at = world.below(CELLS_MAX);
      int count = 1 + world.below(CELLS_MAX - at);
      return new Update.Write(at * Content.CELL, count * Content.CELL, CELLS_MAX * Content.CELL);
    }
    return draw < 95
        ? new Update.Truncate(world.below(CELLS_MAX + 1) * Content.CELL)
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
          throw new luciola.simulation.check.RuleBroken(
              "ClientsAreNotToldNonsense", code + " " + describe(operation));
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
    cluster.callManager(
        process,
        RoutingRequest.newBuilder()
            .setClusterId(SimManager.CLUSTER)
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
                        CELLS_MAX * Content.CELL)))
            : new UpdateRequest(
                send.chain(),
                send.chainVersion(),
                send.target(),
                operation.chunk,
                operation.tag.orElseThrow(),
                operation.update,
                NO_CHECKSUMS);
    if (operation.route.failures() > 0 && operation.update != null) {
      world.met("a client sent an update again");
    }
    SimServer server = cluster.serverAt(send.node().host()).orElseThrow();
    cluster
        .network()
        .<Message, Message.Answer>call(
            process,
            server.process(),
            server::receive,
            new Message(request, operation.payload),
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
    switch (answer.reply()) {
      case UpdateReply reply -> {
        if (reply.code() == ErrorCode.OK && operation.recorded != null) {
          operation.route.succeeded();
          cluster.rules().history.acknowledged(operation.recorded, world.nowNanos());
          end(operation);
        } else {
          failed(operation, reply.code());
        }
      }
      case ReadReply reply -> {
        ErrorCode code =
            reply.code() == ErrorCode.OK ? reply.results().getFirst().code() : reply.code();
        if (code == ErrorCode.OK || code == ErrorCode.CHUNK_NOT_FOUND) {
          operation.route.succeeded();
          cluster
              .rules()
              .history
              .read(
                  process.name(),
                  operation.chunk,
                  operation.calledNanos,
                  world.nowNanos(),
                  answer.payload());
          end(operation);
        } else {
          failed(operation, code);
        }
      }
      default -> throw new IllegalStateException("unexpected: " + answer);
    }
  }

  private void end(Operation operation) {
    world.log(process.name(), () -> "ends   " + operation.chunk + " " + describe(operation));
    operation.tag.ifPresent(channels::settled);
    current = null;
    done++;
    pause();
  }
}

package luciola.simulation.namespace;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RenewSessions;
import luciola.meta.namespace.Namespace;
import luciola.protocol.error.ErrorCode;
import luciola.simulation.PlantedBug;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/**
 * A client: some operations at a time, each sent under one sequence to whoever may lead until it is
 * answered or its time is over, as {@code MetaConnection} does. A new life is a new client.
 */
final class SimUser {
  private static final long MILLI = 1_000_000;
  private static final long ATTEMPT_NANOS = 120 * MILLI;
  private static final long CALL_NANOS = 1200 * MILLI;

  private final World world;
  private final Network network;
  private final Books books;
  private final List<SimMember> members;
  private final Optional<PlantedBug> bug;
  private final UserOperations operations;
  private final SimProcess process;
  private final int together;
  private final TreeSet<Long> open = new TreeSet<>();
  private final List<Books.Read> reads = new ArrayList<>();
  private long client;
  private long last;

  /** When a renewal that was answered was sent, by its own clock. */
  private long renewedNanos;

  private int left;
  private int working;
  private int done;
  private SimMember believed;
  private BooleanSupplier collecting = () -> false;

  SimUser(
      World world,
      Network network,
      Books books,
      List<SimMember> members,
      UserOperations.Plan plan,
      int number,
      int operations,
      double driftMax,
      Optional<PlantedBug> bug) {
    this.world = world;
    this.network = network;
    this.books = books;
    this.members = members;
    this.bug = bug;
    this.process = new SimProcess(world, "user" + number, driftMax);
    this.operations =
        new UserOperations(
            world,
            plan,
            books.written(),
            () -> process.clockNanos() - renewedNanos < books.toleratedSilenceNanos(driftMax),
            bug);
    this.together = 1 + world.below(3);
    this.left = operations;
    this.believed = members.getFirst();
  }

  SimProcess process() {
    return process;
  }

  int done() {
    return done;
  }

  /** Whether it has nothing left to do, or is dead for good. */
  boolean finished() {
    return process.up() ? left == 0 && working == 0 : left == 0;
  }

  void start() {
    process.start();
    client = world.bits() | 1;
    last = 0;
    renewedNanos = Long.MIN_VALUE / 2;
    open.clear();
    operations.forget();
    reads.forEach(books::readFails);
    reads.clear();
    working = 0;
    for (int i = 0; i < together; i++) {
      process.later(world.between(0, 20 * MILLI), this::next);
    }
    process.later(world.between(0, 200 * MILLI), this::renew);
  }

  /** Begins a life in which it only collects garbage, for as long as there is some. */
  void collect(BooleanSupplier more) {
    collecting = more;
    left = 0;
    start();
  }

  private void next() {
    if (collecting.getAsBoolean()) {
      working++;
      new Call(operations.collect()).begin();
    } else if (left > 0) {
      left--;
      working++;
      new Call(operations.draw()).begin();
    }
  }

  private void renew() {
    long sentNanos = world.nowNanos();
    long sentClockNanos = process.clockNanos();
    long asked = client;
    new Call(NamespaceRequest.newBuilder().setRenewSessions(RenewSessions.getDefaultInstance())) {
      @Override
      void ended(Optional<NamespaceReply> reply) {
        reply.ifPresent(_ -> {
          books.renewed(asked, sentNanos);
          renewedNanos = Math.max(renewedNanos, sentClockNanos);
        });
      }
    }.begin();
    process.later(250 * MILLI, this::renew);
  }

  /** One operation under way. */
  private class Call {
    private final NamespaceRequest.Builder request;
    private final boolean change;
    private final boolean compared;
    private final long operation = world.bits();
    private final List<Books.Read> read = new ArrayList<>();
    private long sequence;
    private long untilNanos;
    private boolean sent;

    Call(NamespaceRequest.Builder request) {
      this.request = request;
      this.change = Namespace.isChange(request.build());
      this.compared = !change && !request.hasRenewSessions();
    }

    final void begin() {
      untilNanos = process.clockNanos() + CALL_NANOS;
      takeSequence();
      if (compared) {
        Books.Read begun = books.readBegins();
        read.add(begun);
        reads.add(begun);
      }
      send();
    }

    private void takeSequence() {
      sequence = ++last;
      open.add(sequence);
      books.sent(operation, client, sequence);
    }

    private void send() {
      if (process.clockNanos() - untilNanos >= 0) {
        end(Optional.empty());
        return;
      }
      if (sent && bug.filter(PlantedBug.RETRY_ANEW::equals).isPresent()) {
        open.remove(sequence);
        takeSequence();
      }
      sent = true;
      NamespaceRequest message =
          request
              .setClientId(client)
              .setSequence(sequence)
              .setAcknowledgedSequence(open.isEmpty() ? last : open.first() - 1)
              .setAnyMember(world.chance(0.4))
              .build();
      SimMember asked =
          message.getAnyMember() && compared ? members.get(world.below(members.size())) : believed;
      network.call(
          process,
          asked.process(),
          asked::receive,
          message,
          ATTEMPT_NANOS,
          new Network.Asker<NamespaceReply>() {
            @Override
            public void answered(NamespaceReply reply) {
              heard(message, reply);
            }

            @Override
            public void failed(boolean refused) {
              again();
            }
          });
    }

    private void again() {
      believed = members.get(world.below(members.size()));
      process.later(world.between(MILLI, 40 * MILLI), this::send);
    }

    private void heard(NamespaceRequest message, NamespaceReply reply) {
      switch (ErrorCode.ofNumber(reply.getCode())) {
        case NOT_LEADER, TIMED_OUT, OVERLOADED, CHUNK_BUSY -> again();
        default -> {
          if (change) {
            books.answered(message, reply);
          }
          read.forEach(begun -> books.readEnds(begun, message, reply));
          end(Optional.of(reply));
        }
      }
    }

    private void end(Optional<NamespaceReply> reply) {
      open.remove(sequence);
      reads.removeAll(read);
      if (reply.isEmpty()) {
        read.forEach(books::readFails);
      }
      ended(reply);
    }

    void ended(Optional<NamespaceReply> reply) {
      working--;
      done++;
      if (reply.isPresent() && operations.ended(request.build(), reply.get())) {
        world.met(Probe.LIVE_CLIENT_EXPIRED);
      }
      process.later(world.between(0, 10 * MILLI), SimUser.this::next);
    }
  }

  @Override
  public String toString() {
    return process
        + (process.up() ? "" : " down")
        + " left="
        + left
        + " working="
        + working
        + " client="
        + client;
  }
}

package luciola.simulation.cluster;

import java.util.Optional;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.id.TargetId;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.host.ReplicaHost;

/**
 * A server's place on the data plane: brings requests to its replicas and their answers back, late
 * if the process is held; and looks at each answer to a read.
 */
final class SimDataPort {
  private final Cluster cluster;
  private final World world;
  private final SimServer server;
  private final SimProcess process;
  private int callsOpen;

  SimDataPort(Cluster cluster, SimServer server) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.server = server;
    this.process = server.process();
  }

  /** A process begins, which was asked nothing. */
  void newLife() {
    callsOpen = 0;
  }

  /** Whether everybody has an answer. */
  boolean quiet() {
    return callsOpen == 0;
  }

  /** Takes a request of the data plane, over a connection to one of its lives. */
  void receive(int life, Message message, Network.ReplySink<Message.Answer> sink) {
    ReplicaHost hosting = server.host().orElse(null);
    if (life != process.life()) {
      sink.reply(Message.Answer.GONE);
    } else if (hosting == null) {
      sink.reply(
          new Message.Answer(
              Reply.failure(message.request(), ErrorCode.UNKNOWN_CHAIN), Message.NO_BYTES));
    } else {
      callsOpen++;
      hosting.handle(
          new SimCall(
              message.request(),
              payload(message.payload()),
              (reply, bytes) -> {
                callsOpen--;
                answer(message.request(), new Message.Answer(reply, bytes), sink);
              }));
    }
  }

  private PayloadBuffer payload(byte[] bytes) {
    if (bytes.length == 0) {
      return PayloadBuffer.empty();
    }
    PayloadBuffer buffer = cluster.memory().tryAcquire(bytes.length).orElseThrow();
    buffer.segment().copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
    return buffer;
  }

  /** Who answers a read serves at that very time, whatever it decided before. */
  private void answer(
      Request request, Message.Answer answer, Network.ReplySink<Message.Answer> sink) {
    if (answer.reply() instanceof ReadReply reply && request instanceof ReadRequest read) {
      for (int i = 0; i < reply.results().size(); i++) {
        ReadRequest.Range range = read.ranges().get(i);
        ErrorCode code = reply.results().get(i).code();
        if (code == ErrorCode.OK) {
          Optional<ReplicaWatch> replica = server.replica(range.chain(), range.target());
          if (replica.isPresent()) {
            replica.get().answers(range);
          } else {
            cluster
                .rules()
                .authority
                .serves(range.target(), cluster.books(range.chain()), Long.MAX_VALUE);
          }
        } else if (code == ErrorCode.NO_LEASE && server.reading()) {
          world.met(Probe.LEASE_ENDED_WHILE_READING);
        }
      }
    }
    if (!process.heldBefore(() -> sink.reply(answer))) {
      if (process.paused()) {
        process.later(0, () -> sink.reply(answer));
      } else {
        sink.reply(answer);
      }
    } else {
      world.met(Probe.EFFECT_DELAYED_BY_PAUSE);
    }
  }

  /** A call of a planted bug. */
  void call(TargetId to, Request request) {
    cluster
        .target(to)
        .map(SimTarget::server)
        .ifPresent(peer ->
            cluster
                .network()
                .<Message, Message.Answer>call(
                    process,
                    peer.process(),
                    (arrived, sink) -> peer.port().receive(peer.process().life(), arrived, sink),
                    new Message(request, Message.NO_BYTES),
                    cluster.callTimeoutNanos(),
                    new Network.Asker<>() {
                      @Override
                      public void answered(Message.Answer answer) {}

                      @Override
                      public void failed(boolean refused) {}
                    }));
  }
}

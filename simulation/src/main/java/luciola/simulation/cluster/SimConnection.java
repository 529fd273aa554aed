package luciola.simulation.cluster;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.simulation.world.Network;

/** A connection of one server to one life of another. */
final class SimConnection implements DataClient {
  private final Cluster cluster;
  private final SimServer from;
  private final SimServer to;
  private final int life;
  private boolean open = true;
  private int inFlight;

  SimConnection(Cluster cluster, SimServer from, SimServer to) {
    this.cluster = cluster;
    this.from = from;
    this.to = to;
    this.life = to.process().life();
  }

  @Override
  public <R extends Reply> CompletableFuture<R> call(
      Request request,
      Class<R> replyType,
      List<MemorySegment> payload,
      ReplyPayload destination,
      Duration timeout) {
    var result = new CompletableFuture<R>();
    byte[] bytes = bytes(payload);
    if (from.bugs().answered(request, replyType, result)) {
      return result;
    }
    inFlight++;
    var message = new Message(from.bugs().sent(request), bytes);
    if (!from.process().heldBefore(() -> send(message, replyType, destination, timeout, result))) {
      send(message, replyType, destination, timeout, result);
    }
    return result;
  }

  private static byte[] bytes(List<MemorySegment> payload) {
    if (payload.isEmpty()) {
      return Message.NO_BYTES;
    }
    if (payload.size() > 1) {
      throw new IllegalStateException("more than one segment");
    }
    return payload.getFirst().toArray(ValueLayout.JAVA_BYTE);
  }

  private <R extends Reply> void send(
      Message message,
      Class<R> replyType,
      ReplyPayload destination,
      Duration timeout,
      CompletableFuture<R> result) {
    if (from.process().paused()) {
      from.process().later(0, () -> send(message, replyType, destination, timeout, result));
      return;
    }
    cluster
        .network()
        .<Message, Message.Answer>call(
            from.process(),
            to.process(),
            (arrived, sink) -> to.port().receive(life, arrived, sink),
            message,
            timeout.toNanos(),
            new Network.Asker<>() {
              @Override
              public void answered(Message.Answer answer) {
                inFlight--;
                Reply reply = answer.reply();
                if (reply == null) {
                  fail(result, ErrorCode.CONNECTION_LOST);
                } else {
                  place(reply, answer.payload(), destination);
                  from.bugs().answer(message.request(), reply);
                  result.complete(replyType.cast(reply));
                }
              }

              @Override
              public void failed(boolean refused) {
                inFlight--;
                fail(result, refused ? ErrorCode.CONNECTION_LOST : ErrorCode.TIMED_OUT);
              }
            });
  }

  private void fail(CompletableFuture<?> result, ErrorCode code) {
    open &= code != ErrorCode.CONNECTION_LOST;
    result.completeExceptionally(new LuciolaException(code, "call to " + to.process()));
  }

  private static void place(Reply reply, byte[] bytes, ReplyPayload destination) {
    if (bytes.length == 0) {
      return;
    }
    int at = 0;
    for (MemorySegment segment : destination.place(reply, bytes.length)) {
      int length = Math.toIntExact(segment.byteSize());
      MemorySegment.copy(bytes, at, segment, ValueLayout.JAVA_BYTE, 0, length);
      at += length;
    }
  }

  @Override
  public HelloReply peer() {
    return new HelloReply(ErrorCode.OK, 1, 1);
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public int callsInFlight() {
    return inFlight;
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

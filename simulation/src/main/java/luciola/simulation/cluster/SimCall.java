package luciola.simulation.cluster;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BiConsumer;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.ReplyBody;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.simulation.check.RuleBroken;

/** A request that arrived at a simulated server. */
final class SimCall implements Call {
  private final Request request;
  private final PayloadBuffer payload;
  private final BiConsumer<Reply, byte[]> answer;
  private boolean answered;

  SimCall(Request request, PayloadBuffer payload, BiConsumer<Reply, byte[]> answer) {
    this.request = request;
    this.payload = payload;
    this.answer = answer;
  }

  @Override
  public Request request() {
    return request;
  }

  @Override
  public PayloadBuffer payload() {
    return payload;
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
  public void reply(Reply reply, ReplyBody body) {
    if (answered) {
      throw new RuleBroken("EachRequestIsAnsweredOnce", request + " " + reply);
    }
    answered = true;
    payload.release();
    byte[] bytes = new byte[Math.toIntExact(body.bytes())];
    int at = 0;
    for (ReplyBody.Part part : body.parts()) {
      if (!(part instanceof ReplyBody.Memory(MemorySegment segment))) {
        throw new IllegalStateException("a part that is not memory: " + part);
      }
      int length = Math.toIntExact(segment.byteSize());
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, bytes, at, length);
      at += length;
    }
    body.release().run();
    answer.accept(reply, bytes);
  }
}

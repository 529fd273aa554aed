package luciola.storage.replica;

import java.util.HashMap;
import java.util.Map;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Reply;
import luciola.storage.chain.ChainEvent;

/**
 * What the numbers of one replica stand for: calls that wait for their answer, ranges of reads,
 * payloads in memory. Belongs to the chain's lane.
 */
final class OpenWork {
  private final Map<Long, Call> calls = new HashMap<>();
  private final Map<Long, ReadBatch.Slot> ranges = new HashMap<>();
  private final Map<Long, PayloadBuffer> payloads = new HashMap<>();
  private long lastNumber;

  /** A number that was never used. */
  long nextNumber() {
    return ++lastNumber;
  }

  long open(Call call) {
    calls.put(++lastNumber, call);
    return lastNumber;
  }

  long open(ReadBatch.Slot slot) {
    ranges.put(++lastNumber, slot);
    return lastNumber;
  }

  /** Keeps a payload until it is released; {@link ChainEvent#NO_PAYLOAD} if there is none. */
  long keep(PayloadBuffer payload) {
    if (payload.bytes() == 0) {
      return ChainEvent.NO_PAYLOAD;
    }
    payloads.put(++lastNumber, payload.retain());
    return lastNumber;
  }

  /** A payload that is kept; empty for {@link ChainEvent#NO_PAYLOAD}. */
  PayloadBuffer payload(long number) {
    return payloads.getOrDefault(number, PayloadBuffer.empty());
  }

  void releasePayload(long number) {
    PayloadBuffer buffer = payloads.remove(number);
    if (buffer != null) {
      buffer.release();
    }
  }

  /** The call, which the caller answers now or later. */
  Call take(long request) {
    Call call = calls.remove(request);
    if (call == null) {
      throw new IllegalStateException("request answered twice: request=" + request);
    }
    return call;
  }

  void answer(long request, Reply reply) {
    take(request).reply(reply);
  }

  /** The range, which the caller answers now or later. */
  ReadBatch.Slot takeRange(long request) {
    ReadBatch.Slot slot = ranges.remove(request);
    if (slot == null) {
      throw new IllegalStateException("range answered twice: request=" + request);
    }
    return slot;
  }

  /** Everything that waits is refused, every payload given back. */
  void refuseAll(ErrorCode code) {
    calls.values().forEach(call -> call.fail(code));
    calls.clear();
    ranges.values().forEach(slot -> slot.failed(code));
    ranges.clear();
    payloads.values().forEach(PayloadBuffer::release);
    payloads.clear();
  }
}

package luciola.storage.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.ReplyBody;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.storage.engine.ChunkRead;
import org.junit.jupiter.api.Test;

final class ReadBatchTest {
  private final AtomicLong clock = new AtomicLong(1000);
  private final AtomicInteger released = new AtomicInteger();
  private final List<ReadReply> replies = new ArrayList<>();
  private final List<ReplyBody> bodies = new ArrayList<>();

  private final class KeptCall implements Call {
    @Override
    public Request request() {
      return new ReadRequest(
          List.of(
              new ReadRequest.Range(
                  new ChainId(1),
                  new ChainVersion(1),
                  new TargetId(1),
                  new ChunkId(new InodeId(1), 0),
                  0,
                  8)));
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
    public void reply(Reply reply, ReplyBody body) {
      replies.add((ReadReply) reply);
      bodies.add(body);
    }
  }

  private ChunkRead eightBytes() {
    return new ChunkRead.InMemory(
        new ChunkVersion(3),
        8,
        new int[] {1},
        Arena.ofAuto().allocate(8),
        released::incrementAndGet);
  }

  private ReadBatch batch(int ranges) {
    return new ReadBatch(new KeptCall(), ranges, clock::get);
  }

  private List<ErrorCode> codes() {
    return replies.getFirst().results().stream().map(ReadReply.Result::code).toList();
  }

  @Test
  void aBatchIsAnsweredOnceEveryRangeHasItsOutcome() {
    ReadBatch batch = batch(3);
    new ReadBatch.Slot(batch, 1).found(eightBytes(), 2000);
    new ReadBatch.Slot(batch, 0).failed(ErrorCode.CHUNK_NOT_FOUND);
    assertTrue(replies.isEmpty());
    new ReadBatch.Slot(batch, 2).found(eightBytes(), 2000);
    assertEquals(List.of(ErrorCode.CHUNK_NOT_FOUND, ErrorCode.OK, ErrorCode.OK), codes());
    assertEquals(16, bodies.getFirst().bytes());
    bodies.getFirst().release().run();
    assertEquals(2, released.get());
  }

  @Test
  void whatWasReadBeforeALongPauseIsNotGivenAfterIt() {
    ReadBatch batch = batch(2);
    new ReadBatch.Slot(batch, 0).found(eightBytes(), 2000);
    clock.set(2000);
    new ReadBatch.Slot(batch, 1).found(eightBytes(), 7000);
    assertEquals(List.of(ErrorCode.NO_LEASE, ErrorCode.OK), codes());
    assertEquals(8, bodies.getFirst().bytes());
    bodies.getFirst().release().run();
    assertEquals(2, released.get());
  }
}

package luciola.protocol.connection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PayloadPoolTest {
  private static final int CAPACITY = 2 * PayloadPool.BLOCK_BYTES_MAX;

  private final PayloadPool pool = new PayloadPool(CAPACITY);

  @AfterEach
  void close() {
    pool.close();
  }

  private PayloadBuffer acquire(int bytes) {
    return pool.tryAcquire(bytes).orElseThrow();
  }

  @Test
  void buffersAreAlignedAndRoundedUpToAPowerOfTwo() {
    int[][] bytesAndBlock = {
      {1, 4096}, {4096, 4096}, {4097, 8192}, {3 << 20, 4 << 20}, {1 << 26, 1 << 26}
    };
    for (int[] each : bytesAndBlock) {
      PayloadBuffer buffer = acquire(each[0]);
      assertEquals(each[0], buffer.bytes());
      assertEquals(each[0], buffer.segment().byteSize());
      assertEquals(each[1], buffer.block().byteSize());
      assertEquals(0, buffer.segment().address() % PayloadBuffer.ALIGNMENT);
      assertEquals(CAPACITY - each[1], pool.freeBytes());
      buffer.release();
      assertEquals(CAPACITY, pool.freeBytes());
    }
  }

  @Test
  void paddingIsZeroUpToTheNextPage() {
    PayloadBuffer dirty = acquire(8192);
    dirty.block().fill((byte) 9);
    dirty.release();
    PayloadBuffer buffer = acquire(5000);
    assertEquals(8192, buffer.padded().byteSize());
    assertEquals(9, buffer.padded().get(ValueLayout.JAVA_BYTE, 4999));
    for (int i = 5000; i < 8192; i++) {
      assertEquals(0, buffer.padded().get(ValueLayout.JAVA_BYTE, i));
    }
    buffer.release();
  }

  @Test
  void neverGivesTheSameMemoryTwice() {
    var random = new Random(1);
    var held = new ArrayList<PayloadBuffer>();
    var taken = new TreeMap<Long, Long>(); // start to end
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      if (held.isEmpty() || random.nextInt(5) < 3) {
        int bytes = 1 + random.nextInt(1 << (6 + random.nextInt(20)));
        var got = pool.tryAcquire(bytes);
        if (got.isEmpty()) {
          refused++;
          continue;
        }
        long start = got.get().block().address();
        long end = start + got.get().block().byteSize();
        var before = taken.lowerEntry(end);
        assertTrue(before == null || before.getValue() <= start);
        taken.put(start, end);
        held.add(got.get());
      } else {
        PayloadBuffer back = held.remove(random.nextInt(held.size()));
        taken.remove(back.block().address());
        back.release();
      }
    }
    assertTrue(refused > 0);
    held.forEach(PayloadBuffer::release);
    // Everything has joined again: the largest blocks can be had.
    PayloadBuffer first = acquire(PayloadPool.BLOCK_BYTES_MAX);
    PayloadBuffer second = acquire(PayloadPool.BLOCK_BYTES_MAX);
    assertEquals(0, pool.freeBytes());
    first.release();
    second.release();
  }

  @Test
  void isExhaustedAndTellsWhenMemoryIsBack() {
    PayloadBuffer first = acquire(PayloadPool.BLOCK_BYTES_MAX);
    PayloadBuffer second = acquire(PayloadPool.BLOCK_BYTES_MAX);
    assertTrue(pool.tryAcquire(1).isEmpty());
    var told = new AtomicInteger();
    pool.whenFreed(told::incrementAndGet);
    assertEquals(0, told.get());
    first.release();
    second.release();
    assertEquals(1, told.get());
  }

  @Test
  void leavesTheReserveToOthers() {
    assertTrue(pool.tryAcquire(1 << 20, CAPACITY).isEmpty());
    PayloadBuffer half = pool.tryAcquire(1 << 26, 1 << 26).orElseThrow();
    assertTrue(pool.tryAcquire(1, 1 << 26).isEmpty());
    PayloadBuffer rest = acquire(1);
    half.release();
    rest.release();
  }

  @Test
  void countsReferences() {
    PayloadBuffer buffer = acquire(100);
    assertSame(buffer, buffer.retain());
    buffer.release();
    assertEquals(100, buffer.segment().byteSize());
    buffer.release();
    assertEquals(CAPACITY, pool.freeBytes());
    assertThrows(IllegalStateException.class, buffer::segment);
    assertThrows(IllegalStateException.class, buffer::retain);
    assertThrows(IllegalStateException.class, buffer::release);
  }

  @Test
  void theEmptyBufferTakesNothing() {
    PayloadBuffer empty = acquire(0);
    assertSame(PayloadBuffer.empty(), empty);
    empty.release();
    empty.release();
    assertEquals(0, empty.retain().segment().byteSize());
  }

  @Test
  void memoryOutlivesTheClosedPoolUntilTheLastBufferIsBack() {
    PayloadPool other = new PayloadPool(PayloadPool.BLOCK_BYTES_MAX);
    PayloadBuffer buffer = other.tryAcquire(10).orElseThrow();
    other.close();
    assertTrue(other.tryAcquire(10).isEmpty());
    var segment = buffer.segment();
    segment.fill((byte) 1);
    buffer.release();
    assertFalse(segment.scope().isAlive());
  }

  @Test
  void refusesSizesBeyondItsLimits() {
    assertThrows(IllegalArgumentException.class, () -> new PayloadPool(1 << 20));
    List.of(-1, PayloadPool.BLOCK_BYTES_MAX + 1)
        .forEach(
            bytes -> assertThrows(IllegalArgumentException.class, () -> pool.tryAcquire(bytes)));
  }
}

package luciola.storage.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockStoreTest {
  private static final long MIB = 1 << 20;

  @TempDir Path directory;

  private BlockStore open(long capacityBytes) throws IOException {
    return BlockStore.open(
        DirectBlockFile.in(directory), DiskSpace.of(directory), capacityBytes, 0);
  }

  @Test
  void classesArePowersOfTwoFromAPageTo64MiB() {
    assertEquals(4096, new BlockClass(0).blockBytes());
    assertEquals(64 << 20, new BlockClass(BlockClass.COUNT - 1).blockBytes());
    assertEquals(0, BlockClass.fitting(1).number());
    assertEquals(0, BlockClass.fitting(4096).number());
    assertEquals(1, BlockClass.fitting(4097).number());
    assertEquals(1, BlockClass.fitting(5 * 1024).number());
    assertEquals(10, BlockClass.fitting(4 << 20).number());
    assertEquals(14, BlockClass.fitting(64 << 20).number());
    for (int number = 0; number < BlockClass.COUNT; number++) {
      assertTrue(new BlockClass(number).runBytes() <= BlockClass.RUN_BYTES_MAX);
    }
  }

  @Test
  void noBlockIsGivenTwiceAndFreedOnesComeBack() throws IOException {
    try (BlockStore store = open(Long.MAX_VALUE)) {
      store.finishRestore();
      var random = new Random(3);
      Set<BlockRef> held = new HashSet<>();
      List<BlockRef> order = new ArrayList<>();
      long bytes = 0;
      for (int i = 0; i < 3000; i++) {
        if (random.nextInt(5) < 3) {
          BlockRef block = store.allocate(1 + random.nextInt(20_000));
          assertTrue(held.add(block));
          assertTrue(store.isTaken(block));
          order.add(block);
          bytes += block.blockClass().blockBytes();
        } else if (!order.isEmpty()) {
          BlockRef block = order.remove(random.nextInt(order.size()));
          held.remove(block);
          store.release(block);
          assertFalse(store.isTaken(block));
          bytes -= block.blockClass().blockBytes();
        }
        assertEquals(bytes, store.takenBytes());
      }
    }
  }

  @Test
  void aBlockIsTakenFromTheFullestGroup() throws IOException {
    try (BlockStore store = open(Long.MAX_VALUE)) {
      store.finishRestore();
      var blocks = new ArrayList<BlockRef>();
      for (int i = 0; i < 3 * BlockClass.GROUP_BLOCKS; i++) {
        blocks.add(store.allocate(4096));
      }
      for (int i = 0; i < 200; i++) {
        store.release(blocks.get(i));
      }
      store.release(blocks.get(BlockClass.GROUP_BLOCKS + 7));
      assertEquals(blocks.get(BlockClass.GROUP_BLOCKS + 7), store.allocate(100));
      assertTrue(store.allocate(100).index() < BlockClass.GROUP_BLOCKS);
    }
  }

  @Test
  void spaceGoesBackWhenARunIsEmptyButForOneThatIsKept() throws IOException {
    try (BlockStore store = open(Long.MAX_VALUE)) {
      store.finishRestore();
      var blocks = new ArrayList<BlockRef>();
      for (int i = 0; i < 4 * BlockClass.GROUP_BLOCKS; i++) {
        blocks.add(store.allocate(4096));
      }
      assertEquals(4 * MIB, store.preallocatedBytes());
      blocks.forEach(store::release);
      assertEquals(MIB, store.preallocatedBytes());
      assertEquals(0, store.takenBytes());
    }
  }

  @Test
  void aBlockThatIsReadStaysUntilItsLastReaderIsDone() throws IOException {
    try (BlockStore store = open(Long.MAX_VALUE)) {
      store.finishRestore();
      BlockRef block = store.allocate(4096);
      BlockStore.Pin first = store.pin(List.of(block));
      BlockStore.Pin second = store.pin(List.of(block));
      store.release(block);
      assertTrue(store.isTaken(block));
      first.close();
      first.close();
      assertTrue(store.isTaken(block));
      second.close();
      assertFalse(store.isTaken(block));
    }
  }

  @Test
  void aFullTargetRefuses() throws IOException {
    try (BlockStore store = open(70 * MIB)) {
      store.finishRestore();
      for (int i = 0; i < 16; i++) {
        store.allocate(4 << 20);
      }
      assertThrows(NoSpaceException.class, () -> store.allocate(4 << 20));
      store.allocate(4096);
    }
  }

  @Test
  void whatTheMetadataNamesIsTakenAfterAReopenAndTheRestIsGivenBack() throws IOException {
    BlockRef kept;
    GroupImage named;
    try (BlockStore store = open(Long.MAX_VALUE);
        Arena arena = Arena.ofConfined()) {
      store.finishRestore();
      for (int i = 0; i < 600; i++) {
        store.allocate(4096);
      }
      kept = store.allocate(4096);
      named = store.name(kept, true);
      MemorySegment page = arena.allocate(4096, 4096);
      page.fill((byte) 7);
      store.file(kept).write(kept.position(), page);
      store.file(kept).flush();
    }
    try (BlockStore store = open(Long.MAX_VALUE);
        Arena arena = Arena.ofConfined()) {
      store.restore(named);
      store.finishRestore();
      assertEquals(4096, store.takenBytes());
      assertEquals(MIB, store.preallocatedBytes());
      assertEquals(List.of(named), store.groups().toList());
      MemorySegment page = arena.allocate(4096, 4096);
      store.file(kept).read(kept.position(), page);
      assertEquals(7, page.get(ValueLayout.JAVA_BYTE, 4095));
      store.file(kept).readDevice(kept.position(), page);
      assertEquals(7, page.get(ValueLayout.JAVA_BYTE, 0));
      assertThrows(IllegalStateException.class, () -> store.restore(named));
    }
  }

  @Test
  void emptyRunsOfOtherClassesAreGivenUpBeforeABlockIsRefused() throws IOException {
    try (BlockStore store = open(66 * MIB)) {
      store.finishRestore();
      BlockRef large = store.allocate(4 << 20);
      assertThrows(NoSpaceException.class, () -> store.allocate(600 << 10));
      store.release(large);
      assertEquals(64 * MIB, store.preallocatedBytes());
      assertTrue(store.hasRoomFor(600 << 10, 0));
      assertEquals(7, store.allocate(500 << 10).blockClass().number());
    }
  }

  @Test
  void theEmptiestRunIsEmptiedIntoTheOthers() throws IOException {
    try (BlockStore store = open(Long.MAX_VALUE)) {
      store.finishRestore();
      var blocks = new ArrayList<BlockRef>();
      for (int i = 0; i < 3 * BlockClass.GROUP_BLOCKS; i++) {
        blocks.add(store.allocate(4096));
      }
      assertTrue(store.closeEmptiest().isEmpty());
      for (int i = 0; i < 3 * BlockClass.GROUP_BLOCKS; i++) {
        if (i % BlockClass.GROUP_BLOCKS < (i < BlockClass.GROUP_BLOCKS ? 100 : 200)) {
          store.release(blocks.get(i));
        }
      }
      ClosedRun run = store.closeEmptiest().orElseThrow();
      assertEquals(56, run.taken());
      assertEquals(BlockClass.GROUP_BLOCKS, run.firstIndex());
      for (BlockRef block : blocks) {
        if (run.holds(block) && store.isTaken(block)) {
          assertFalse(run.holds(store.allocate(4096)));
          store.release(block);
        }
      }
      assertEquals(2 * MIB, store.preallocatedBytes());
    }
  }
}

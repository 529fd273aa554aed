package luciola.storage.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockClass;
import luciola.storage.engine.MemoryDisk;
import luciola.storage.index.KeyValues;
import luciola.storage.index.MemoryKeyValues;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What survives, of a disk and a store that lose what was not flushed. */
class JournaledKeyValuesTest {
  private static final BlockClass FILE = new BlockClass(0);
  private static final int BYTES = 300_000;
  private static final byte[] FIRST = {0};
  private static final byte[] END = {(byte) 0xfe};
  private static final byte[] COUNT = bytes("count");

  /** Keeps none of the unsynced writes. */
  private static final Random NOTHING_KEPT =
      new Random(0) {
        @Override
        public int nextInt(int bound) {
          return 0;
        }
      };

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk(5);
  private final MemoryKeyValues store = new MemoryKeyValues();

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static KeyValues.Change put(String key, String value) {
    return new KeyValues.Change(bytes(key), bytes(value));
  }

  private KeyValues open() throws IOException {
    return JournaledKeyValues.open(store, disk.open(FILE), BYTES, true);
  }

  private void loseStore() {
    store.powerOff(NOTHING_KEPT);
    store.powerOn();
  }

  private static ErrorCode refusal(org.junit.jupiter.api.function.Executable opening) {
    return assertThrows(LuciolaException.class, opening).code();
  }

  /** What batches make, one after the other: batch i leads from state i to i + 1. */
  private static final class Model {
    final List<TreeMap<byte[], byte[]>> states = new ArrayList<>();

    Model() {
      states.add(new TreeMap<>(Arrays::compareUnsigned));
    }

    int newest() {
      return states.size() - 1;
    }

    List<KeyValues.Change> next(Random random) {
      var batch = new ArrayList<KeyValues.Change>();
      int most = random.nextInt(20) == 0 ? 200_000 : random.nextInt(4) == 0 ? 30_000 : 900;
      for (int i = random.nextInt(4); i >= 0; i--) {
        var value = new byte[random.nextInt(most)];
        random.nextBytes(value);
        boolean forgets = random.nextInt(3) == 0;
        batch.add(new KeyValues.Change(bytes("key" + random.nextInt(9)), forgets ? null : value));
      }
      batch.add(new KeyValues.Change(COUNT, bytes(Integer.toString(states.size()))));
      var state = new TreeMap<>(states.getLast());
      for (KeyValues.Change each : batch) {
        byte @Nullable [] value = each.value();
        if (value == null) {
          state.remove(each.key());
        } else {
          state.put(each.key(), value);
        }
      }
      states.add(state);
      return batch;
    }

    /** Checks that what is stored is one of the states, and goes on from there. */
    int recovered(KeyValues from) {
      int at = from.get(COUNT).map(count -> Integer.parseInt(new String(count, UTF_8))).orElse(0);
      states.subList(at + 1, states.size()).clear();
      compare(from);
      return at;
    }

    void compare(KeyValues from) {
      List<KeyValues.Pair> all =
          from.scan(FIRST, END, Integer.MAX_VALUE).stream()
              .filter(pair -> pair.key()[0] != 'M')
              .toList();
      assertEquals(states.getLast().size(), all.size());
      for (KeyValues.Pair pair : all) {
        assertArrayEquals(states.getLast().get(pair.key()), pair.value());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aPrefixSurvivesAndNothingSyncedIsLost(boolean lazy) throws IOException {
    int lost = 0;
    for (int seed = 0; seed < 60; seed++) {
      var random = new Random(seed);
      var lossy = new MemoryDisk(seed);
      var unsure = new MemoryKeyValues();
      var model = new Model();
      int durable = 0;
      for (int life = 0; life < 8; life++) {
        KeyValues opened = JournaledKeyValues.open(unsure, lossy.open(FILE), BYTES, lazy);
        int found = model.recovered(opened);
        assertTrue(found >= durable, "seed=" + seed + " found=" + found + " durable=" + durable);
        durable = found;
        for (int i = random.nextInt(120); i > 0; i--) {
          boolean sync = random.nextInt(3) == 0;
          opened.write(model.next(random), sync);
          durable = sync ? model.newest() : durable;
          if (random.nextInt(200) == 0) {
            opened.sync();
            durable = model.newest();
          }
        }
        model.compare(opened);
        lost += model.newest() - durable;
        boolean power = random.nextInt(3) > 0;
        if (power) {
          lossy.powerOff();
        } else if (!lazy) {
          durable = model.newest(); // a process that is killed leaves what it wrote
        }
        unsure.powerOff(random);
        if (power) {
          assertThrows(IOException.class, () -> opened.write(List.of(put("late", "1")), true));
        }
        lossy.powerOn();
        unsure.powerOn();
        KeyValues looked = JournaledKeyValues.toRead(unsure, lossy.open(FILE));
        KeyValues again = JournaledKeyValues.open(unsure, lossy.open(FILE), BYTES, lazy);
        assertSame(again, looked);
      }
    }
    assertTrue(lost > 100, "batches that might be lost: " + lost);
  }

  private static void assertSame(KeyValues expected, KeyValues found) {
    for (int limit : new int[] {1, 3, 5, 100}) {
      List<KeyValues.Pair> one = expected.scan(bytes("key2"), END, limit);
      List<KeyValues.Pair> other = found.scan(bytes("key2"), END, limit);
      assertEquals(one.size(), other.size());
      for (int i = 0; i < one.size(); i++) {
        assertArrayEquals(one.get(i).key(), other.get(i).key());
        assertArrayEquals(one.get(i).value(), other.get(i).value());
      }
    }
    assertEquals(
        expected.get(COUNT).map(String::new).orElse(""),
        found.get(COUNT).map(String::new).orElse(""));
  }

  @Test
  void aSyncedWriteIsOneFlush() throws IOException {
    KeyValues opened = open();
    opened.write(List.of(put("a", "1")), true);
    long before = disk.flushes();
    opened.write(List.of(put("b", "1")), false);
    opened.write(List.of(put("c", "1")), true);
    assertEquals(before + 1, disk.flushes());
    opened.write(List.of(put("d", "1")), false);
    assertEquals(before + 1, disk.flushes());
  }

  @Test
  void aRottenRecordWithDurableOnesAfterItIsRefused() throws IOException {
    KeyValues opened = open();
    for (int i = 0; i < 3; i++) {
      opened.write(List.of(put("a", "value " + i)), true);
    }
    loseStore();
    disk.flip(FILE, 2 * 4096 + 45); // of the second
    assertEquals(ErrorCode.CORRUPT_DATA, refusal(this::open));
    disk.flip(FILE, 2 * 4096 + 45);
    assertEquals("value 2", open().get(bytes("a")).map(String::new).orElse(""));
  }

  @Test
  void aStoreOlderThanItsJournalIsRefused() throws IOException {
    KeyValues opened = open();
    opened.write(List.of(put("a", "1")), true);
    opened.sync();
    opened.write(List.of(put("a", "2")), true);
    var empty = new MemoryKeyValues();
    disk.flip(FILE, 4096 + 45); // the first record is rotten, and the store has nothing of it
    assertEquals(
        ErrorCode.CORRUPT_DATA,
        refusal(() -> JournaledKeyValues.open(empty, disk.open(FILE), BYTES, true)));
    assertEquals("2", open().get(bytes("a")).map(String::new).orElse(""));
  }

  @Test
  void aJournalThatIsMissingOrAnothersIsRefused() throws IOException {
    KeyValues opened = open();
    opened.write(List.of(put("a", "1")), true);
    opened.sync();
    var other = new MemoryDisk(6);
    assertEquals(
        ErrorCode.CORRUPT_DATA,
        refusal(() -> JournaledKeyValues.open(store, other.open(FILE), BYTES, true)));
    JournaledKeyValues.open(new MemoryKeyValues(), other.open(FILE), BYTES, true)
        .write(List.of(put("b", "1")), true);
    assertEquals(
        ErrorCode.CORRUPT_DATA,
        refusal(() -> JournaledKeyValues.open(store, other.open(FILE), BYTES, true)));
    disk.flip(FILE, 13); // the salt
    assertEquals(ErrorCode.CORRUPT_DATA, refusal(this::open));
  }

  @Test
  void bytesThatLookLikeARecordAreNoneWithoutTheSalt() {
    MemorySegment pages = JournalRecord.buffer(8192);
    var batch = List.of(put("a", "forged"));
    int bytes = JournalRecord.bytes(batch);
    JournalRecord.encode(pages, 77, 1, 0, List.of(batch), bytes);
    var file = pages.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    assertNull(JournalRecord.find(file, 0, 78));
    JournalRecord found = JournalRecord.find(file, 0, 77);
    assertEquals(new JournalRecord(1, 0, 1, 40, bytes), found);
  }

  @Test
  void aRecordHasItsBytes() {
    MemorySegment pages = JournalRecord.buffer(4096);
    var batch = List.of(put("k", "v"), new KeyValues.Change(bytes("gone"), null), put("empty", ""));
    MemorySegment written =
        JournalRecord.encode(
            pages, 0x0102030405060708L, 9, 7, List.of(batch), JournalRecord.bytes(batch));
    assertEquals(4096, written.byteSize());
    var text = new StringBuilder();
    for (int i = 0; i < 40 + JournalRecord.bytes(batch); i++) {
      text.append("%02x".formatted(written.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i)));
    }
    assertEquals(
        "4c434a31"
            + "CRC"
            + "0807060504030201"
            + "0900000000000000"
            + "0700000000000000"
            + "01000000"
            + "21000000"
            + "03000000"
            + "0100"
            + "01000000"
            + "6b"
            + "76"
            + "0400"
            + "ffffffff"
            + "676f6e65"
            + "0500"
            + "00000000"
            + "656d707479",
        text.replace(8, 16, "CRC").toString());
    JournalRecord found =
        JournalRecord.find(
            pages.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN), 0, 0x0102030405060708L);
    assertTrue(found != null && found.last() == 9);
  }

  @Test
  void theJournalIsFilledAgainAndAgainAndTheStoreIsWaitedForOnce() throws IOException {
    KeyValues opened = open();
    for (int i = 0; i < 500; i++) {
      opened.write(List.of(put("a" + i % 7, "x".repeat(9000) + i)), true);
    }
    loseStore();
    KeyValues again = open();
    for (int i = 493; i < 500; i++) {
      assertEquals("x".repeat(9000) + i, again.get(bytes("a" + i % 7)).map(String::new).orElse(""));
    }
    assertEquals(BYTES / 4096 * 4096, disk.open(FILE).size());
  }

  @Test
  void onARealDirectory() throws IOException {
    try (KeyValues opened = JournaledKeyValues.open(directory, 1 << 20, 1 << 20, true)) {
      for (int i = 0; i < 300; i++) {
        opened.write(List.of(put("a" + i % 7, "x".repeat(9000) + i)), i % 2 == 0);
      }
    }
    assertEquals(1 << 20, Files.size(directory.resolve("journal")));
    try (KeyValues looked = JournaledKeyValues.openToRead(directory, 1 << 20)) {
      assertEquals("x".repeat(9000) + 299, looked.get(bytes("a5")).map(String::new).orElse(""));
      assertThrows(IOException.class, () -> looked.write(List.of(), false));
    }
    try (KeyValues opened = JournaledKeyValues.open(directory, 1 << 20, 1 << 20, true)) {
      assertEquals("x".repeat(9000) + 298, opened.get(bytes("a4")).map(String::new).orElse(""));
    }
    Files.delete(directory.resolve("journal"));
    assertEquals(
        ErrorCode.CORRUPT_DATA,
        refusal(() -> JournaledKeyValues.open(directory, 1 << 20, 1 << 20, true)));
  }
}

package luciola.storage.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.GroupImage;
import org.junit.jupiter.api.Test;

/** The stored forms, held to fixed bytes: they may only change with their format number. */
class RecordBytesTest {
  private static final ChunkRecord RECORD =
      new ChunkRecord(
          new VersionRecord(
              new ChunkVersion(5),
              2,
              false,
              20_000,
              new BlockRef(new BlockClass(5), 0x01020304),
              new int[] {0x11223344, 0x55667788},
              Optional.empty()),
          List.of(
              VersionRecord.tombstone(new ChunkVersion(6), 3)
                  .withTag(Optional.of(new UpdateTag(new ClientId(-2), 9, 77)))));
  private static final String RECORD_BYTES =
      "01010200"
          + "0500000000000000"
          + "02000000"
          + "00050000"
          + "04030201"
          + "204e0000"
          + "44332211"
          + "88776655"
          + "0600000000000000"
          + "03000000"
          + "03ff0000"
          + "00000000"
          + "00000000"
          + "feffffffffffffff"
          + "09000000"
          + "4d00000000000000";
  private static final DedupEntry DEDUP =
      new DedupEntry(
          new ChainId(3),
          new DedupRecord(
              new UpdateTag(new ClientId(0x0102030405060708L), 9, 77),
              new ChunkId(new InodeId(0x0a0b), 12),
              new ChunkVersion(6),
              4096),
          1_700_000_000L);

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void aChunkRecordHasItsBytes() {
    assertEquals(RECORD_BYTES, hex(RECORD.toBytes()));
    assertEquals(RECORD, ChunkRecord.fromBytes(HexFormat.of().parseHex(RECORD_BYTES)));
  }

  @Test
  void aDedupEntryHasItsBytes() {
    assertEquals("00000003" + "0102030405060708" + "00000009", hex(DEDUP.key()));
    assertEquals(
        "01000000"
            + "00100000"
            + "4d00000000000000"
            + "0600000000000000"
            + "00f1536500000000"
            + "0000000000000a0b0000000c00000000",
        hex(DEDUP.toBytes()));
    assertEquals(DEDUP, DedupEntry.fromBytes(DEDUP.key(), DEDUP.toBytes()));
  }

  @Test
  void whatIsStoredBesideTheRecordsHasItsBytes() throws IOException {
    var store = new MemoryKeyValues();
    var chunk = new ChunkKey(new ChainId(3), new ChunkId(new InodeId(0x0a0b), 12));
    var blocks = new long[BlockClass.COUNT];
    blocks[2] = 9;
    var books =
        new Bookkeeping(
            List.of(new GroupImage(new BlockClass(2), 258, new long[] {1, 0, 0, 1L << 63})),
            List.of(new PendingEntry(chunk, 5, new ChunkVersion(6))),
            List.of(),
            List.of(new Tombstone(chunk, new ChunkVersion(7), 8)),
            List.of(),
            List.of(new ChainTotals(new ChainId(3), 1, 2, 3, 4, 5)),
            List.of(),
            Optional.of(new TargetTotals(10, 11, 12, blocks)));
    ChunkIndex index = ChunkIndex.open(store);
    index.write(new ChunkIndex.Batch(List.of(), List.of(), List.of(), Map.of(), books), true);
    var text = new StringBuilder();
    for (KeyValues.Pair pair : store.scan(new byte[1], new byte[] {-1}, 100)) {
      text.append((char) pair.key()[0])
          .append(hex(Arrays.copyOfRange(pair.key(), 1, 99)))
          .append('=')
          .append(hex(pair.value()))
          .append('\n');
    }
    String u64 = "%02x00000000000000";
    String key = "00000003" + "0000000000000a0b" + "0000000c" + "00000000" + "00".repeat(78);
    String expected =
        "G0200000102"
            + "00".repeat(93)
            + "="
            + u64.formatted(1)
            + "00".repeat(23)
            + "80\n"
            + "M666f726d6174"
            + "00".repeat(92)
            + "=02000000\n"
            + "M746f74616c73"
            + "00".repeat(92)
            + "="
            + u64.formatted(10)
            + u64.formatted(11)
            + u64.formatted(12)
            + "00".repeat(16)
            + u64.formatted(9)
            + "00".repeat(96)
            + "\n"
            + "N00000003"
            + "00".repeat(94)
            + "="
            + u64.formatted(1)
            + u64.formatted(2)
            + u64.formatted(3)
            + u64.formatted(4)
            + u64.formatted(5)
            + "\n"
            + "P"
            + key
            + "="
            + u64.formatted(5)
            + u64.formatted(6)
            + "\n"
            + "T"
            + key
            + "="
            + u64.formatted(7)
            + u64.formatted(8)
            + "\n";
    assertEquals(expected, text.toString());
    assertEquals(books.groups(), index.groups(new BlockClass(2), 0, 10));
    assertEquals(List.of(), index.groups(new BlockClass(2), 259, 10));
    assertEquals(books.pending(), index.pending(ChunkKey.first(new ChainId(1)), 10));
    assertEquals(books.tombstones(), index.tombstones(ChunkKey.first(new ChainId(3)), 10));
    assertEquals(books.chains(), index.chains());
    assertEquals(books.target(), Optional.of(index.totals()));
  }

  @Test
  void aChunkKeySortsByChainThenFileThenIndex() {
    var key = new ChunkKey(new ChainId(3), new ChunkId(new InodeId(0x0a0b), 12));
    assertEquals("00000003" + "0000000000000a0b" + "0000000c" + "00000000", hex(key.toBytes()));
    assertEquals(key, ChunkKey.fromBytes(key.toBytes()));
    var random = new Random(1);
    ChunkKey previous = key;
    for (int i = 0; i < 1000; i++) {
      var next =
          new ChunkKey(
              new ChainId(1 + random.nextInt(3)),
              new ChunkId(new InodeId(1 + random.nextInt(300)), random.nextInt(300)));
      assertEquals(
          Integer.signum(previous.compareTo(next)),
          Integer.signum(Arrays.compareUnsigned(previous.toBytes(), next.toBytes())));
      previous = next;
    }
  }

  @Test
  void whatIsNotARecordIsRefused() {
    byte[] good = RECORD.toBytes();
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertThrows(LuciolaException.class, () -> ChunkRecord.fromBytes(cut));
    }
    byte[] newer = good.clone();
    newer[0] = 2;
    LuciolaException refused =
        assertThrows(LuciolaException.class, () -> ChunkRecord.fromBytes(newer));
    assertEquals(ErrorCode.FORMAT_TOO_NEW, refused.code());
    var random = new Random(2);
    for (int i = 0; i < 20_000; i++) {
      byte[] mutated = good.clone();
      mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
      try {
        ChunkRecord read = ChunkRecord.fromBytes(mutated);
        assertEquals(read, ChunkRecord.fromBytes(read.toBytes()));
      } catch (LuciolaException e) {
        assertEquals(
            true, e.code() == ErrorCode.CORRUPT_DATA || e.code() == ErrorCode.FORMAT_TOO_NEW);
      }
    }
    assertArrayEquals(good, RECORD.toBytes());
  }
}

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
import luciola.protocol.frame.Granules;
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
  void aRecordWithPatchesHasItsBytesAndAnotherFormat() {
    BlockClass patches = Patches.BLOCK_CLASS;
    var record =
        new ChunkRecord(
            new VersionRecord(
                new ChunkVersion(5),
                2,
                false,
                20_000,
                new BlockRef(new BlockClass(5), 0x01020304),
                Patches.NONE.with(
                    0, List.of(new BlockRef(patches, 0x0a0b0c0d), new BlockRef(patches, 14))),
                new int[] {0x11223344, 0x55667788},
                Optional.empty()),
            RECORD.pending());
    String text =
        "02010200"
            + "0500000000000000"
            + "02000000"
            + "04050000"
            + "04030201"
            + "204e0000"
            + "44332211"
            + "88776655"
            + "0200"
            + "0000"
            + "0d0c0b0a"
            + "0100"
            + "0e000000"
            + RECORD_BYTES.substring(2 * 36);
    assertEquals(text, hex(record.toBytes()));
    assertEquals(record, ChunkRecord.fromBytes(HexFormat.of().parseHex(text)));
    refusesDamage(record.toBytes());
  }

  @Test
  void patchesAreFoundReplacedAndMoved() {
    BlockClass of = Patches.BLOCK_CLASS;
    Patches some = Patches.NONE.with(7, List.of(new BlockRef(of, 70), new BlockRef(of, 80)));
    Patches more =
        some.with(2, List.of(new BlockRef(of, 20))).with(8, List.of(new BlockRef(of, 81)));
    assertEquals(List.of(20, 70, 81), more.blocks().map(BlockRef::index).toList());
    assertEquals(new BlockRef(of, 81), more.at(8));
    assertEquals(null, more.at(6));
    assertEquals(7, more.next(3));
    assertEquals(3, more.countWith(7, 9));
    assertEquals(5, more.countWith(8, 11));
    assertEquals(new BlockRef(of, 9), more.moved(new BlockRef(of, 70), new BlockRef(of, 9)).at(7));
    assertEquals(more, more.moved(new BlockRef(new BlockClass(5), 70), new BlockRef(of, 9)));
  }

  @Test
  void extentsAreTheRangeInOrderAndWithoutGaps() {
    var random = new Random(3);
    for (int i = 0; i < 500; i++) {
      int length = 1 + random.nextInt(400_000);
      Patches patches = Patches.NONE;
      int granules = Granules.count(0, length);
      for (int n = random.nextInt(10); n > 0; n--) {
        patches =
            patches.with(
                random.nextInt(granules),
                List.of(new BlockRef(Patches.BLOCK_CLASS, random.nextInt(20) + 20 * n)));
      }
      var main = new BlockRef(BlockClass.fitting(length), random.nextInt(9));
      var version =
          new VersionRecord(
              new ChunkVersion(1),
              1,
              false,
              length,
              main,
              patches,
              new int[granules],
              Optional.empty());
      int from = random.nextInt(length);
      int to = from + 1 + random.nextInt(length - from);
      int at = from;
      for (VersionRecord.Extent each : version.extents(from, to)) {
        assertEquals(at, each.from());
        for (int probe = each.from(); probe < each.to(); probe += 1 + random.nextInt(5000)) {
          BlockRef patch = patches.at(probe / 16_384);
          long expected =
              patch == null ? main.position() + probe : patch.position() + probe % 16_384;
          assertEquals(expected, each.position() + probe - each.from());
          assertEquals((patch == null ? main : patch).blockClass(), each.blockClass());
        }
        at = each.to();
      }
      assertEquals(to, at);
    }
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
            + "=03000000\n"
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
    newer[0] = 3;
    LuciolaException refused =
        assertThrows(LuciolaException.class, () -> ChunkRecord.fromBytes(newer));
    assertEquals(ErrorCode.FORMAT_TOO_NEW, refused.code());
    refusesDamage(good);
    assertArrayEquals(good, RECORD.toBytes());
  }

  private static void refusesDamage(byte[] good) {
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
  }
}

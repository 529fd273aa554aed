package luciola.storage.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every index keeps: the one in memory and the one on disk. */
class ChunkIndexTest {
  @TempDir Path directory;

  /** Kinds of index. */
  enum Kind {
    MEMORY,
    ROCKS
  }

  private ChunkIndex open(Kind kind) throws IOException {
    return switch (kind) {
      case MEMORY -> ChunkIndex.open(new MemoryKeyValues());
      case ROCKS -> ChunkIndex.open(RocksKeyValues.open(directory, 1 << 20));
    };
  }

  private static ChunkKey key(int chain, long inode, int index) {
    return new ChunkKey(new ChainId(chain), new ChunkId(new InodeId(inode), index));
  }

  private static ChunkRecord record(long version) {
    return new ChunkRecord(VersionRecord.empty(new ChunkVersion(version), 1), List.of());
  }

  private static DedupEntry dedup(int chain, long client, int channel, long sequence) {
    var tag = new UpdateTag(new ClientId(client), channel, sequence);
    return new DedupEntry(
        new ChainId(chain),
        new DedupRecord(tag, new ChunkId(new InodeId(1), 0), new ChunkVersion(1), 0),
        5);
  }

  private static ChunkIndex.Batch chunks(List<ChunkIndex.Entry> entries) {
    return new ChunkIndex.Batch(entries, List.of(), List.of(), Map.of(), Bookkeeping.NONE);
  }

  @ParameterizedTest
  @EnumSource
  void chunksComeInTheOrderOfTheirKeysAndTheLastRecordCounts(Kind kind) throws IOException {
    try (ChunkIndex index = open(kind)) {
      var entries = new ArrayList<ChunkIndex.Entry>();
      for (int chain = 2; chain >= 1; chain--) {
        for (int i = 4; i >= 0; i--) {
          entries.add(new ChunkIndex.Entry(key(chain, 300, i), record(9)));
          entries.add(new ChunkIndex.Entry(key(chain, 300, i), record(i + 1)));
        }
      }
      index.write(chunks(entries), true);
      assertEquals(record(3), index.chunk(key(2, 300, 2)));
      assertEquals(ChunkRecord.NONE, index.chunk(key(2, 300, 5)));
      List<ChunkIndex.Entry> page = index.chunks(key(1, 300, 3), 4);
      assertEquals(
          List.of(key(1, 300, 3), key(1, 300, 4), key(2, 300, 0), key(2, 300, 1)),
          page.stream().map(ChunkIndex.Entry::chunk).toList());
      index.write(chunks(List.of(new ChunkIndex.Entry(key(1, 300, 4), ChunkRecord.NONE))), false);
      assertEquals(key(2, 300, 0), index.chunks(key(1, 300, 4), 1).getFirst().chunk());
    }
  }

  @ParameterizedTest
  @EnumSource
  void dedupRecordsAreKeptForEachChainAndChannel(Kind kind) throws IOException {
    try (ChunkIndex index = open(kind)) {
      var all =
          List.of(dedup(1, 5, 0, 1), dedup(1, 5, 1, 7), dedup(1, -5, 0, 3), dedup(2, 5, 0, 9));
      index.write(
          new ChunkIndex.Batch(List.of(), all, List.of(), Map.of(), Bookkeeping.NONE), true);
      assertEquals(Optional.of(dedup(2, 5, 0, 9)), index.dedup(new ChainId(2), new ClientId(5), 0));
      assertTrue(index.dedup(new ChainId(2), new ClientId(5), 1).isEmpty());
      assertEquals(all.subList(0, 3), index.dedups(new ChainId(1), Optional.empty(), 10));
      UpdateTag after = all.get(1).dedup().tag();
      assertEquals(all.subList(2, 3), index.dedups(new ChainId(1), Optional.of(after), 10));
      index.write(
          new ChunkIndex.Batch(List.of(), List.of(), all.subList(1, 2), Map.of(), Bookkeeping.NONE),
          true);
      assertEquals(2, index.dedups(new ChainId(1), Optional.empty(), 10).size());
    }
  }

  @ParameterizedTest
  @EnumSource(names = "ROCKS")
  void whatIsWrittenIsThereAfterAReopen(Kind kind) throws IOException {
    try (ChunkIndex index = open(kind)) {
      index.write(chunks(List.of(new ChunkIndex.Entry(key(1, 1, 1), record(4)))), false);
      index.sync();
    }
    try (ChunkIndex index = open(kind)) {
      assertEquals(record(4), index.chunk(key(1, 1, 1)));
    }
  }
}

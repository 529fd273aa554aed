package luciola.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.storage.index.Bookkeeping;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.DedupEntry;
import luciola.storage.index.MemoryKeyValues;
import org.junit.jupiter.api.Test;

class DedupChangesTest {
  private static final ChainId CHAIN = new ChainId(2);
  private static final ChunkId CHUNK = new ChunkId(new InodeId(1), 0);

  private final ChunkIndex index = ChunkIndex.open(new MemoryKeyValues());
  private final DedupChanges changes = new DedupChanges(index);

  DedupChangesTest() throws IOException {}

  private static DedupEntry entry(int channel, long sequence, long version) {
    var tag = new UpdateTag(new ClientId(5), channel, sequence);
    return new DedupEntry(CHAIN, new DedupRecord(tag, CHUNK, new ChunkVersion(version), 10), 1);
  }

  private void stored(DedupEntry... entries) throws Exception {
    index.write(
        new ChunkIndex.Batch(List.of(), List.of(entries), List.of(), Map.of(), Bookkeeping.NONE),
        true);
  }

  private static CommitLoop.Dropped from(long version) {
    return new CommitLoop.Dropped(new ChunkKey(CHAIN, CHUNK), new ChunkVersion(version));
  }

  @Test
  void aRecordThatWasDroppedAndCameAgainIsKept() throws Exception {
    stored(entry(0, 7, 3));
    changes.drop(from(3));
    changes.keep(entry(0, 7, 4));
    assertEquals(List.of(entry(0, 7, 4)), changes.kept());
    assertEquals(List.of(), changes.forgotten());
  }

  @Test
  void droppedVersionsTakeEveryRecordAlongWhoeverStoredIt() throws Exception {
    stored(entry(0, 7, 3), entry(1, 2, 2), entry(2, 9, 5));
    changes.keep(entry(3, 1, 6));
    changes.drop(from(3));
    assertEquals(List.of(), changes.kept());
    assertEquals(List.of(entry(3, 1, 6), entry(0, 7, 3), entry(2, 9, 5)), changes.forgotten());
  }

  @Test
  void anOlderUpdateOfTheChannelDoesNotReplaceANewerOne() throws Exception {
    stored(entry(0, 7, 3));
    changes.keep(entry(0, 6, 4));
    changes.expire(entry(0, 6, 4));
    assertEquals(List.of(), changes.kept());
    assertEquals(List.of(), changes.forgotten());
  }
}

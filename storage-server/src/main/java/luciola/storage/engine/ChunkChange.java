package luciola.storage.engine;

import java.util.List;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;

/** One change of what is known of a chunk. */
record ChunkChange(ChunkKey chunk, ChunkRecord before, ChunkRecord after) {
  /** Blocks that nothing of the chunk lies in any more. */
  List<BlockRef> freed() {
    return VersionRules.freed(before, after);
  }

  /** Blocks that something of the chunk lies in now, and nothing did before. */
  List<BlockRef> named() {
    return VersionRules.named(before, after);
  }
}

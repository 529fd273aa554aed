package luciola.client.cluster;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.layout.FileLayout;

/**
 * Where the chunks of one file lie; never changes.
 *
 * @param stripe chain of chunk {@code c} at {@code c mod stripe}
 */
record FileChunks(InodeId inode, FileLayout layout, List<ChainId> stripe) {
  ChainId chainOf(int index) {
    return stripe.get(index % stripe.size());
  }

  ChunkId chunk(int index) {
    return new ChunkId(inode, index);
  }

  /** First byte past the longest file of this layout. */
  long lengthMax() {
    return (long) layout.chunkBytes() << 31;
  }
}

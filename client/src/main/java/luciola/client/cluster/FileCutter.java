package luciola.client.cluster;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.id.ChainId;

/** Removes and cuts the chunks of a file past a length. Blocks. */
final class FileCutter {
  private static final int PAGE_CHUNKS = 256;

  private final DataPlane plane;
  private final ChunkUpdates updates;

  FileCutter(DataPlane plane, ChunkUpdates updates) {
    this.plane = plane;
    this.updates = updates;
  }

  /** After this no chunk of the file has a byte at or past {@code length}. */
  void cut(FileChunks file, long length) {
    cut(file, length, () -> {});
  }

  /**
   * The same.
   *
   * @param check is run each time before chunks are removed or cut, and throws if they must not be
   */
  void cut(FileChunks file, long length, Runnable check) {
    int lastIndex = (int) Math.min(length / file.layout().chunkBytes(), Integer.MAX_VALUE);
    int lastBytes = file.layout().offsetInChunk(length);
    // All chains at once; a page of each at a time.
    Map<ChainId, Integer> from = new LinkedHashMap<>();
    file.stripe().forEach(chain -> from.put(chain, lastIndex));
    while (!from.isEmpty()) {
      Map<ChainId, CompletableFuture<ChunkListReply>> pages = new LinkedHashMap<>();
      from.forEach((chain, first) -> pages.put(chain, list(file, chain, first)));
      from.clear();
      List<CompletableFuture<UpdateReply>> cuts = new ArrayList<>();
      pages.forEach((chain, listed) -> {
        ChunkListReply page = Waiting.on(listed);
        check.run();
        for (ChunkListReply.Item item : page.chunks()) {
          if (item.index() > lastIndex || lastBytes == 0) {
            cuts.add(updates.send(chain, file.chunk(item.index()), new Update.Remove()));
          } else if (item.chunkBytes() > lastBytes) {
            cuts.add(updates.send(chain, file.chunk(item.index()), new Update.Truncate(lastBytes)));
          }
        }
        if (page.more() && !page.chunks().isEmpty()) {
          from.put(chain, page.chunks().getLast().index() + 1);
        }
      });
      cuts.forEach(Waiting::on);
    }
  }

  private CompletableFuture<ChunkListReply> list(FileChunks file, ChainId chain, int first) {
    return plane.toHead(
        "list chunks: inode=" + file.inode(),
        chain,
        to ->
            new ChunkListRequest(
                to.chain(), to.chainVersion(), to.target(), file.inode(), first, PAGE_CHUNKS),
        ChunkListReply.class,
        List.of());
  }
}

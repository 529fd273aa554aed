package luciola.client.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.id.ChainId;

/** Removes and cuts the chunks of a file past a length. Blocks. */
final class FileCutter {
  private static final int PAGE_CHUNKS = 1024;

  private final DataPlane plane;
  private final ChunkUpdates updates;

  FileCutter(DataPlane plane, ChunkUpdates updates) {
    this.plane = plane;
    this.updates = updates;
  }

  /** After this no chunk of the file has a byte at or past {@code length}. */
  void cut(FileChunks file, long length) {
    int lastIndex = (int) Math.min(length / file.layout().chunkBytes(), Integer.MAX_VALUE);
    int lastBytes = file.layout().offsetInChunk(length);
    for (ChainId chain : file.stripe().stream().distinct().toList()) {
      cut(file, chain, lastIndex, lastBytes);
    }
  }

  private void cut(FileChunks file, ChainId chain, int lastIndex, int lastBytes) {
    int first = lastIndex;
    while (true) {
      ChunkListReply page = list(file, chain, first);
      List<CompletableFuture<UpdateReply>> cuts = new ArrayList<>();
      for (ChunkListReply.Item item : page.chunks()) {
        if (item.index() > lastIndex || lastBytes == 0) {
          cuts.add(updates.send(chain, file.chunk(item.index()), new Update.Remove()));
        } else if (item.chunkBytes() > lastBytes) {
          cuts.add(updates.send(chain, file.chunk(item.index()), new Update.Truncate(lastBytes)));
        }
      }
      cuts.forEach(Waiting::on);
      if (!page.more() || page.chunks().isEmpty()) {
        return;
      }
      first = page.chunks().getLast().index() + 1;
    }
  }

  private ChunkListReply list(FileChunks file, ChainId chain, int first) {
    return Waiting.on(
        plane.toHead(
            "list chunks: inode=" + file.inode(),
            chain,
            to ->
                new ChunkListRequest(
                    to.chain(), to.chainVersion(), to.target(), file.inode(), first, PAGE_CHUNKS),
            ChunkListReply.class,
            List.of()));
  }
}

package luciola.client.cluster;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;

/**
 * The chunks of a cluster as its chains hold them, whatever files there are: for who checks the
 * whole. Blocks; a chain that does not serve is waited for as long as a write would.
 */
public final class ChainChunks {
  private final ClusterFileSystem fileSystem;
  private final DataPlane plane;

  ChainChunks(ClusterFileSystem fileSystem, DataPlane plane) {
    this.fileSystem = fileSystem;
    this.plane = plane;
  }

  /** Chunks in the order of their numbers, removed ones included. */
  public record Page(List<ChunkSummary> chunks, boolean more) {
    public Page {
      chunks = List.copyOf(chunks);
    }
  }

  /** Every chain, by number. */
  public List<ChainId> chains() {
    return fileSystem.routing().chains().keySet().stream()
        .sorted(Comparator.comparingInt(ChainId::value))
        .toList();
  }

  /** Up to {@code limit} chunks after one; after none: from the start. */
  public Page page(ChainId chain, Optional<ChunkId> after, int limit) {
    InventoryReply reply =
        Waiting.on(
            plane.toHead(
                "list chain: chain=" + chain,
                chain,
                to ->
                    new InventoryRequest(to.chain(), to.chainVersion(), to.target(), after, limit),
                InventoryReply.class,
                List.of()));
    if (reply.more() && reply.chunks().isEmpty()) {
      throw new LuciolaException(
          ErrorCode.INTERNAL, "list chain: chain=" + chain + " after=" + after + ": empty page");
    }
    return new Page(reply.chunks(), reply.more());
  }

  /** The length of a chunk as it is now, pending updates done; empty if it is not there. */
  public OptionalInt length(ChainId chain, ChunkId chunk) {
    ChunkListReply reply =
        Waiting.on(
            plane.toHead(
                "find chunk: chunk=" + chunk,
                chain,
                to ->
                    new ChunkListRequest(
                        to.chain(),
                        to.chainVersion(),
                        to.target(),
                        chunk.inode(),
                        chunk.index(),
                        1),
                ChunkListReply.class,
                List.of()));
    return reply.chunks().stream()
        .filter(item -> item.index() == chunk.index())
        .mapToInt(ChunkListReply.Item::chunkBytes)
        .findFirst();
  }

  /** Removes a chunk, whatever file it is of. */
  public void remove(ChainId chain, ChunkId chunk) {
    Waiting.on(fileSystem.updates().send(chain, chunk, new Update.Remove()));
  }

  /** Sets a chunk's length; makes it if it is not there. */
  public void setLength(ChainId chain, ChunkId chunk, int bytes) {
    Waiting.on(fileSystem.updates().send(chain, chunk, new Update.Truncate(bytes)));
  }
}

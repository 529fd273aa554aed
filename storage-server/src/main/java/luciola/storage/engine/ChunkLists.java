package luciola.storage.engine;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;

/** Which chunks there are: of a chain, for resync and scrub; of a file, for its length. */
final class ChunkLists {
  private final ChunkIndex index;
  private final ChunkStates states;

  ChunkLists(ChunkIndex index, ChunkStates states) {
    this.index = index;
    this.states = states;
  }

  /** See {@link ChainContents#inventory}. */
  ChainContents.Inventory inventory(ChainId chain, Optional<ChunkId> after, int limit) {
    Optional<ChunkKey> from =
        after.isPresent()
            ? new ChunkKey(chain, after.get()).next()
            : Optional.of(ChunkKey.first(chain));
    List<ChunkIndex.Entry> page =
        from.map(first -> index.chunks(first, limit + 1)).orElse(List.of()).stream()
            .takeWhile(entry -> entry.chunk().chain().equals(chain))
            .toList();
    List<ChunkSummary> chunks =
        page.stream()
            .limit(limit)
            .map(entry -> VersionRules.summary(entry.chunk().chunk(), states.durable(entry)))
            .filter(summary -> !summary.newest().equals(ChunkVersion.NONE))
            .toList();
    return new ChainContents.Inventory(chunks, page.size() > limit);
  }

  /** See {@link ChainContents#chunks}. */
  List<ChunkListReply.Item> chunks(ChainId chain, InodeId inode, int first, int limit) {
    var from = new ChunkKey(chain, new ChunkId(inode, first));
    var found = new TreeMap<ChunkKey, ChunkRecord>();
    Optional<ChunkKey> next = Optional.of(from);
    while (next.isPresent() && found.size() < limit) {
      List<ChunkIndex.Entry> page = index.chunks(next.get(), limit);
      page.stream()
          .filter(entry -> isOf(entry.chunk(), chain, inode) && entry.record().exists())
          .forEach(entry -> found.put(entry.chunk(), entry.record()));
      boolean last = page.size() < limit || !isOf(page.getLast().chunk(), chain, inode);
      next = last ? Optional.empty() : page.getLast().chunk().next();
    }
    states
        .changing(from)
        .forEach((chunk, record) -> {
          if (isOf(chunk, chain, inode)) {
            found.put(chunk, record);
          }
        });
    return found.entrySet().stream()
        .filter(each -> each.getValue().exists())
        .limit(limit)
        .map(each -> new ChunkListReply.Item(each.getKey().chunk().index(), newestBytes(each)))
        .toList();
  }

  private static boolean isOf(ChunkKey chunk, ChainId chain, InodeId inode) {
    return chunk.chain().equals(chain) && chunk.chunk().inode().equals(inode);
  }

  private static int newestBytes(Map.Entry<ChunkKey, ChunkRecord> entry) {
    return entry.getValue().newest().map(VersionRecord::chunkBytes).orElse(0);
  }
}

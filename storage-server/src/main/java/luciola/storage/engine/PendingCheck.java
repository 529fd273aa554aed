package luciola.storage.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.PendingEntry;
import luciola.storage.index.VersionRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * At open: finds pending versions whose record was durable before their bytes were. Nobody was told
 * that they are held, so they are dropped. Versions of batches whose bytes were durable are left
 * alone, whatever they look like: what is wrong with them is for the repair.
 */
final class PendingCheck {
  private static final Logger log = LoggerFactory.getLogger(PendingCheck.class);
  private static final int PAGE = 1024;

  private final ChunkIndex index;
  private final VersionReader reader;
  private final long flushed;

  PendingCheck(ChunkIndex index, VersionReader reader, long flushed) {
    this.index = index;
    this.reader = reader;
    this.flushed = flushed;
  }

  /** A version that is to be dropped, and with it all later ones. */
  record Torn(ChunkKey chunk, VersionRecord version) {}

  List<Torn> run() {
    var torn = new ArrayList<Torn>();
    List<PendingEntry> page = index.pending(ChunkKey.first(new ChainId(1)), PAGE);
    while (!page.isEmpty()) {
      for (PendingEntry each : page) {
        if (each.batch() > flushed) {
          first(each).ifPresent(version -> torn.add(new Torn(each.chunk(), version)));
        }
      }
      Optional<ChunkKey> next = page.getLast().chunk().next();
      page = next.isPresent() ? index.pending(next.get(), PAGE) : List.of();
    }
    return torn;
  }

  private Optional<VersionRecord> first(PendingEntry entry) {
    return index.chunk(entry.chunk()).pending().stream()
        .filter(version -> version.version().compareTo(entry.from()) >= 0)
        .filter(version -> isTorn(entry.chunk(), version))
        .findFirst();
  }

  private boolean isTorn(ChunkKey chunk, VersionRecord version) {
    try {
      return reader.firstBadGranule(version) >= 0;
    } catch (IOException e) {
      log.warn("pending version cannot be read chunk={} {}", chunk, version.version(), e);
      return true;
    }
  }
}

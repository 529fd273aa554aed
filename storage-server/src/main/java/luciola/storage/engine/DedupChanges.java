package luciola.storage.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ClientId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.DedupEntry;

/**
 * What one group commit does to dedup records, as if its items were written one after the other: a
 * record that was dropped and came again in the same group is kept.
 */
final class DedupChanges {
  private static final int PAGE = 1024;

  private final ChunkIndex index;
  private final Map<Channel, Change> changes = new LinkedHashMap<>();

  private record Channel(ChainId chain, ClientId client, int number) {
    static Channel of(DedupEntry entry) {
      UpdateTag tag = entry.dedup().tag();
      return new Channel(entry.chain(), tag.client(), tag.channel());
    }
  }

  private record Change(DedupEntry entry, boolean kept) {}

  DedupChanges(ChunkIndex index) {
    this.index = index;
  }

  /** Keeps a record unless its channel has a newer one. */
  void keep(DedupEntry entry) {
    boolean newer = current(entry).filter(held -> sequence(held) > sequence(entry)).isPresent();
    if (!newer) {
      changes.put(Channel.of(entry), new Change(entry, true));
    }
  }

  /** Forgets a record unless its channel went on since. */
  void expire(DedupEntry entry) {
    if (current(entry).filter(held -> sequence(held) == sequence(entry)).isPresent()) {
      changes.put(Channel.of(entry), new Change(entry, false));
    }
  }

  /** Forgets the records of versions that are no longer held. Rare: looks at all of the chain. */
  void drop(CommitLoop.Dropped dropped) {
    for (Change change : List.copyOf(changes.values())) {
      if (change.kept() && dropped.covers(change.entry())) {
        changes.put(Channel.of(change.entry()), new Change(change.entry(), false));
      }
    }
    ChainId chain = dropped.chunk().chain();
    List<DedupEntry> page = index.dedups(chain, Optional.empty(), PAGE);
    while (!page.isEmpty()) {
      for (DedupEntry entry : page) {
        if (dropped.covers(entry)) {
          changes.putIfAbsent(Channel.of(entry), new Change(entry, false));
        }
      }
      page = index.dedups(chain, Optional.of(page.getLast().dedup().tag()), PAGE);
    }
  }

  List<DedupEntry> kept() {
    return withKept(true);
  }

  List<DedupEntry> forgotten() {
    return withKept(false);
  }

  private List<DedupEntry> withKept(boolean kept) {
    var entries = new ArrayList<DedupEntry>();
    for (Change change : changes.values()) {
      if (change.kept() == kept) {
        entries.add(change.entry());
      }
    }
    return entries;
  }

  private Optional<DedupEntry> current(DedupEntry entry) {
    Change change = changes.get(Channel.of(entry));
    if (change != null) {
      return change.kept() ? Optional.of(change.entry()) : Optional.empty();
    }
    UpdateTag tag = entry.dedup().tag();
    return index.dedup(entry.chain(), tag.client(), tag.channel());
  }

  private static long sequence(DedupEntry entry) {
    return entry.dedup().tag().sequence();
  }
}

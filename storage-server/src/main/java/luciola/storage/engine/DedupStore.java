package luciola.storage.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ClientId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.DedupEntry;

/** The last update of each client channel, as it is stored with the chunks. */
final class DedupStore {
  private static final int PAGE = 4096;

  private final ChunkIndex index;
  private final CommitLoop loop;
  private final Ledger ledger;

  DedupStore(ChunkIndex index, CommitLoop loop, Ledger ledger) {
    this.index = index;
    this.loop = loop;
    this.ledger = ledger;
  }

  /** A record as written now. */
  DedupEntry entry(ChainId chain, DedupRecord record) {
    return new DedupEntry(chain, record, ledger.ageSeconds());
  }

  Optional<DedupRecord> find(ChainId chain, ClientId client, int channel) {
    return index.dedup(chain, client, channel).map(DedupEntry::dedup);
  }

  List<DedupRecord> list(ChainId chain, Optional<UpdateTag> after, int limit) {
    return index.dedups(chain, after, limit).stream().map(DedupEntry::dedup).toList();
  }

  /** See {@link ChainContents#putDedups}. */
  CompletableFuture<Boolean> put(ChainId chain, List<DedupRecord> records) {
    List<DedupEntry> newer =
        records.stream()
            .filter(record -> isNews(chain, record))
            .map(record -> entry(chain, record))
            .toList();
    return write(newer, List.of());
  }

  private boolean isNews(ChainId chain, DedupRecord record) {
    return find(chain, record.tag().client(), record.tag().channel())
        .map(held -> held.tag().sequence() < record.tag().sequence())
        .orElse(true);
  }

  /** See {@link ChainContents#expireDedups}. */
  CompletableFuture<Boolean> expire(ChainId chain, long keepSeconds, int limit) {
    long now = ledger.ageSeconds();
    var old = new ArrayList<DedupEntry>();
    List<DedupEntry> page = index.dedups(chain, Optional.empty(), PAGE);
    while (!page.isEmpty() && old.size() < limit) {
      page.stream()
          .filter(each -> now - each.writtenSeconds() >= keepSeconds)
          .limit(limit - old.size())
          .forEach(old::add);
      page = index.dedups(chain, Optional.of(page.getLast().dedup().tag()), PAGE);
    }
    return write(List.of(), old);
  }

  /** Forgets some of a chain's records; false if there is none. */
  CompletableFuture<Boolean> forgetSome(ChainId chain, int limit) {
    List<DedupEntry> some = index.dedups(chain, Optional.empty(), limit);
    return some.isEmpty() ? CompletableFuture.completedFuture(false) : write(List.of(), some);
  }

  private CompletableFuture<Boolean> write(List<DedupEntry> kept, List<DedupEntry> expired) {
    var result = new CompletableFuture<Boolean>();
    loop.put(
        CommitLoop.Item.of(
            kept,
            expired,
            failed -> RecordChanges.complete(result, "write dedup records", failed)));
    return result;
  }
}

package luciola.storage.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.NoSpaceException;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.DedupEntry;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/** Takes updates from their call to their durability, and drops those that are discarded. */
final class Staging {
  private final String name;
  private final ChunkStates states;
  private final CommitLoop loop;
  private final BlockStore blocks;
  private final Writers writers;
  private final VersionMaker maker;
  private final StageLimit underWay;
  private final DedupStore dedups;
  private final ConcurrentHashMap<ChunkKey, List<Ticket>> staging = new ConcurrentHashMap<>();

  Staging(
      String name,
      ChunkStates states,
      CommitLoop loop,
      BlockStore blocks,
      Writers writers,
      VersionMaker maker,
      StageLimit underWay,
      DedupStore dedups) {
    this.name = name;
    this.states = states;
    this.loop = loop;
    this.blocks = blocks;
    this.writers = writers;
    this.maker = maker;
    this.underWay = underWay;
    this.dedups = dedups;
  }

  /** An update between its call and its durability. Guarded by the chunk's lock. */
  private static final class Ticket {
    final ChunkVersion version;
    boolean dropped;

    Ticket(ChunkVersion version) {
      this.version = version;
    }
  }

  /** See {@link ChunkEngine#stage}. */
  CompletableFuture<Staged> stage(ChunkUpdate update) {
    var ticket = new Ticket(update.version());
    ChunkKey chunk = update.chunk();
    states.locked(chunk, () -> staging.computeIfAbsent(chunk, _ -> new ArrayList<>()).add(ticket));
    var result = new CompletableFuture<Staged>();
    try {
      writers.execute(chunk, writer -> stage(writer, update, ticket, result));
    } catch (LuciolaException e) {
      finish(chunk, ticket);
      result.completeExceptionally(e);
    }
    return result;
  }

  /** The update is done with; whether it was not discarded. */
  private boolean finish(ChunkKey chunk, Ticket ticket) {
    return states.locked(
        chunk,
        () -> {
          staging.computeIfPresent(
              chunk,
              (_, tickets) -> {
                tickets.remove(ticket);
                return tickets.isEmpty() ? null : tickets;
              });
          return !ticket.dropped;
        });
  }

  private void stage(
      VersionWriter writer, ChunkUpdate update, Ticket ticket, CompletableFuture<Staged> result) {
    underWay.enter();
    try {
      checkHealthy();
      checkWanted(update, ticket);
      VersionWriter.Written written = maker.make(writer, update);
      queue(update, ticket, written, result);
      if (written.isSmall() && writers.isAlone(update.chunk())) {
        loop.commitHere();
      } else {
        loop.wake();
      }
    } catch (IOException | RuntimeException e) {
      underWay.leave();
      finish(update.chunk(), ticket);
      result.completeExceptionally(asFault(update.chunk(), e));
    }
  }

  private void checkHealthy() {
    loop.failure()
        .ifPresent(cause -> {
          throw new LuciolaException(
              ErrorCode.DISK_ERROR, "disk failed before: engine=" + name, cause);
        });
  }

  private void checkWanted(ChunkUpdate update, Ticket ticket) {
    if (states.locked(update.chunk(), () -> ticket.dropped)) {
      throw discarded(update.chunk(), update.version());
    }
  }

  private static LuciolaException discarded(ChunkKey chunk, ChunkVersion version) {
    return new LuciolaException(
        ErrorCode.CANCELLED, "discarded: chunk=" + chunk + " version=" + version);
  }

  private LuciolaException asFault(ChunkKey chunk, Exception e) {
    return switch (e) {
      case LuciolaException fault -> fault;
      case NoSpaceException full ->
          new LuciolaException(ErrorCode.NO_SPACE, "stage: chunk=" + chunk, full);
      case IOException broken -> {
        loop.fail(broken);
        yield new LuciolaException(ErrorCode.DISK_ERROR, "stage: chunk=" + chunk, broken);
      }
      default -> new LuciolaException(ErrorCode.INTERNAL, "stage: chunk=" + chunk, e);
    };
  }

  private void queue(
      ChunkUpdate update,
      Ticket ticket,
      VersionWriter.Written written,
      CompletableFuture<Staged> result) {
    VersionRecord made = written.version().withTag(update.tag());
    ChunkKey chunk = update.chunk();
    List<DedupEntry> entries =
        update.tag().stream()
            .map(tag -> new DedupRecord(tag, chunk.chunk(), made.version(), made.chunkBytes()))
            .map(record -> dedups.entry(chunk.chain(), record))
            .toList();
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          if (ticket.dropped) {
            written.fresh().forEach(blocks::release);
            throw discarded(chunk, update.version());
          }
          var change = new ChunkChange(chunk, before, after(update, before, made));
          states.change(chunk, change.after(), made);
          loop.add(
              new CommitLoop.Item(
                  written.bytes(),
                  Optional.of(change),
                  entries,
                  List.of(),
                  Optional.empty(),
                  Optional.empty(),
                  true,
                  failed -> staged(chunk, ticket, made, result, failed)));
          return true;
        });
  }

  private static ChunkRecord after(ChunkUpdate update, ChunkRecord before, VersionRecord made) {
    if (update.committed()) {
      return new ChunkRecord(made, List.of());
    }
    return update.update() instanceof Update.Replace
        ? VersionRules.replaced(before, made)
        : VersionRules.staged(before, made);
  }

  private void staged(
      ChunkKey chunk,
      Ticket ticket,
      VersionRecord made,
      CompletableFuture<Staged> result,
      @Nullable IOException failed) {
    underWay.leave();
    boolean wanted = finish(chunk, ticket);
    if (failed == null) {
      states.written(chunk, made);
    }
    if (!wanted) {
      result.completeExceptionally(discarded(chunk, made.version()));
    } else if (failed == null) {
      result.complete(
          new Staged(
              made.version(),
              made.chunkBytes(),
              VersionRules.checksum(made.granules()),
              loop.tellsLone()));
    } else {
      result.completeExceptionally(
          new LuciolaException(ErrorCode.DISK_ERROR, "stage: chunk=" + chunk, failed));
    }
  }

  /** A chain's chunks with updates on their way to the disk. */
  List<ChunkKey> chunks(ChainId chain) {
    return staging.keySet().stream().filter(chunk -> chunk.chain().equals(chain)).toList();
  }

  /** Whether updates of a chunk are on their way to the disk. Under the chunk's lock. */
  boolean isStaging(ChunkKey chunk) {
    return staging.containsKey(chunk);
  }

  /** See {@link ChunkEngine#discard}. */
  void discard(ChunkKey chunk, ChunkVersion from) {
    states.locked(
        chunk,
        () -> {
          staging.getOrDefault(chunk, List.of()).stream()
              .filter(ticket -> ticket.version.compareTo(from) >= 0)
              .forEach(ticket -> ticket.dropped = true);
          ChunkRecord before = states.current(chunk);
          ChunkRecord after = VersionRules.discarded(before, from);
          if (after.pending().size() < before.pending().size()) {
            states.change(chunk, after, null);
            loop.put(
                CommitLoop.Item.of(
                        new ChunkChange(chunk, before, after),
                        true,
                        failed -> states.settled(chunk, failed))
                    .dropping(new CommitLoop.Dropped(chunk, from)));
          }
          return true;
        });
  }
}

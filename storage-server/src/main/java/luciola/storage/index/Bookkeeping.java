package luciola.storage.index;

import java.util.List;
import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.storage.disk.GroupImage;

/**
 * What follows from the records and is stored beside them, so that nobody must read all of them:
 * changes to be written with the records that cause them.
 *
 * @param groups groups of blocks; one without blocks is forgotten
 * @param pending chunks that have pending versions
 * @param settled chunks that have none any more
 * @param tombstones chunks whose committed version is a removal
 * @param revived chunks whose committed version is none any more
 * @param chains totals of chains
 * @param gone chains of which nothing is left
 * @param target state of the target
 */
public record Bookkeeping(
    List<GroupImage> groups,
    List<PendingEntry> pending,
    List<ChunkKey> settled,
    List<Tombstone> tombstones,
    List<ChunkKey> revived,
    List<ChainTotals> chains,
    List<ChainId> gone,
    Optional<TargetTotals> target) {
  /** Nothing changes. */
  public static final Bookkeeping NONE =
      new Bookkeeping(
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          Optional.empty());

  public Bookkeeping {
    groups = List.copyOf(groups);
    pending = List.copyOf(pending);
    settled = List.copyOf(settled);
    tombstones = List.copyOf(tombstones);
    revived = List.copyOf(revived);
    chains = List.copyOf(chains);
    gone = List.copyOf(gone);
  }
}

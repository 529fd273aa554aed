package luciola.storage.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;

/**
 * How what is known of a chunk changes. Pure.
 *
 * <p>Versions that share a block only grow: each is at least as long as the one before it, and what
 * the shorter one holds is never written again.
 */
final class VersionRules {
  private VersionRules() {}

  /** After staging the next version. */
  static ChunkRecord staged(ChunkRecord record, VersionRecord made) {
    var pending = new ArrayList<>(record.pending());
    pending.add(made);
    return new ChunkRecord(record.committed(), pending);
  }

  /** After staging a version that replaces this one and all later ones. */
  static ChunkRecord replaced(ChunkRecord record, VersionRecord made) {
    var pending =
        new ArrayList<>(
            record.pending().stream()
                .filter(each -> each.version().compareTo(made.version()) < 0)
                .toList());
    pending.add(made);
    return new ChunkRecord(record.committed(), pending);
  }

  /** After committing a pending version and with it all before; empty if it is not pending. */
  static Optional<ChunkRecord> committed(
      ChunkRecord record, ChunkVersion version, int chainVersion) {
    List<VersionRecord> pending = record.pending();
    for (int i = pending.size() - 1; i >= 0; i--) {
      if (pending.get(i).version().equals(version)) {
        return Optional.of(
            new ChunkRecord(
                pending.get(i).committedBy(chainVersion), pending.subList(i + 1, pending.size())));
      }
    }
    return Optional.empty();
  }

  /** After dropping pending versions from one on. */
  static ChunkRecord discarded(ChunkRecord record, ChunkVersion from) {
    return new ChunkRecord(
        record.committed(),
        record.pending().stream().filter(each -> each.version().compareTo(from) < 0).toList());
  }

  /** After what versions have in one block was written to another. */
  static ChunkRecord moved(ChunkRecord record, BlockRef from, BlockRef to) {
    VersionRecord committed = record.committed();
    return new ChunkRecord(
        committed == null ? null : committed.moved(from, to),
        record.pending().stream().map(each -> each.moved(from, to)).toList());
  }

  /**
   * After bytes of some versions were written anew, each as a whole to a block of its own; of those
   * versions that still are where they were.
   */
  static ChunkRecord restored(ChunkRecord record, Map<VersionRecord, BlockRef> to) {
    VersionRecord committed = record.committed();
    return new ChunkRecord(
        committed == null ? null : restored(committed, to),
        record.pending().stream().map(each -> restored(each, to)).toList());
  }

  private static VersionRecord restored(VersionRecord version, Map<VersionRecord, BlockRef> to) {
    return to.entrySet().stream()
        .filter(each -> sameBytes(each.getKey(), version))
        .findFirst()
        .map(each -> version.whollyIn(each.getValue()))
        .orElse(version);
  }

  /** It may have become the committed one meanwhile. */
  private static boolean sameBytes(VersionRecord one, VersionRecord other) {
    return one.version().equals(other.version())
        && one.blocks().equals(other.blocks())
        && Arrays.equals(one.granules(), other.granules());
  }

  /** Blocks that nothing of the chunk lies in any more. */
  static List<BlockRef> freed(ChunkRecord before, ChunkRecord after) {
    return onlyIn(before, after);
  }

  /** Blocks that something of the chunk lies in now, and nothing did before. */
  static List<BlockRef> named(ChunkRecord before, ChunkRecord after) {
    return onlyIn(after, before);
  }

  /** Versions of a chunk share most of their blocks: only what differs is looked at closely. */
  private static List<BlockRef> onlyIn(ChunkRecord one, ChunkRecord other) {
    List<VersionRecord> others = other.versions().toList();
    var only = new LinkedHashSet<BlockRef>();
    one.versions()
        .forEach(version -> {
          List<BlockRef> rest =
              others.isEmpty() ? version.blocks() : version.blocksUnlike(others.getLast());
          for (BlockRef block : rest) {
            if (others.stream().noneMatch(each -> each.liesIn(block))) {
              only.add(block);
            }
          }
        });
    return List.copyOf(only);
  }

  /** CRC32C over the granule checksums. */
  static int checksum(int[] granules) {
    ByteBuffer bytes =
        ByteBuffer.allocate(granules.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(granules);
    var crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  static ChunkSummary summary(ChunkId chunk, ChunkRecord record) {
    ChunkVersion newest = record.newest().map(VersionRecord::version).orElse(ChunkVersion.NONE);
    VersionRecord committed = record.committed();
    return committed == null
        ? new ChunkSummary(chunk, ChunkVersion.NONE, newest, 0, false, 0, 0)
        : new ChunkSummary(
            chunk,
            committed.version(),
            newest,
            committed.chainVersion(),
            committed.removed(),
            committed.chunkBytes(),
            checksum(committed.granules()));
  }
}

package luciola.storage.engine;

import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.TreeMap;
import luciola.protocol.frame.Granules;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;

/**
 * What the versions of a chunk read from one of its blocks. Of versions in one block each reads at
 * least as much of a granule there as the one before, so the last one's checksum covers it; but a
 * later version may have a granule elsewhere.
 *
 * @param granules by the first byte in the block
 */
record BlockUse(Collection<Granule> granules) {
  /** A granule in the block. */
  record Granule(int offset, int bytes, int checksum) {}

  static BlockUse of(ChunkRecord record, BlockRef block) {
    var found = new TreeMap<Integer, Granule>();
    record
        .versions()
        .forEach(version -> {
          if (block.equals(version.block())) {
            for (int i = 0; i < version.granules().length; i++) {
              if (version.patches().at(i) == null) {
                add(version, i, i * Granules.BYTES, found);
              }
            }
          }
          for (int i = 0; i < version.patches().count(); i++) {
            if (version.patches().block(i).equals(block)) {
              add(version, version.patches().granule(i), 0, found);
            }
          }
        });
    return new BlockUse(found.values());
  }

  private static void add(
      VersionRecord version, int granule, int offset, TreeMap<Integer, Granule> found) {
    found.put(
        offset, new Granule(offset, version.granuleBytes(granule), version.granules()[granule]));
  }

  /** End of the last byte that is read. */
  int bytes() {
    return granules.stream().mapToInt(each -> each.offset() + each.bytes()).max().orElse(0);
  }

  /** Whether what is read is what was written. */
  boolean isGood(MemorySegment block) {
    return granules.stream()
        .allMatch(
            each -> Granules.crc(block.asSlice(each.offset(), each.bytes())) == each.checksum());
  }
}

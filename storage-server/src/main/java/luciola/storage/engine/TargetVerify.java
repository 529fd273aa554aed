package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChainId;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.StoredBlocks;
import luciola.storage.disk.TargetDirectory;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.KeyValues;
import luciola.storage.index.PendingEntry;
import luciola.storage.index.SmallBytes;
import luciola.storage.index.VersionRecord;
import luciola.storage.journal.JournaledKeyValues;

/**
 * Verifies a target whose server does not run: its metadata against itself, as {@link
 * ChunkEngine#verify} does, and every byte of every version against its checksum, from the device.
 * Reads only; what an opening would repair by itself (bytes that are still kept in the metadata,
 * pending versions that never became durable) is taken as it would be then.
 */
public final class TargetVerify {
  private static final int PAGE = 1024;
  private static final int PROBLEMS_MAX = 100;
  private static final int SMALL_MAX = 1 << 20;
  private static final long CACHE_BYTES = 64L << 20;

  private final ChunkIndex index;
  private final StoredBlocks blocks;
  private final LongConsumer progress;
  private final MemorySegment buffer;
  private final TreeMap<SmallBytes.Place, byte[]> small = new TreeMap<>();
  private final List<String> problems = new ArrayList<>();
  private final long flushed;
  private long found;
  private long chunks;
  private long versions;
  private long bytes;
  private long undone;

  private TargetVerify(
      ChunkIndex index, StoredBlocks blocks, MemorySegment buffer, LongConsumer progress) {
    this.index = index;
    this.blocks = blocks;
    this.buffer = buffer;
    this.progress = progress;
    this.flushed = index.totals().flushed();
    index.smallBytes(SMALL_MAX).forEach(each -> small.put(each.place(), each.bytes()));
  }

  /**
   * What was found.
   *
   * @param target the target's number; 0 if it never had one
   * @param cluster its cluster; 0 if it is of none yet
   * @param chunks records, those of removed chunks included
   * @param versions committed and pending ones
   * @param blocks that records name
   * @param bytes of versions that were compared with their checksums
   * @param neverDurable pending versions whose bytes are not there and need not be: they are
   *     dropped when the target is opened
   * @param found how many problems
   * @param problems in words, the first of them
   */
  public record Report(
      long target,
      long cluster,
      long chunks,
      long versions,
      long blocks,
      long bytes,
      long neverDurable,
      long found,
      List<String> problems) {
    public Report {
      problems = List.copyOf(problems);
    }
  }

  /**
   * Verifies the target in a directory.
   *
   * @param progress is given the bytes of each piece that was read
   * @throws LuciolaException NOT_FOUND, INVALID_ARGUMENT if a server has it open, FORMAT_TOO_NEW,
   *     UNSUPPORTED for an older format, CORRUPT_DATA if nothing can be looked at
   */
  public static Report run(Path path, LongConsumer progress) throws IOException {
    try (TargetDirectory directory = TargetDirectory.existing(path);
        KeyValues store = JournaledKeyValues.openToRead(path, CACHE_BYTES);
        ChunkIndex index = ChunkIndex.openToRead(store);
        StoredBlocks blocks = new StoredBlocks(path.resolve("blocks"));
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(VersionWriter.PIECE_BYTES, BlockClass.PAGE_BYTES);
      var verify = new TargetVerify(index, blocks, buffer, progress);
      CheckReport books = verify.books();
      verify.contents();
      return new Report(
          directory.number("target"),
          directory.number("cluster"),
          verify.chunks,
          verify.versions,
          books.blocks(),
          verify.bytes,
          verify.undone,
          verify.found,
          verify.problems);
    }
  }

  private void problem(String words) {
    found++;
    if (problems.size() < PROBLEMS_MAX) {
      problems.add(words);
    }
  }

  private CheckReport books() {
    try {
      CheckReport report = TargetCheck.run(index);
      report.problems().forEach(words -> problem("metadata: " + words));
      return report;
    } catch (LuciolaException | IllegalArgumentException unreadable) {
      problem("metadata cannot be read: " + unreadable.getMessage());
      return new CheckReport(0, 0, List.of());
    }
  }

  private void contents() {
    try {
      ChunkKey from = ChunkKey.first(new ChainId(1));
      List<ChunkIndex.Entry> page = index.chunks(from, PAGE);
      while (!page.isEmpty()) {
        page.forEach(this::chunk);
        Optional<ChunkKey> next = page.getLast().chunk().next();
        page = next.isPresent() ? index.chunks(next.get(), PAGE) : List.of();
      }
    } catch (LuciolaException | IllegalArgumentException unreadable) {
      problem("records cannot be read: " + unreadable.getMessage());
    }
  }

  private void chunk(ChunkIndex.Entry entry) {
    chunks++;
    boolean torn = false;
    for (VersionRecord version : entry.record().versions().toList()) {
      versions++;
      String wrong = wrongWith(version);
      if (!wrong.isEmpty() && (torn || mayBeTorn(entry, version))) {
        // With it go all later ones.
        torn = true;
        undone++;
      } else if (!wrong.isEmpty()) {
        problem(
            "chunk="
                + entry.chunk()
                + " version="
                + version.version()
                + (entry.record().pending().contains(version) ? " pending" : " committed")
                + " "
                + wrong);
      }
    }
  }

  /** As {@link PendingCheck} decides when a target is opened. */
  private boolean mayBeTorn(ChunkIndex.Entry entry, VersionRecord version) {
    if (!entry.record().pending().contains(version)) {
      return false;
    }
    List<PendingEntry> noted = index.pending(entry.chunk(), 1);
    return !noted.isEmpty()
        && noted.getFirst().chunk().equals(entry.chunk())
        && noted.getFirst().batch() > flushed
        && version.version().compareTo(noted.getFirst().from()) >= 0;
  }

  /** What is wrong with a version's bytes, in words with the place; empty if nothing is. */
  private String wrongWith(VersionRecord version) {
    for (int at = 0; at < version.chunkBytes(); at += VersionWriter.PIECE_BYTES) {
      int end = Math.min(at + VersionWriter.PIECE_BYTES, version.chunkBytes());
      for (VersionRecord.Extent each : version.extents(at, end)) {
        try {
          read(each, at);
        } catch (IOException e) {
          return "cannot be read: " + place(each, each.from()) + " " + e.getMessage();
        }
      }
      int first = at / Granules.BYTES;
      int count = Granules.count(at, end - at);
      int bad =
          Granules.firstMismatch(
              at,
              buffer.asSlice(0, end - at),
              java.util.Arrays.copyOfRange(version.granules(), first, first + count));
      if (bad >= 0) {
        int from = (first + bad) * Granules.BYTES;
        return "has other bytes than were written: granule="
            + (first + bad)
            + " "
            + place(version.extents(from, from + 1).getFirst(), from);
      }
      bytes += end - at;
      progress.accept(end - at);
    }
    return "";
  }

  private static String place(VersionRecord.Extent extent, int at) {
    return "block_bytes="
        + extent.blockClass().blockBytes()
        + " position="
        + (extent.position() + at - extent.from());
  }

  private void read(VersionRecord.Extent extent, int pieceFrom) throws IOException {
    MemorySegment into =
        buffer.asSlice(extent.from() - pieceFrom, BlockClass.pageCeiling(extent.bytes()));
    blocks.read(extent.blockClass(), extent.position(), into);
    long end = extent.position() + into.byteSize();
    // Pages that are not flushed yet count as the metadata has them. None is longer than an update.
    long earliest = Math.max(0, extent.position() - SmallWrites.BYTES_MAX);
    Map<SmallBytes.Place, byte[]> kept =
        small.subMap(
            new SmallBytes.Place(extent.blockClass(), earliest),
            new SmallBytes.Place(extent.blockClass(), end));
    kept.forEach((place, pages) -> {
      long from = Math.max(place.position(), extent.position());
      long to = Math.min(place.position() + pages.length, end);
      if (from < to) {
        MemorySegment.copy(
            MemorySegment.ofArray(pages),
            from - place.position(),
            into,
            from - extent.position(),
            to - from);
      }
    });
  }
}

package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.NoSpaceException;
import luciola.storage.index.Patches;
import luciola.storage.index.SmallBytes;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/**
 * Writes the bytes of a new version, in one of three ways (what is committed is never written
 * again):
 *
 * <ul>
 *   <li>One that only adds past the last page of the old one goes on in the same block, where it
 *       fits.
 *   <li>One that changes little of a long chunk shares the old one's blocks, but for the granules
 *       that it changes: these become {@link Patches}.
 *   <li>Every other one goes into a new block as a whole; so does one that would have too many
 *       patches.
 * </ul>
 *
 * <p>Used by one thread at a time; owns a buffer of one piece.
 */
final class VersionWriter {
  /** Bytes written at once: a whole number of granules and of pages. */
  static final int PIECE_BYTES = 1 << 20;

  private final BlockStore blocks;
  private final ImageBytes source;
  private final int rewriteBytesMax;
  private final int patchesMax;

  /**
   * Makes a writer.
   *
   * @param buffer page-aligned, {@link #PIECE_BYTES} long
   */
  VersionWriter(BlockStore blocks, MemorySegment buffer, EngineConfig config) {
    this.blocks = blocks;
    this.source = new ImageBytes(blocks, buffer);
    this.rewriteBytesMax = config.rewriteBytesMax();
    this.patchesMax = config.patchesMax();
  }

  /**
   * A version whose bytes are in their blocks.
   *
   * @param bytes what was written, to be flushed; empty where nothing was
   * @param fresh blocks that were taken for it
   */
  record Written(VersionRecord version, Optional<Bytes> bytes, List<BlockRef> fresh) {
    /** Whether no file needs to be flushed for it. */
    boolean isSmall() {
      return bytes.isEmpty() || !bytes.get().small().isEmpty();
    }

    static Written nothing(VersionRecord version) {
      return new Written(version, Optional.empty(), List.of());
    }
  }

  /**
   * Bytes that were written and are not durable yet.
   *
   * @param classes whose files they are in
   * @param small all of them, where they are few; none otherwise
   */
  record Bytes(Set<BlockClass> classes, List<SmallBytes> small) {}

  /** Where the bytes of one version go. */
  private final class Output {
    private final boolean few;
    private final Set<BlockClass> classes = new LinkedHashSet<>();
    private final List<SmallBytes> small = new ArrayList<>();

    Output(boolean few) {
      this.few = few;
    }

    void write(BlockRef block, int offset, MemorySegment pages) throws IOException {
      if (pages.byteSize() == 0) {
        return;
      }
      long position = block.position() + offset;
      classes.add(block.blockClass());
      if (few) {
        blocks.file(block).writeCached(position, pages);
        small.add(
            new SmallBytes(
                new SmallBytes.Place(block.blockClass(), position),
                pages.toArray(ValueLayout.JAVA_BYTE)));
      } else {
        blocks.file(block).write(position, pages);
      }
    }

    Optional<Bytes> bytes() {
      return classes.isEmpty() ? Optional.empty() : Optional.of(new Bytes(classes, small));
    }
  }

  /**
   * Writes an image; not flushed.
   *
   * @param base the version it builds on; null if there is none
   * @throws BadBlockException if the base's bytes went bad
   * @throws NoSpaceException if there is no room
   */
  Written write(@Nullable VersionRecord base, Image image, ChunkVersion version, int chainVersion)
      throws IOException {
    if (image.chunkBytes() == 0) {
      return Written.nothing(VersionRecord.empty(version, chainVersion));
    }
    if (base == null || base.block() == null) {
      return whole(null, image, version, chainVersion);
    }
    if (base.chunkBytes() == image.chunkBytes() && image.isOld(0, image.chunkBytes())) {
      return Written.nothing(base.as(version, chainVersion));
    }
    if (appends(base, image)) {
      return append(base, base.block(), image, version, chainVersion);
    }
    boolean patch = mayPatch(base, image, patchesMax);
    try {
      return patch
          ? patched(base, image, version, chainVersion)
          : whole(base, image, version, chainVersion);
    } catch (NoSpaceException e) {
      // The other way needs blocks of another size: there may be room for those.
      if (!patch && !mayPatch(base, image, 2 * patchesMax)) {
        throw e;
      }
      return patch
          ? whole(base, image, version, chainVersion)
          : patched(base, image, version, chainVersion);
    }
  }

  private static boolean fits(VersionRecord base, Image image) {
    BlockRef block = base.block();
    return block != null && image.chunkBytes() <= block.blockClass().blockBytes();
  }

  private static boolean appends(VersionRecord base, Image image) {
    int pagesEnd = BlockClass.pageCeiling(base.chunkBytes());
    return fits(base, image) && image.appendFrom(base.chunkBytes(), pagesEnd) >= 0;
  }

  private boolean mayPatch(VersionRecord base, Image image, int max) {
    int from = image.changedFrom(base.chunkBytes());
    int to = image.changedTo(base.chunkBytes());
    return image.keptBytes() == base.chunkBytes()
        && fits(base, image)
        && image.chunkBytes() > rewriteBytesMax
        && to - from <= SmallWrites.BYTES_MAX
        && base.patches().countWith(from / Granules.BYTES, granulesTo(to)) <= max;
  }

  private static int granulesTo(int bytes) {
    return (bytes + Granules.BYTES - 1) / Granules.BYTES;
  }

  private Written whole(
      @Nullable VersionRecord base, Image image, ChunkVersion version, int chainVersion)
      throws IOException {
    BlockRef block = blocks.allocate(image.chunkBytes());
    try {
      var out = new Output(BlockClass.pageCeiling(image.chunkBytes()) <= SmallWrites.BYTES_MAX);
      var granules = new int[granulesTo(image.chunkBytes())];
      for (int at = 0; at < image.chunkBytes(); at += PIECE_BYTES) {
        int end = Math.min(at + PIECE_BYTES, image.chunkBytes());
        MemorySegment piece = source.piece(base, image, at, end);
        ImageBytes.sum(image, piece, at, end, granules);
        out.write(block, at, piece);
      }
      return new Written(
          new VersionRecord(
              version, chainVersion, false, image.chunkBytes(), block, granules, Optional.empty()),
          out.bytes(),
          List.of(block));
    } catch (IOException | RuntimeException e) {
      blocks.release(block);
      throw e;
    }
  }

  private Written append(
      VersionRecord base, BlockRef block, Image image, ChunkVersion version, int chainVersion)
      throws IOException {
    int writeFrom = BlockClass.pageCeiling(base.chunkBytes());
    int last = base.chunkBytes() / Granules.BYTES;
    // The old version's last granule grows, if only by zeros: it is summed anew.
    int from = last * Granules.BYTES;
    // If it is patched, it goes on in its patch.
    BlockRef lastIn = base.patches().at(last);
    var granules = Arrays.copyOf(base.granules(), granulesTo(image.chunkBytes()));
    var out =
        new Output(BlockClass.pageCeiling(image.chunkBytes()) - writeFrom <= SmallWrites.BYTES_MAX);
    for (int at = from; at < image.chunkBytes(); at += PIECE_BYTES) {
      int end = Math.min(at + PIECE_BYTES, image.chunkBytes());
      MemorySegment piece = source.piece(base, image, at, end);
      ImageBytes.sum(image, piece, at, end, granules);
      int pageEnd = BlockClass.pageCeiling(end);
      int start = Math.min(Math.max(at, writeFrom), pageEnd);
      int split = Math.clamp(lastIn == null ? start : from + Granules.BYTES, start, pageEnd);
      if (lastIn != null) {
        out.write(lastIn, start - from, piece.asSlice(start - at, split - start));
      }
      out.write(block, split, piece.asSlice(split - at, pageEnd - split));
    }
    return new Written(
        new VersionRecord(
            version,
            chainVersion,
            false,
            image.chunkBytes(),
            block,
            base.patches(),
            granules,
            Optional.empty()),
        out.bytes(),
        List.of());
  }

  private Written patched(VersionRecord base, Image image, ChunkVersion version, int chainVersion)
      throws IOException {
    int first = image.changedFrom(base.chunkBytes()) / Granules.BYTES;
    int count = granulesTo(image.changedTo(base.chunkBytes())) - first;
    int from = first * Granules.BYTES;
    int end = Math.min(from + count * Granules.BYTES, image.chunkBytes());
    MemorySegment piece = source.piece(base, image, from, end);
    var granules = Arrays.copyOf(base.granules(), granulesTo(image.chunkBytes()));
    ImageBytes.sum(image, piece, from, end, granules);
    var out = new Output(true);
    var fresh = new ArrayList<BlockRef>(count);
    try {
      for (int at = 0; at < piece.byteSize(); at += Granules.BYTES) {
        fresh.add(blocks.allocate(Granules.BYTES));
        long length = Math.min(Granules.BYTES, piece.byteSize() - at);
        out.write(fresh.getLast(), 0, piece.asSlice(at, length));
      }
      return new Written(
          new VersionRecord(
              version,
              chainVersion,
              false,
              image.chunkBytes(),
              base.block(),
              base.patches().with(first, fresh),
              granules,
              Optional.empty()),
          out.bytes(),
          fresh);
    } catch (IOException | RuntimeException e) {
      fresh.forEach(blocks::release);
      throw e;
    }
  }

  /** Writes a whole chunk as it is into a block; the caller has verified it. Not flushed. */
  BlockRef writeCopy(MemorySegment chunk, VersionRecord of) throws IOException {
    var image = new Image(of.chunkBytes(), 0, 0, chunk, of.granules());
    return whole(null, image, of.version(), of.chainVersion()).fresh().getFirst();
  }

  /** Writes pages as they are to the beginning of a new block of a class. Not flushed. */
  BlockRef writePages(MemorySegment pages, BlockClass blockClass) throws IOException {
    BlockRef block = blocks.allocate(blockClass.blockBytes());
    try {
      for (long at = 0; at < pages.byteSize(); at += PIECE_BYTES) {
        blocks
            .file(block)
            .write(
                block.position() + at,
                pages.asSlice(at, Math.min(PIECE_BYTES, pages.byteSize() - at)));
      }
      return block;
    } catch (IOException | RuntimeException e) {
      blocks.release(block);
      throw e;
    }
  }
}

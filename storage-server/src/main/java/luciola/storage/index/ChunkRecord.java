package luciola.storage.index;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import org.jspecify.annotations.Nullable;

/**
 * Everything a target knows of one chunk: its committed version and the pending ones built on it,
 * oldest first. Stored under key {@code 'C'} + {@link ChunkKey} (20 bytes) as, little-endian:
 *
 * <pre>
 *  0  u8   format: 1, but 2 if some version has patches
 *  1  u8   1 if the first version is committed, else 0
 *  2  u16  number of versions
 *  4       versions, each:
 *     u64  version
 *     u32  chain version
 *     u8   bit 0: removed; bit 1: made by a client's update, whose name follows;
 *          bit 2: has patches (format 2)
 *     u8   block class; 255: no block
 *     u16  zero
 *     u32  block index; 0 without a block
 *     u32  length in bytes
 *     u32  CRC32C of each granule of 16 KiB, the last one possibly shorter
 *     u64  client, u32 channel, u64 sequence: only with bit 1
 *     u16  number of patches, then of each u16 granule, u32 index of its block of 16 KiB, in
 *          order of the granules: only with bit 2
 * </pre>
 *
 * @param committed newest committed version; null if there never was one
 * @param pending staged versions in the order they were staged
 */
public record ChunkRecord(@Nullable VersionRecord committed, List<VersionRecord> pending) {
  /** Nothing is known. */
  public static final ChunkRecord NONE = new ChunkRecord(null, List.of());

  private static final int FORMAT = 1;
  private static final int PATCHED_FORMAT = 2;
  private static final int NO_BLOCK = 255;
  private static final int HEADER_BYTES = 4;
  private static final int VERSION_BYTES = 24;
  private static final int TAG_BYTES = 20;
  private static final int REMOVED = 1;
  private static final int TAGGED = 2;
  private static final int PATCHED = 4;
  private static final int PATCH_BYTES = 6;

  public ChunkRecord {
    pending = List.copyOf(pending);
  }

  public Optional<VersionRecord> committedIfAny() {
    return Optional.ofNullable(committed);
  }

  /** All versions, oldest first. */
  public Stream<VersionRecord> versions() {
    return Stream.concat(Stream.ofNullable(committed), pending.stream());
  }

  /** The version that the next update builds on. */
  public Optional<VersionRecord> newest() {
    return pending.isEmpty() ? committedIfAny() : Optional.of(pending.getLast());
  }

  /** The record of one version; empty if it is not held. */
  public Optional<VersionRecord> find(ChunkVersion version) {
    return versions().filter(each -> each.version().equals(version)).findFirst();
  }

  /** Every block that something of some version lies in. */
  public List<BlockRef> blocks() {
    if (pending.isEmpty()) {
      return committed == null ? List.of() : committed.blocks();
    }
    return versions().flatMap(each -> each.blocks().stream()).distinct().toList();
  }

  /** Whether the chunk exists once everything pending is done. */
  public boolean exists() {
    return newest().map(each -> !each.removed()).orElse(false);
  }

  /** The stored form. */
  public byte[] toBytes() {
    List<VersionRecord> all = versions().toList();
    int size = HEADER_BYTES;
    boolean patched = false;
    for (VersionRecord each : all) {
      size += VERSION_BYTES + Integer.BYTES * each.granules().length;
      size += each.tag().isPresent() ? TAG_BYTES : 0;
      size += each.patches().isEmpty() ? 0 : Short.BYTES + PATCH_BYTES * each.patches().count();
      patched |= !each.patches().isEmpty();
    }
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) (patched ? PATCHED_FORMAT : FORMAT))
        .put((byte) (committed == null ? 0 : 1))
        .putShort((short) all.size());
    all.forEach(each -> write(each, out));
    return out.array();
  }

  private static void write(VersionRecord record, ByteBuffer out) {
    BlockRef block = record.block();
    out.putLong(record.version().value()).putInt(record.chainVersion());
    out.put((byte) flags(record));
    out.put((byte) (block == null ? NO_BLOCK : block.blockClass().number()));
    out.putShort((short) 0);
    out.putInt(block == null ? 0 : block.index()).putInt(record.chunkBytes());
    for (int granule : record.granules()) {
      out.putInt(granule);
    }
    record
        .tag()
        .ifPresent(
            tag -> out.putLong(tag.client().value()).putInt(tag.channel()).putLong(tag.sequence()));
    Patches patches = record.patches();
    if (!patches.isEmpty()) {
      out.putShort((short) patches.count());
      for (int i = 0; i < patches.count(); i++) {
        out.putShort((short) patches.granule(i)).putInt(patches.block(i).index());
      }
    }
  }

  private static int flags(VersionRecord record) {
    return (record.removed() ? REMOVED : 0)
        | (record.tag().isPresent() ? TAGGED : 0)
        | (record.patches().isEmpty() ? 0 : PATCHED);
  }

  /**
   * Reads the stored form.
   *
   * @throws LuciolaException FORMAT_TOO_NEW or CORRUPT_DATA
   */
  public static ChunkRecord fromBytes(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    try {
      int format = in.get();
      if (format != FORMAT && format != PATCHED_FORMAT) {
        throw new LuciolaException(
            ErrorCode.FORMAT_TOO_NEW, "unknown chunk record: format=" + format);
      }
      boolean hasCommitted = in.get() != 0;
      int count = Short.toUnsignedInt(in.getShort());
      var all = new ArrayList<VersionRecord>(count);
      for (int i = 0; i < count; i++) {
        all.add(read(in, format == PATCHED_FORMAT));
      }
      if (in.hasRemaining() || (hasCommitted && all.isEmpty())) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA, "bad chunk record: bytes=" + bytes.length);
      }
      return hasCommitted
          ? new ChunkRecord(all.getFirst(), all.subList(1, count))
          : new ChunkRecord(null, all);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad chunk record: bytes=" + bytes.length, e);
    }
  }

  private static VersionRecord read(ByteBuffer in, boolean mayBePatched) {
    var version = new ChunkVersion(in.getLong());
    int chainVersion = in.getInt();
    int flags = in.get();
    int blockClass = Byte.toUnsignedInt(in.get());
    in.getShort();
    int index = in.getInt();
    int chunkBytes = in.getInt();
    if (chunkBytes < 0 || Granules.count(0, chunkBytes) > in.remaining() / Integer.BYTES) {
      throw new IllegalArgumentException("bad length: chunkBytes=" + chunkBytes);
    }
    var granules = new int[Granules.count(0, chunkBytes)];
    for (int i = 0; i < granules.length; i++) {
      granules[i] = in.getInt();
    }
    BlockRef block =
        blockClass == NO_BLOCK ? null : new BlockRef(new BlockClass(blockClass), index);
    Optional<UpdateTag> tag =
        (flags & TAGGED) == 0
            ? Optional.empty()
            : Optional.of(new UpdateTag(new ClientId(in.getLong()), in.getInt(), in.getLong()));
    Patches patches = (flags & PATCHED) == 0 || !mayBePatched ? Patches.NONE : readPatches(in);
    boolean removed = (flags & REMOVED) != 0;
    return new VersionRecord(
        version, chainVersion, removed, chunkBytes, block, patches, granules, tag);
  }

  private static Patches readPatches(ByteBuffer in) {
    int count = Short.toUnsignedInt(in.getShort());
    if (count > in.remaining() / PATCH_BYTES) {
      throw new IllegalArgumentException("bad number of patches: count=" + count);
    }
    var granules = new int[count];
    var blocks = new int[count];
    for (int i = 0; i < count; i++) {
      granules[i] = Short.toUnsignedInt(in.getShort());
      blocks[i] = in.getInt();
    }
    return Patches.of(granules, blocks);
  }
}

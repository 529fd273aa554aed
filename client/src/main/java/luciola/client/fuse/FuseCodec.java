package luciola.client.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Bytes of the protocol, in the machine's byte order. */
final class FuseCodec {
  static final int REQUEST_HEADER_BYTES = 40;
  static final int REPLY_HEADER_BYTES = 16;

  /** Longest reply without its data. */
  static final int REPLY_BYTES_MAX = 256;

  private static final int ATTRIBUTES_BYTES = 88;
  private static final long SECOND = 1_000_000_000L;

  private FuseCodec() {}

  /** What comes before each operation. */
  record Header(int bytes, int opcode, long unique, long node, int uid, int gid, int pid) {
    static Header of(MemorySegment request) {
      return new Header(
          u32(request, 0),
          u32(request, 4),
          u64(request, 8),
          u64(request, 16),
          u32(request, 24),
          u32(request, 28),
          u32(request, 32));
    }
  }

  private static int u32(MemorySegment at, long offset) {
    return at.get(JAVA_INT_UNALIGNED, offset);
  }

  private static long u64(MemorySegment at, long offset) {
    return at.get(JAVA_LONG_UNALIGNED, offset);
  }

  /**
   * Reads an operation.
   *
   * @param in what follows the header
   * @throws IndexOutOfBoundsException if the request is cut off
   */
  static FuseOperation decode(int opcode, MemorySegment in) {
    return switch (opcode) {
      case FuseOpcode.LOOKUP -> new FuseOperation.Lookup(name(in, 0));
      case FuseOpcode.FORGET ->
          new FuseOperation.Forget(List.of(new FuseOperation.Forgotten(0, u64(in, 0))));
      case FuseOpcode.BATCH_FORGET -> batchForget(in);
      case FuseOpcode.GETATTR ->
          new FuseOperation.GetAttributes(
              (u32(in, 0) & 1) != 0 ? OptionalLong.of(u64(in, 8)) : OptionalLong.empty());
      case FuseOpcode.SETATTR -> new FuseOperation.SetAttributes(change(in));
      case FuseOpcode.READLINK -> new FuseOperation.ReadLink();
      case FuseOpcode.SYMLINK -> {
        FuseName name = name(in, 0);
        yield new FuseOperation.SymbolicLink(name, name(in, name.bytes().length + 1));
      }
      case FuseOpcode.MKNOD -> new FuseOperation.MakeNode(name(in, 16), u32(in, 0), u32(in, 4));
      case FuseOpcode.MKDIR -> new FuseOperation.MakeDirectory(name(in, 8), u32(in, 0));
      case FuseOpcode.UNLINK -> new FuseOperation.Unlink(name(in, 0));
      case FuseOpcode.RMDIR -> new FuseOperation.RemoveDirectory(name(in, 0));
      case FuseOpcode.RENAME -> rename(in, 8, 0);
      case FuseOpcode.RENAME2 -> rename(in, 16, u32(in, 8));
      case FuseOpcode.LINK -> new FuseOperation.Link(u64(in, 0), name(in, 8));
      case FuseOpcode.OPEN -> new FuseOperation.Open(u32(in, 0), (u32(in, 4) & 1) != 0);
      case FuseOpcode.CREATE ->
          new FuseOperation.Create(name(in, 16), u32(in, 4), u32(in, 0), (u32(in, 12) & 1) != 0);
      case FuseOpcode.READ ->
          new FuseOperation.Read(u64(in, 0), u64(in, 8), u32(in, 16), u32(in, 32));
      case FuseOpcode.WRITE ->
          new FuseOperation.Write(
              u64(in, 0),
              u64(in, 8),
              in.asSlice(40, Integer.toUnsignedLong(u32(in, 16))),
              u32(in, 32),
              (u32(in, 20) & 1) != 0,
              (u32(in, 20) & 1 << 2) != 0);
      case FuseOpcode.FLUSH -> new FuseOperation.Flush(u64(in, 0), u64(in, 16));
      case FuseOpcode.RELEASE ->
          new FuseOperation.Release(u64(in, 0), u32(in, 8), (u32(in, 12) & 2) != 0, u64(in, 16));
      case FuseOpcode.FSYNC -> new FuseOperation.Sync(u64(in, 0), (u32(in, 8) & 1) != 0);
      case FuseOpcode.OPENDIR -> new FuseOperation.OpenDirectory(u32(in, 0));
      case FuseOpcode.READDIR ->
          new FuseOperation.ReadDirectory(u64(in, 0), u64(in, 8), u32(in, 16), false);
      case FuseOpcode.READDIRPLUS ->
          new FuseOperation.ReadDirectory(u64(in, 0), u64(in, 8), u32(in, 16), true);
      case FuseOpcode.RELEASEDIR -> new FuseOperation.ReleaseDirectory(u64(in, 0));
      case FuseOpcode.FSYNCDIR -> new FuseOperation.SyncDirectory(u64(in, 0));
      case FuseOpcode.STATFS -> new FuseOperation.FileSystemStatus();
      case FuseOpcode.SETXATTR -> setExtended(in);
      case FuseOpcode.GETXATTR -> new FuseOperation.GetExtended(name(in, 8), u32(in, 0));
      case FuseOpcode.LISTXATTR -> new FuseOperation.ListExtended(u32(in, 0));
      case FuseOpcode.REMOVEXATTR -> new FuseOperation.RemoveExtended(name(in, 0));
      case FuseOpcode.GETLK -> new FuseOperation.GetLock(u64(in, 0), u64(in, 8), lock(in));
      case FuseOpcode.SETLK -> setLock(in, false);
      case FuseOpcode.SETLKW -> setLock(in, true);
      case FuseOpcode.INTERRUPT -> new FuseOperation.Interrupt(u64(in, 0));
      case FuseOpcode.FALLOCATE ->
          new FuseOperation.Allocate(u64(in, 0), u64(in, 8), u64(in, 16), u32(in, 24));
      case FuseOpcode.LSEEK -> new FuseOperation.Seek(u64(in, 0), u64(in, 8), u32(in, 16));
      case FuseOpcode.COPY_FILE_RANGE ->
          new FuseOperation.CopyRange(
              u64(in, 0),
              u64(in, 8),
              u64(in, 16),
              u64(in, 24),
              u64(in, 32),
              u64(in, 40),
              u64(in, 48));
      case FuseOpcode.DESTROY -> new FuseOperation.Destroy();
      default -> new FuseOperation.Unknown(opcode);
    };
  }

  private static FuseName name(MemorySegment in, long offset) {
    long end = offset;
    while (in.get(ValueLayout.JAVA_BYTE, end) != 0) {
      end++;
    }
    return new FuseName(in.asSlice(offset, end - offset).toArray(ValueLayout.JAVA_BYTE));
  }

  private static FuseOperation batchForget(MemorySegment in) {
    int count = u32(in, 0);
    var nodes = new ArrayList<FuseOperation.Forgotten>();
    for (int i = 0; i < count; i++) {
      long at = 8 + 16L * i;
      nodes.add(new FuseOperation.Forgotten(u64(in, at), u64(in, at + 8)));
    }
    return new FuseOperation.Forget(nodes);
  }

  private static FuseOperation rename(MemorySegment in, int names, int flags) {
    FuseName name = name(in, names);
    return new FuseOperation.Rename(
        name, u64(in, 0), name(in, names + name.bytes().length + 1L), flags);
  }

  private static FuseChange change(MemorySegment in) {
    int valid = u32(in, 0);
    return new FuseChange(
        optional(valid, 0, u32(in, 68)),
        optional(valid, 1, u32(in, 76)),
        optional(valid, 2, u32(in, 80)),
        (valid & 1 << 3) != 0 ? OptionalLong.of(u64(in, 16)) : OptionalLong.empty(),
        time(valid, 4, 7, in, 32, 56),
        time(valid, 5, 8, in, 40, 60),
        time(valid, 10, 31, in, 48, 64),
        (valid & 1 << 6) != 0 ? OptionalLong.of(u64(in, 8)) : OptionalLong.empty(),
        (valid & 1 << 11) != 0);
  }

  private static OptionalInt optional(int valid, int bit, int value) {
    return (valid & 1 << bit) != 0 ? OptionalInt.of(value) : OptionalInt.empty();
  }

  private static Optional<FuseChange.Time> time(
      int valid, int bit, int nowBit, MemorySegment in, int seconds, int nanos) {
    if ((valid & 1 << bit) == 0) {
      return Optional.empty();
    }
    return Optional.of(
        (valid & 1 << nowBit) != 0
            ? new FuseChange.Now()
            : new FuseChange.At(u64(in, seconds), u32(in, nanos)));
  }

  private static FuseOperation setExtended(MemorySegment in) {
    FuseName name = name(in, 8);
    byte[] value =
        in.asSlice(8 + name.bytes().length + 1L, Integer.toUnsignedLong(u32(in, 0)))
            .toArray(ValueLayout.JAVA_BYTE);
    return new FuseOperation.SetExtended(name, MemorySegment.ofArray(value), u32(in, 4));
  }

  private static FuseLock lock(MemorySegment in) {
    return new FuseLock(u64(in, 16), u64(in, 24), u32(in, 32), u32(in, 36));
  }

  private static FuseOperation setLock(MemorySegment in, boolean waits) {
    return new FuseOperation.SetLock(
        u64(in, 0), u64(in, 8), lock(in), (u32(in, 40) & 1) != 0, waits);
  }

  /**
   * Writes a reply's header and what follows it, but for {@link FuseReply.Data}'s parts.
   *
   * @param out at least {@link #REPLY_BYTES_MAX} bytes, and the text's
   * @param dataBytes of the parts that follow
   * @return bytes written
   */
  static int encode(long unique, FuseReply reply, long dataBytes, MemorySegment out) {
    MemorySegment body = out.asSlice(REPLY_HEADER_BYTES);
    body.asSlice(0, REPLY_BYTES_MAX - REPLY_HEADER_BYTES).fill((byte) 0);
    int errno = 0;
    int bytes =
        switch (reply) {
          case FuseReply.Failed(int code) -> {
            errno = code;
            yield 0;
          }
          case FuseReply.Done _, FuseReply.Data _ -> 0;
          case FuseReply.Found found -> write(body, found.entry());
          case FuseReply.Attributes attributes -> {
            body.set(JAVA_LONG_UNALIGNED, 0, attributes.nanos() / SECOND);
            body.set(JAVA_INT_UNALIGNED, 8, (int) (attributes.nanos() % SECOND));
            write(body.asSlice(16), attributes.attributes());
            yield 16 + ATTRIBUTES_BYTES;
          }
          case FuseReply.Opened opened -> write(body, opened.handle(), opened.flags());
          case FuseReply.Created created -> {
            int entry = write(body, created.entry());
            yield entry + write(body.asSlice(entry), created.handle(), created.flags());
          }
          case FuseReply.Text text -> {
            MemorySegment.copy(text.bytes(), 0, body, 0, text.bytes().byteSize());
            yield (int) text.bytes().byteSize();
          }
          case FuseReply.Written written -> {
            body.set(JAVA_INT_UNALIGNED, 0, written.bytes());
            yield 8;
          }
          case FuseReply.Size size -> {
            body.set(JAVA_INT_UNALIGNED, 0, size.bytes());
            yield 8;
          }
          case FuseReply.Locked locked -> {
            body.set(JAVA_LONG_UNALIGNED, 0, locked.lock().first());
            body.set(JAVA_LONG_UNALIGNED, 8, locked.lock().last());
            body.set(JAVA_INT_UNALIGNED, 16, locked.lock().type());
            body.set(JAVA_INT_UNALIGNED, 20, locked.lock().pid());
            yield 24;
          }
          case FuseReply.Position position -> {
            body.set(JAVA_LONG_UNALIGNED, 0, position.offset());
            yield 8;
          }
          case FuseReply.Status status -> write(body, status);
        };
    out.set(JAVA_INT_UNALIGNED, 0, Math.toIntExact(REPLY_HEADER_BYTES + bytes + dataBytes));
    out.set(JAVA_INT_UNALIGNED, 4, -errno);
    out.set(JAVA_LONG_UNALIGNED, 8, unique);
    return REPLY_HEADER_BYTES + bytes;
  }

  /** Writes an entry; returns its bytes. */
  static int write(MemorySegment out, FuseEntry entry) {
    out.set(JAVA_LONG_UNALIGNED, 0, entry.node());
    out.set(JAVA_LONG_UNALIGNED, 8, entry.generation());
    out.set(JAVA_LONG_UNALIGNED, 16, entry.entryNanos() / SECOND);
    out.set(JAVA_LONG_UNALIGNED, 24, entry.attributeNanos() / SECOND);
    out.set(JAVA_INT_UNALIGNED, 32, (int) (entry.entryNanos() % SECOND));
    out.set(JAVA_INT_UNALIGNED, 36, (int) (entry.attributeNanos() % SECOND));
    write(out.asSlice(40), entry.attributes());
    return FuseNumbers.ENTRY_OUT_BYTES;
  }

  private static void write(MemorySegment out, FuseAttributes of) {
    out.set(JAVA_LONG_UNALIGNED, 0, of.inode());
    out.set(JAVA_LONG_UNALIGNED, 8, of.size());
    out.set(JAVA_LONG_UNALIGNED, 16, of.blocks());
    out.set(JAVA_LONG_UNALIGNED, 24, of.accessed().seconds());
    out.set(JAVA_LONG_UNALIGNED, 32, of.modified().seconds());
    out.set(JAVA_LONG_UNALIGNED, 40, of.changed().seconds());
    out.set(JAVA_INT_UNALIGNED, 48, of.accessed().nanos());
    out.set(JAVA_INT_UNALIGNED, 52, of.modified().nanos());
    out.set(JAVA_INT_UNALIGNED, 56, of.changed().nanos());
    out.set(JAVA_INT_UNALIGNED, 60, of.mode());
    out.set(JAVA_INT_UNALIGNED, 64, of.links());
    out.set(JAVA_INT_UNALIGNED, 68, of.uid());
    out.set(JAVA_INT_UNALIGNED, 72, of.gid());
    out.set(JAVA_INT_UNALIGNED, 76, of.device());
    out.set(JAVA_INT_UNALIGNED, 80, of.blockSize());
  }

  private static int write(MemorySegment out, long handle, int flags) {
    out.set(JAVA_LONG_UNALIGNED, 0, handle);
    out.set(JAVA_INT_UNALIGNED, 8, flags);
    return 16;
  }

  private static int write(MemorySegment out, FuseReply.Status status) {
    out.set(JAVA_LONG_UNALIGNED, 0, status.blocks());
    out.set(JAVA_LONG_UNALIGNED, 8, status.blocksFree());
    out.set(JAVA_LONG_UNALIGNED, 16, status.blocksAvailable());
    out.set(JAVA_LONG_UNALIGNED, 24, status.files());
    out.set(JAVA_LONG_UNALIGNED, 32, status.filesFree());
    out.set(JAVA_INT_UNALIGNED, 40, status.blockSize());
    out.set(JAVA_INT_UNALIGNED, 44, status.nameBytesMax());
    out.set(JAVA_INT_UNALIGNED, 48, status.blockSize());
    return 80;
  }

  /**
   * What the two sides agree on in the first exchange.
   *
   * @param flags of the first word, and of the second shifted up
   */
  record Agreement(int major, int minor, int readAheadBytes, long flags) {
    static Agreement of(MemorySegment in) {
      long more = (u32(in, 12) & 1 << 30) != 0 ? u32(in, 16) : 0;
      return new Agreement(
          u32(in, 0), u32(in, 4), u32(in, 8), Integer.toUnsignedLong(u32(in, 12)) | more << 32);
    }

    /** Writes the answer to the first request; returns its bytes. */
    int write(long unique, FuseOptions options, MemorySegment out) {
      out.asSlice(0, REPLY_HEADER_BYTES + 64).fill((byte) 0);
      out.set(JAVA_INT_UNALIGNED, 0, REPLY_HEADER_BYTES + 64);
      out.set(JAVA_LONG_UNALIGNED, 8, unique);
      MemorySegment body = out.asSlice(REPLY_HEADER_BYTES);
      body.set(JAVA_INT_UNALIGNED, 0, major);
      body.set(JAVA_INT_UNALIGNED, 4, minor);
      body.set(JAVA_INT_UNALIGNED, 8, readAheadBytes);
      body.set(JAVA_INT_UNALIGNED, 12, (int) flags);
      body.set(JAVA_SHORT_UNALIGNED, 16, (short) options.backgroundMax());
      body.set(JAVA_SHORT_UNALIGNED, 18, (short) (options.backgroundMax() * 3 / 4));
      body.set(JAVA_INT_UNALIGNED, 20, options.writeBytesMax());
      body.set(JAVA_INT_UNALIGNED, 24, 1);
      body.set(JAVA_SHORT_UNALIGNED, 28, (short) (options.writeBytesMax() / 4096));
      body.set(JAVA_INT_UNALIGNED, 32, (int) (flags >>> 32));
      return REPLY_HEADER_BYTES + 64;
    }
  }
}

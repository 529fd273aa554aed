package luciola.client.fuse;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** What the kernel is answered. */
public sealed interface FuseReply {
  /** Done; there is nothing to say. */
  FuseReply OK = new Done();

  /** It failed; {@code errno} is positive. */
  record Failed(int errno) implements FuseReply {
    public Failed {
      if (errno <= 0 || errno > 4095) {
        throw new IllegalArgumentException("no errno: " + errno);
      }
    }
  }

  /** See {@link #OK}. */
  record Done() implements FuseReply {}

  /** To lookups and whatever makes a node. */
  record Found(FuseEntry entry) implements FuseReply {}

  /** Attributes, right for so long. */
  record Attributes(FuseAttributes attributes, long nanos) implements FuseReply {}

  /**
   * To opens.
   *
   * @param flags FOPEN_…: see {@link FuseNumbers}
   */
  record Opened(long handle, int flags) implements FuseReply {}

  /** To creates. */
  record Created(FuseEntry entry, long handle, int flags) implements FuseReply {}

  /**
   * Bytes: of a read, a link's target, an extended attribute, a page of a directory.
   *
   * @param parts native memory
   * @param release run once they are not needed any more
   */
  record Data(List<MemorySegment> parts, Runnable release) implements FuseReply {
    public Data {
      parts = List.copyOf(parts);
    }

    /** Bytes that nobody else needs back. */
    static Data of(MemorySegment bytes) {
      return new Data(List.of(bytes), () -> {});
    }
  }

  /** Bytes on the heap, few of them: a link's target, an extended attribute's value or names. */
  record Text(MemorySegment bytes) implements FuseReply {
    /** These bytes, which are not copied. */
    public static Text of(byte[] bytes) {
      return new Text(MemorySegment.ofArray(bytes));
    }
  }

  /** How many bytes were written or copied. */
  record Written(int bytes) implements FuseReply {}

  /** How many bytes an extended attribute, or all their names, take. */
  record Size(int bytes) implements FuseReply {}

  /** The lock that is in the way, or one of type {@link FuseLock#NONE}. */
  record Locked(FuseLock lock) implements FuseReply {}

  /** Where data or a hole begins. */
  record Position(long offset) implements FuseReply {}

  /** Space and files, in blocks. */
  record Status(
      long blocks,
      long blocksFree,
      long blocksAvailable,
      long files,
      long filesFree,
      int blockSize,
      int nameBytesMax)
      implements FuseReply {}
}

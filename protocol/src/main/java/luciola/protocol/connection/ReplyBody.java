package luciola.protocol.connection;

import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.List;

/**
 * The payload of a reply: parts sent in order without a copy in user space.
 *
 * @param parts what is sent; together as many bytes as the reply's header announces
 * @param release run exactly once when the parts are no longer needed, whether they were sent or
 *     the connection broke; on any thread, so it must not block
 */
public record ReplyBody(List<Part> parts, Runnable release) {
  /** No payload. */
  public static final ReplyBody NONE = new ReplyBody(List.of(), () -> {});

  public ReplyBody {
    parts = List.copyOf(parts);
  }

  /** A payload out of memory; {@code release} as above. */
  public static ReplyBody memory(List<MemorySegment> segments, Runnable release) {
    return new ReplyBody(segments.stream().<Part>map(Memory::new).toList(), release);
  }

  /** Bytes of all parts. */
  public long bytes() {
    long sum = 0;
    for (Part part : parts) {
      sum += part.bytes();
    }
    return sum;
  }

  /** A piece of the payload. */
  public sealed interface Part {
    /** Length. */
    long bytes();
  }

  /** Native memory, reachable from every thread, unchanged until released. */
  public record Memory(MemorySegment segment) implements Part {
    public Memory {
      if (!segment.isNative()) {
        throw new IllegalArgumentException("payload must be native memory: segment=" + segment);
      }
    }

    @Override
    public long bytes() {
      return segment.byteSize();
    }
  }

  /**
   * A region of a file, sent by sendfile on the event loop: worth it from about 128 KiB, and only
   * where the page cache holds it (otherwise the loop waits for the disk; read it on the disk's own
   * threads and send {@link Memory}). The bytes are those of the file at the moment they leave, so
   * the region must not be rewritten before the release.
   */
  public record FileRange(FileChannel file, long position, long bytes) implements Part {
    public FileRange {
      if (position < 0 || bytes < 1) {
        throw new IllegalArgumentException(
            "bad file range: position=" + position + " bytes=" + bytes);
      }
    }
  }
}

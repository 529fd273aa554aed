package luciola.protocol.connection;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollSocketChannel;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * One system call for many pieces: {@code readv} on the descriptor of an epoll channel. Netty reads
 * into one buffer at a time; a batch of 256 ranges of 4 KiB would take 256 system calls.
 *
 * <p>Used on the channel's event loop between two reads of its own, which stay the ones that find
 * out about errors and the end.
 */
final class ScatterRead {
  private static final int PIECES_MAX = 1024; // IOV_MAX
  private static final int IOVEC_BYTES = 16;
  private static final MethodHandle READV = readv();

  private final int fd;
  private final MemorySegment vector =
      Arena.ofAuto().allocate((long) PIECES_MAX * IOVEC_BYTES, Long.BYTES);

  private ScatterRead(int fd) {
    this.fd = fd;
  }

  /** Empty where the channel has no descriptor to read from. */
  static Optional<ScatterRead> of(Channel channel) {
    return channel instanceof EpollSocketChannel epoll
        ? Optional.of(new ScatterRead(epoll.fd().intValue()))
        : Optional.empty();
  }

  /**
   * Reads what is there, without waiting.
   *
   * @param pieces where to
   * @param first index of the first piece that is not full
   * @param filled bytes of that piece that are
   * @return bytes read; 0 if nothing is there, or on errors and the end
   */
  long read(List<MemorySegment> pieces, int first, long filled) {
    int count = Math.min(pieces.size() - first, PIECES_MAX);
    for (int i = 0; i < count; i++) {
      MemorySegment piece = pieces.get(first + i);
      long skipped = i == 0 ? filled : 0;
      long entry = (long) i * IOVEC_BYTES;
      vector.set(ValueLayout.JAVA_LONG, entry, piece.address() + skipped);
      vector.set(ValueLayout.JAVA_LONG, entry + Long.BYTES, piece.byteSize() - skipped);
    }
    try {
      return Math.max(0, (long) READV.invokeExact(fd, vector, count));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle readv() {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow("readv"),
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_INT));
  }
}

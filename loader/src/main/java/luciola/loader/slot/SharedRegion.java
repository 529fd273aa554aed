package luciola.loader.slot;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * A piece of memory that two processes map: a file in a memory file system, made by one side,
 * opened by the other, and unlinked as soon as both have it, so that no crash leaves it behind. Its
 * pages are there before it is used. The file is never shrunk (that would kill the other side).
 */
public final class SharedRegion implements AutoCloseable {
  private static final int PIECE_BYTES = 1 << 20;
  private static final int PAGE_BYTES = 4096;
  private static final AtomicLong CREATED = new AtomicLong();
  private static final Pattern NAME =
      Pattern.compile("luciola-(\\d+)-\\d+\\.(region|submit|complete)");

  private final Path path;
  private final Arena arena;
  private final MemorySegment memory;

  private SharedRegion(Path path, Arena arena, MemorySegment memory) {
    this.path = path;
    this.arena = arena;
    this.memory = memory;
  }

  /** The memory file system of this machine, or its temporary directory where there is none. */
  public static Path directoryDefault() {
    Path memory = Path.of("/dev/shm");
    return Files.isDirectory(memory) && Files.isWritable(memory)
        ? memory
        : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /**
   * Makes a region, readable by this user only, with all its pages.
   *
   * @throws LuciolaException NO_SPACE if the directory's file system has no room
   */
  public static SharedRegion create(Path directory, long bytes) {
    long number = CREATED.incrementAndGet();
    Path path =
        directory.resolve("luciola-%d-%d.region".formatted(ProcessHandle.current().pid(), number));
    try (FileChannel file =
        FileChannel.open(
            path,
            Set.of(
                StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      // Written rather than only mapped: a full file system is then an error here, not a SIGBUS
      // at the first touch.
      ByteBuffer zeros = ByteBuffer.allocateDirect(PIECE_BYTES);
      for (long at = 0; at < bytes; at += PIECE_BYTES) {
        zeros.clear().limit((int) Math.min(PIECE_BYTES, bytes - at));
        while (zeros.hasRemaining()) {
          file.write(zeros, at + zeros.position());
        }
      }
      return map(path, file, bytes, true);
    } catch (IOException e) {
      deleteQuietly(path, e);
      throw new LuciolaException(
          ErrorCode.NO_SPACE,
          "create shared memory: path=" + path + " bytes=" + bytes + " cause=" + e.getMessage(),
          e);
    }
  }

  /** Maps a region that the other side made. */
  public static SharedRegion open(Path path, long bytes) {
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      if (file.size() != bytes) {
        throw new LuciolaException(
            ErrorCode.MALFORMED_FRAME,
            "open shared memory: path=" + path + " fileBytes=" + file.size() + " bytes=" + bytes);
      }
      return map(path, file, bytes, false);
    } catch (NoSuchFileException e) {
      throw new LuciolaException(
          ErrorCode.NOT_FOUND,
          "open shared memory: not there; agent and trainer must see the same directory: path="
              + path,
          e);
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.INTERNAL, "open shared memory: path=" + path + " cause=" + e.getMessage(), e);
    }
  }

  private static SharedRegion map(Path path, FileChannel file, long bytes, boolean fresh)
      throws IOException {
    Arena arena = Arena.ofShared();
    try {
      MemorySegment memory = file.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
      if (fresh) {
        for (long at = 0; at < bytes; at += PAGE_BYTES) {
          memory.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at, (byte) 0);
        }
      } else {
        memory.load(); // what the other side has put there stays
      }
      return new SharedRegion(path, arena, memory);
    } catch (IOException | RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Removes regions, and what lay beside them, that processes which are gone left in the moment
   * before both sides had them.
   */
  public static void removeLeftovers(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      entries.filter(SharedRegion::isLeftover).forEach(path -> deleteQuietly(path, null));
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.INTERNAL, "list shared memory: path=" + directory + " cause=" + e, e);
    }
  }

  private static boolean isLeftover(Path path) {
    Matcher name = NAME.matcher(path.getFileName().toString());
    return name.matches() && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty();
  }

  private static void deleteQuietly(Path path, @org.jspecify.annotations.Nullable Exception first) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      if (first != null) {
        first.addSuppressed(e);
      }
    }
  }

  /** Where it is or was. */
  public Path path() {
    return path;
  }

  /** All of it; must not be used after {@link #close}. */
  public MemorySegment memory() {
    return memory;
  }

  /** Takes its name away; both sides keep the memory. */
  public void unlink() {
    deleteQuietly(path, null);
  }

  /** Unmaps it, and unlinks it if that has not been done. Nothing may be reading into it. */
  @Override
  public void close() {
    unlink();
    arena.close();
  }
}

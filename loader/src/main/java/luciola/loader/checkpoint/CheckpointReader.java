package luciola.loader.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.OptionalLong;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Finds and opens committed checkpoints below a root. Safe for use by many threads. */
public final class CheckpointReader {
  private static final long MANIFEST_BYTES_MAX = 1 << 30;

  private final LuciolaFileSystem files;
  private final CheckpointDirectory directory;

  /**
   * Reads nothing yet.
   *
   * @param root as in {@link CheckpointConfig#root}; it may be missing
   */
  public CheckpointReader(LuciolaFileSystem files, String root) {
    this.files = files;
    this.directory = new CheckpointDirectory(files, root);
  }

  /** Steps of committed checkpoints, ascending. */
  public List<Long> steps() {
    return directory.committed();
  }

  /** The newest committed step. */
  public OptionalLong latest() {
    return steps().stream().mapToLong(Long::longValue).max();
  }

  /** Removes a committed checkpoint. */
  public void remove(long step) {
    directory.remove(step);
  }

  /**
   * Opens a checkpoint: reads its manifest and checks its files' lengths.
   *
   * @throws LuciolaException NOT_FOUND if there is none of that step; CORRUPT_DATA if something is
   *     missing, cut off or damaged
   */
  public Checkpoint open(long step) {
    String path = directory.committedPath(step);
    if (files.find(path).isEmpty()) {
      throw new LuciolaException(
          ErrorCode.NOT_FOUND, "checkpoint open: path=%s: no such checkpoint".formatted(path));
    }
    Manifest manifest = ManifestCodec.decode(bytes(path + "/manifest.json"), path);
    if (manifest.step() != step) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "checkpoint open: path=%s: manifest is of another step: step=%d"
              .formatted(path, manifest.step()));
    }
    return new Checkpoint(files, path, manifest);
  }

  private byte[] bytes(String path) {
    try (ReadableFile file = files.openRead(path);
        Arena arena = Arena.ofShared()) {
      long length = file.length();
      if (length > MANIFEST_BYTES_MAX) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "checkpoint open: path=%s bytes=%d: too long".formatted(path, length));
      }
      MemorySegment memory = arena.allocate(Math.max(1, length)).asSlice(0, length);
      FileRange.read(file, 0, memory);
      return memory.toArray(ValueLayout.JAVA_BYTE);
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA, "checkpoint open: path=%s: missing".formatted(path), e);
      }
      throw e;
    }
  }
}

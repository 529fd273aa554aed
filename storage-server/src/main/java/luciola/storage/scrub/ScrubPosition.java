package luciola.storage.scrub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.storage.index.ChunkKey;

/**
 * Where a pass is, kept in a small file of the target so that a restart goes on from there. Losing
 * it costs a pass, nothing else: a file that makes no sense is as good as none.
 *
 * @param last the chunk that was verified last; empty at the beginning of a pass
 * @param bytesDone bytes verified in this pass
 * @param beganMillis wall-clock time at which this pass began; 0: no pass is under way
 * @param endedMillis wall-clock time at which the last whole pass ended; 0: none has
 */
record ScrubPosition(Optional<ChunkKey> last, long bytesDone, long beganMillis, long endedMillis) {
  static final ScrubPosition NONE = new ScrubPosition(Optional.empty(), 0, 0, 0);

  ScrubPosition at(ChunkKey chunk, int bytes) {
    return new ScrubPosition(Optional.of(chunk), bytesDone + bytes, beganMillis, endedMillis);
  }

  ScrubPosition began(long nowMillis) {
    return new ScrubPosition(Optional.empty(), 0, nowMillis, endedMillis);
  }

  ScrubPosition ended(long nowMillis) {
    return new ScrubPosition(Optional.empty(), 0, 0, nowMillis);
  }

  boolean underWay() {
    return beganMillis > 0;
  }

  /** What the file says. */
  static ScrubPosition load(Path file) throws IOException {
    String text;
    try {
      text = Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return NONE;
    }
    Map<String, Long> values = new HashMap<>();
    try {
      for (String line : text.split("\n", -1)) {
        int at = line.indexOf('=');
        if (at > 0) {
          values.put(line.substring(0, at), Long.parseLong(line.substring(at + 1)));
        }
      }
      return of(values);
    } catch (IllegalArgumentException e) {
      return NONE;
    }
  }

  private static ScrubPosition of(Map<String, Long> values) {
    Long chain = values.get("chain");
    Optional<ChunkKey> last =
        chain == null
            ? Optional.empty()
            : Optional.of(
                new ChunkKey(
                    new ChainId(Math.toIntExact(chain)),
                    new ChunkId(
                        new InodeId(values.getOrDefault("inode", 0L)),
                        Math.toIntExact(values.getOrDefault("index", 0L)))));
    return new ScrubPosition(
        last,
        Math.max(0, values.getOrDefault("bytes", 0L)),
        Math.max(0, values.getOrDefault("began", 0L)),
        Math.max(0, values.getOrDefault("ended", 0L)));
  }

  /** Replaces the file as a whole; not flushed. */
  void save(Path file) throws IOException {
    var text = new StringBuilder();
    last.ifPresent(chunk ->
        text.append("chain=")
            .append(chunk.chain().value())
            .append("\ninode=")
            .append(chunk.chunk().inode().value())
            .append("\nindex=")
            .append(chunk.chunk().index())
            .append('\n'));
    text.append("bytes=").append(bytesDone).append('\n');
    text.append("began=").append(beganMillis).append('\n');
    text.append("ended=").append(endedMillis).append('\n');
    Path next = file.resolveSibling(file.getFileName() + ".next");
    Files.writeString(next, text, StandardCharsets.UTF_8);
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}

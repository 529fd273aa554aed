package luciola.loader.checkpoint;

/**
 * Where checkpoints go and what is kept.
 *
 * @param root directory of the run's checkpoints, made if missing; one writer at a time
 * @param keepLast committed checkpoints that stay, at least 1; older ones are removed after a
 *     commit
 * @param writeBytes size of one write to a file
 */
public record CheckpointConfig(String root, int keepLast, int writeBytes) {
  /** Writes of 8 MiB. */
  public static final int WRITE_BYTES_DEFAULT = 8 << 20;

  public CheckpointConfig {
    if (!root.startsWith("/") || (root.endsWith("/") && root.length() > 1)) {
      throw new IllegalArgumentException("root must be an absolute path: root=" + root);
    }
    if (keepLast < 1 || writeBytes < 4096) {
      throw new IllegalArgumentException(
          "out of range: keepLast=%d writeBytes=%d".formatted(keepLast, writeBytes));
    }
  }

  public static CheckpointConfig of(String root, int keepLast) {
    return new CheckpointConfig(root, keepLast, WRITE_BYTES_DEFAULT);
  }
}

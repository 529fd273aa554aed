package luciola.simulation.check;

import java.util.Arrays;
import luciola.protocol.frame.Update;

/**
 * What a chunk holds, as cells of eight bytes; a cell that was never written is 0. Immutable. Every
 * write of a run has a value of its own, so that a read says which writes it saw.
 */
public final class Content {
  /** Bytes of a cell. */
  public static final int CELL = 8;

  /** The chunk does not exist. */
  public static final Content MISSING = new Content(false, new long[0]);

  private final boolean exists;
  private final long[] cells;
  private final int hash;

  private Content(boolean exists, long[] cells) {
    this.exists = exists;
    this.cells = cells;
    this.hash = Arrays.hashCode(cells) * 2 + (exists ? 1 : 0);
  }

  /** The same value in a number of cells. */
  public static Content of(int count, long value) {
    long[] cells = new long[count];
    Arrays.fill(cells, value);
    return new Content(true, cells);
  }

  /** Whether the chunk exists. */
  public boolean exists() {
    return exists;
  }

  /** Its length. */
  public int bytes() {
    return cells.length * CELL;
  }

  /** Stands for the checksum over its granules; never 0. */
  public int checksum() {
    return hash == 0 ? 1 : hash;
  }

  /** What an update makes of it. */
  public Content after(Update update, Content payload) {
    return switch (update) {
      case Update.Write write -> {
        int at = write.offset() / CELL;
        long[] next = Arrays.copyOf(cells, Math.max(cells.length, at + payload.cells.length));
        System.arraycopy(payload.cells, 0, next, at, payload.cells.length);
        yield new Content(true, next);
      }
      case Update.Truncate truncate ->
          new Content(true, Arrays.copyOf(cells, truncate.length() / CELL));
      case Update.Remove _ -> MISSING;
      case Update.Replace replace -> replace.removed() ? MISSING : payload;
    };
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Content content
        && exists == content.exists
        && Arrays.equals(cells, content.cells);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return exists ? Arrays.toString(cells) : "missing";
  }
}

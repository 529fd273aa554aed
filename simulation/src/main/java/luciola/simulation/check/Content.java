package luciola.simulation.check;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import luciola.protocol.frame.Update;

/**
 * What a chunk holds, as cells that are filled with one number; a cell that was never written is 0.
 * Immutable. Every write of a run has a value of its own, so that a read says which writes it saw.
 */
public final class Content {
  /**
   * Bytes of a cell: fifteen sectors, so that cells, pages and granules do not end together; a
   * chunk of a few has several granules.
   */
  public static final int CELL = 7680;

  private static final int WORD = 8;

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

  void addValuesTo(Set<Long> values) {
    for (long cell : cells) {
      values.add(cell);
    }
  }

  boolean noneOf(Set<Long> values) {
    return Arrays.stream(cells).noneMatch(values::contains);
  }

  /** As it is stored. */
  public byte[] toBytes() {
    ByteBuffer out = ByteBuffer.allocate(bytes());
    for (long cell : cells) {
      for (int at = 0; at < CELL; at += WORD) {
        out.putLong(cell);
      }
    }
    return out.array();
  }

  /** What is stored; broken if some cell is not of one piece. */
  public static Content fromBytes(byte[] bytes) {
    long[] cells = new long[bytes.length / CELL];
    ByteBuffer in = ByteBuffer.wrap(bytes);
    boolean whole = bytes.length % CELL == 0;
    for (int cell = 0; cell < cells.length && whole; cell++) {
      cells[cell] = in.getLong();
      for (int at = WORD; at < CELL; at += WORD) {
        whole &= in.getLong() == cells[cell];
      }
    }
    if (!whole) {
      throw new RuleBroken("BytesAreThoseWritten", "no cells of one piece: bytes=" + bytes.length);
    }
    return new Content(true, cells);
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

package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/**
 * Which pieces of a file that is being copied are there, in a small file beside it: a line that
 * says what is copied, then a line of {@value #LINE_BYTES} bytes for each piece, its number and
 * CRC32C. What a crash left of a last line is written over.
 */
final class Journal implements AutoCloseable {
  private static final int LINE_BYTES = 18;

  /** Longest one that is read: more pieces than a copy has. */
  private static final int BYTES_MAX = 2 << 20;

  private final ByteTarget out;
  private long end;

  private Journal(ByteTarget out, long end) {
    this.out = out;
    this.end = end;
  }

  /**
   * What an earlier run left.
   *
   * @param crcs of the pieces that are there
   * @param end where the next line goes
   */
  record Left(Map<Integer, Integer> crcs, long end) {
    static final Left NOTHING = new Left(Map.of(), 0);
  }

  /** Reads a journal of exactly this copy; anything else counts as nothing. */
  static Left read(Side side, String path, String what) throws IOException, InterruptedException {
    if (side.find(path).filter(found -> found.bytes() <= BYTES_MAX).isEmpty()) {
      return Left.NOTHING;
    }
    byte[] bytes;
    try (ByteSource source = side.open(path)) {
      MemorySegment memory = Arena.ofAuto().allocate(BYTES_MAX);
      long count = source.read(0, memory).get();
      bytes = memory.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    } catch (ExecutionException e) {
      throw new IOException("cannot read the state of an earlier copy: " + path, e.getCause());
    }
    byte[] header = header(what);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    if (!text.startsWith(new String(header, StandardCharsets.ISO_8859_1))) {
      return Left.NOTHING;
    }
    Map<Integer, Integer> crcs = new HashMap<>();
    int at = header.length;
    while (at + LINE_BYTES <= text.length()) {
      String line = text.substring(at, at + LINE_BYTES);
      if (!line.matches("[0-9]{8} [0-9a-f]{8}\n")) {
        break;
      }
      crcs.put(
          Integer.parseInt(line.substring(0, 8)),
          Integer.parseUnsignedInt(line.substring(9, 17), 16));
      at += LINE_BYTES;
    }
    return new Left(crcs, at);
  }

  private static byte[] header(String what) {
    return ("luciola copy 1: " + what + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** Begins one. */
  static Journal create(Side side, String path, String what) throws IOException {
    ByteTarget out = side.create(path);
    byte[] header = header(what);
    try {
      out.write(0, MemorySegment.ofArray(header));
      out.sync();
    } catch (IOException | RuntimeException e) {
      closeQuietly(out);
      throw e;
    }
    return new Journal(out, header.length);
  }

  private static void closeQuietly(ByteTarget out) {
    try {
      out.close();
    } catch (IOException | RuntimeException _) {
      // What went wrong before is what is told.
    }
  }

  /** Goes on with what was left. */
  static Journal append(Side side, String path, Left left) throws IOException {
    return new Journal(side.write(path), left.end());
  }

  /** A piece is there, and stays. */
  synchronized void done(int piece, int crc) throws IOException {
    byte[] line = String.format("%08d %08x\n", piece, crc).getBytes(StandardCharsets.US_ASCII);
    out.write(end, MemorySegment.ofArray(line));
    out.sync();
    end += line.length;
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}

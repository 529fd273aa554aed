package luciola.cli.transfer;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import luciola.client.LuciolaFileSystem;

/** Writes a file's bytes to a stream, verified as they come. */
public final class Print {
  private static final int READS_AHEAD = 4;

  private Print() {}

  /**
   * Writes all of one file.
   *
   * @throws IOException if the stream takes no more
   */
  public static void file(LuciolaFileSystem fs, String path, PrintStream out)
      throws IOException, InterruptedException {
    var copy = new FileCopy(new Buffers(READS_AHEAD, 1), READS_AHEAD);
    try (ByteSource bytes = ByteSource.remote(fs, path)) {
      copy.copy(bytes, 0, Long.MAX_VALUE, (_, part) -> write(out, part), _ -> {});
    }
    out.flush();
  }

  private static void write(PrintStream out, MemorySegment part) throws IOException {
    byte[] bytes = part.toArray(ValueLayout.JAVA_BYTE);
    out.write(bytes, 0, bytes.length);
    if (out.checkError()) {
      throw new IOException("standard output was closed");
    }
  }
}

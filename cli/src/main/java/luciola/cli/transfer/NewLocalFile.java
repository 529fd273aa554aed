package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A file of this machine under a temporary name. */
final class NewLocalFile implements NewTarget {
  private final Side side;
  private final String path;
  private final String temporary;
  private final ByteTarget out;
  private final Unfinished unfinished;
  private boolean given;

  NewLocalFile(Side side, String path, String temporary, ByteTarget out, Unfinished unfinished) {
    this.side = side;
    this.path = path;
    this.temporary = temporary;
    this.out = out;
    this.unfinished = unfinished;
  }

  @Override
  public void write(long offset, MemorySegment from) throws IOException {
    out.write(offset, from);
  }

  @Override
  public ByteSource readBack() throws IOException {
    return side.open(temporary);
  }

  @Override
  public void give(Found like) throws IOException {
    out.close();
    side.change(temporary, like);
    side.rename(temporary, path);
    given = true;
  }

  @Override
  public void close() throws IOException {
    try {
      out.close();
    } finally {
      if (!given) {
        side.removeQuietly(temporary);
      }
      unfinished.end(temporary);
    }
  }
}

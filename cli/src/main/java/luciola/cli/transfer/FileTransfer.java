package luciola.cli.transfer;

import java.io.IOException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Copies files from one side to the other under temporary names: a short one as a whole, a long one
 * in pieces ({@link PieceTransfer}). What changed while it was copied does not get its name.
 */
final class FileTransfer {
  private final Side from;
  private final Side to;
  private final Transfer transfer;
  private final TransferOptions options;

  FileTransfer(Side from, Side to, Transfer transfer, TransferOptions options) {
    this.from = from;
    this.to = to;
    this.transfer = transfer;
    this.options = options;
  }

  Side from() {
    return from;
  }

  Side to() {
    return to;
  }

  Transfer transfer() {
    return transfer;
  }

  TransferOptions options() {
    return options;
  }

  boolean isLong(Found what) {
    return what.bytes() > options.pieceBytes();
  }

  /** Queues a file; waits while the queue is full. */
  void submit(String source, Found what, String target) throws InterruptedException {
    if (isLong(what)) {
      new PieceTransfer(this, source, what, target).submit();
    } else {
      transfer.submit(source, what.bytes(), () -> copy(source, what, target));
    }
  }

  private boolean copy(String source, Found what, String target)
      throws IOException, InterruptedException {
    String temporary = Temporary.beside(target);
    transfer.unfinished().begin(temporary, () -> to.remove(temporary));
    boolean whole = false;
    try {
      FileCopy.Copied copied;
      try (ByteSource in = from.open(source);
          ByteTarget out = to.create(temporary)) {
        copied = transfer.copy().copy(in, 0, what.bytes(), out::write, transfer::moved);
      }
      if (options.verify) {
        check(temporary, target, 0, copied);
        transfer.verified();
      }
      give(source, what, copied.bytes(), temporary, target);
      whole = true;
    } finally {
      if (!whole) {
        to.removeQuietly(temporary);
      }
      transfer.unfinished().end(temporary);
    }
    return true;
  }

  /** Everything is there: it gets its attributes and its name, unless the source changed. */
  void give(String source, Found what, long bytes, String temporary, String target)
      throws IOException {
    if (bytes != what.bytes() || !what.looksLike(from.follow(source))) {
      throw changed(source);
    }
    to.change(temporary, what);
    to.rename(temporary, target);
  }

  LuciolaException changed(String source) {
    return new LuciolaException(
        ErrorCode.CORRUPT_DATA, "copy: path=" + source + " (changed while it was copied)");
  }

  /** Reads a range back and compares. */
  void check(String written, String target, long at, FileCopy.Copied wanted)
      throws IOException, InterruptedException {
    FileCopy.Copied found = checksum(to, written, at, at + wanted.bytes());
    if (!found.equals(wanted)) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "verify: path=" + target + " offset=" + at + " written=" + wanted + " read=" + found);
    }
  }

  /** Length and CRC32C of a range as it reads on that side. */
  FileCopy.Copied checksum(Side side, String path, long at, long end)
      throws IOException, InterruptedException {
    try (ByteSource source = side.open(path)) {
      return transfer.copy().copy(source, at, end, (_, _) -> {}, _ -> {});
    }
  }
}

package luciola.cli.transfer;

import java.io.IOException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Copies files from one side to the other: a short one as a whole, before it has a name, a long one
 * in pieces under a temporary name ({@link PieceTransfer}). What changed while it was copied does
 * not get its name.
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
    try (NewTarget out = to.begin(target, transfer.unfinished())) {
      FileCopy.Copied copied;
      try (ByteSource in = from.open(source)) {
        copied = transfer.copy().copy(in, 0, what.bytes(), out::write, transfer::moved);
      }
      if (options.verify) {
        try (ByteSource back = out.readBack()) {
          require(target, 0, copied, checksum(back, 0, copied.bytes()));
        }
      }
      requireUnchanged(source, what, copied.bytes());
      out.give(what);
    }
    if (options.verify) {
      transfer.verified();
    }
    return true;
  }

  private void requireUnchanged(String source, Found what, long bytes) throws IOException {
    if (bytes != what.bytes() || !what.looksLike(from.follow(source))) {
      throw changed(source);
    }
  }

  /** Everything is there: it gets its attributes and its name, unless the source changed. */
  void give(String source, Found what, long bytes, String temporary, String target)
      throws IOException {
    requireUnchanged(source, what, bytes);
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
    require(target, at, wanted, checksum(to, written, at, at + wanted.bytes()));
  }

  private static void require(
      String target, long at, FileCopy.Copied wanted, FileCopy.Copied found) {
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
      return checksum(source, at, end);
    }
  }

  private FileCopy.Copied checksum(ByteSource source, long at, long end)
      throws IOException, InterruptedException {
    return transfer.copy().copy(source, at, end, (_, _) -> {}, _ -> {});
  }
}

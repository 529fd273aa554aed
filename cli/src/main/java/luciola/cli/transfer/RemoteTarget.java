package luciola.cli.transfer;

import java.io.IOException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongConsumer;
import luciola.client.AttributeChange;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Writes one file of a cluster under a temporary name and renames it when it is whole. */
final class RemoteTarget {
  private final LuciolaFileSystem fs;
  private final FileCopy copy;
  private final Unfinished unfinished;
  private final boolean verify;

  RemoteTarget(LuciolaFileSystem fs, Transfer transfer, boolean verify) {
    this.fs = fs;
    this.copy = transfer.copy();
    this.unfinished = transfer.unfinished();
    this.verify = verify;
  }

  /** Copies the source to {@code path}, replacing a file of that name at once when all is there. */
  void write(
      ByteSource source, String path, int mode, long modifiedNanos, long bytes, LongConsumer moved)
      throws IOException, InterruptedException {
    String temporary =
        path.substring(0, path.lastIndexOf('/') + 1)
            + ".luciola-"
            + Long.toHexString(ThreadLocalRandom.current().nextLong());
    unfinished.begin(temporary, () -> fs.remove(temporary));
    try {
      FileCopy.Copied copied = fill(source, temporary, mode, bytes, moved);
      if (verify) {
        check(temporary, path, copied);
      }
      fs.setAttributes(temporary, AttributeChange.ofModified(modifiedNanos));
      fs.rename(temporary, path);
    } catch (IOException | RuntimeException | InterruptedException failure) {
      removeQuietly(temporary);
      throw failure;
    } finally {
      unfinished.end(temporary);
    }
  }

  private FileCopy.Copied fill(
      ByteSource source, String temporary, int mode, long bytes, LongConsumer moved)
      throws IOException, InterruptedException {
    var options = new OpenOptions(true, true, false, mode, 0, 0);
    try (WritableFile file = fs.openWrite(temporary, options)) {
      return copy.copy(source, file::write, bytes, moved);
    }
  }

  private void check(String temporary, String path, FileCopy.Copied wanted)
      throws IOException, InterruptedException {
    try (ByteSource back = ByteSource.remote(fs, temporary)) {
      FileCopy.Copied found = copy.copy(back, (_, _) -> {}, wanted.bytes(), _ -> {});
      if (!found.equals(wanted)) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "verify: path=" + path + " written=" + wanted + " read=" + found);
      }
    }
  }

  private void removeQuietly(String temporary) {
    try {
      fs.remove(temporary);
    } catch (LuciolaException _) {
      // It was never made, or the cluster is gone; what is left has a name that nobody takes for
      // the file.
    }
  }
}

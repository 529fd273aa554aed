package luciola.cli.soak.fault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Damages the block files of one target, as a failing disk or a mistaken operator does. */
final class BlockDamage {
  private static final int PAGE = 4096;
  private static final int TRIES_MAX = 400;

  private final Path target;
  private final RandomGenerator random;

  BlockDamage(Path target, RandomGenerator random) {
    this.target = target;
    this.random = random;
  }

  private List<Path> blockFiles() throws IOException {
    var files = new ArrayList<Path>();
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(target.resolve("blocks"), "blocks-*")) {
      for (Path file : found) {
        if (Files.size(file) >= PAGE) {
          files.add(file);
        }
      }
    }
    files.sort(null);
    return files;
  }

  /**
   * Flips one bit in each of up to {@code count} pages that hold something.
   *
   * @return pages that were damaged
   */
  int flipBits(int count) throws IOException {
    List<Path> files = blockFiles();
    int flipped = 0;
    for (int attempt = 0; attempt < TRIES_MAX && flipped < count && !files.isEmpty(); attempt++) {
      Path file = files.get(random.nextInt(files.size()));
      flipped += flipBit(file) ? 1 : 0;
    }
    return flipped;
  }

  private boolean flipBit(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long page = random.nextLong(channel.size() / PAGE) * PAGE;
      var bytes = ByteBuffer.allocate(PAGE);
      channel.read(bytes, page);
      for (int at = 0; at < bytes.position(); at++) {
        if (bytes.get(at) != 0) {
          byte bad = (byte) (bytes.get(at) ^ 1 << random.nextInt(8));
          channel.write(ByteBuffer.wrap(new byte[] {bad}), page + at);
          channel.force(false);
          return true;
        }
      }
      return false;
    }
  }

  /** Cuts off up to half of one block file; says what was cut, empty if there was nothing. */
  String cut() throws IOException {
    List<Path> files = blockFiles();
    if (files.isEmpty()) {
      return "";
    }
    Path file = files.get(random.nextInt(files.size()));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      long size = channel.size();
      long left = size / 2 + random.nextLong(size / 2);
      channel.truncate(left);
      channel.force(true);
      return file.getFileName() + " from " + size + " to " + left;
    }
  }
}

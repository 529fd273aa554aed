package luciola.storage.server;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** What a disk does to a block behind everybody's back. */
@FunctionalInterface
interface BlockDamage {
  /** Does it to the block that begins there. */
  void to(RandomAccessFile file, long at) throws IOException;

  /** Finds the block that begins with these bytes and damages it. */
  default void toBlockOf(byte[] data, Path blocks) throws IOException {
    try (Stream<Path> files = Files.list(blocks)) {
      for (Path path : files.sorted().toList()) {
        try (var file = new RandomAccessFile(path.toFile(), "rw")) {
          var start = new byte[64];
          for (long at = 0; at + start.length <= file.length(); at += 4096) {
            file.seek(at);
            file.readFully(start);
            if (Arrays.equals(start, 0, 64, data, 0, 64)) {
              to(file, at);
              return;
            }
          }
        }
      }
    }
    throw new AssertionError("bytes were not found: blocks=" + blocks);
  }

  /** Turns one bit. */
  static BlockDamage flip(long offset) {
    return (file, at) -> {
      file.seek(at + offset);
      int old = file.read();
      file.seek(at + offset);
      file.write(old ^ 1);
    };
  }

  /** The file ends before the block. */
  static BlockDamage cut() {
    return RandomAccessFile::setLength;
  }
}

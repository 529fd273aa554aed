package luciola.loader.dataset;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import luciola.client.LuciolaFileSystem;

/** Reads and spoils files of tests. */
final class Files {
  private Files() {}

  static byte[] bytes(LuciolaFileSystem files, String path) {
    try (Arena arena = Arena.ofShared()) {
      return FileBytes.readAll(files, path, 1 << 30, arena).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  static String hex(LuciolaFileSystem files, String path) {
    return HexFormat.of().formatHex(bytes(files, path));
  }

  static void put(LuciolaFileSystem files, String path, byte[] bytes) {
    FileBytes.write(files, path, bytes);
  }

  static void flip(LuciolaFileSystem files, String path, int at) {
    byte[] bytes = bytes(files, path);
    bytes[at] ^= 0x10;
    put(files, path, bytes);
  }
}

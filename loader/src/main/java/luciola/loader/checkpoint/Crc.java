package luciola.loader.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** CRC32C of native memory of any size. */
final class Crc {
  private static final long SLICE_BYTES = 1 << 30;

  private Crc() {}

  static int of(MemorySegment memory) {
    CRC32C crc = new CRC32C();
    for (long at = 0; at < memory.byteSize(); at += SLICE_BYTES) {
      long length = Math.min(SLICE_BYTES, memory.byteSize() - at);
      crc.update(memory.asSlice(at, length).asByteBuffer());
    }
    return (int) crc.getValue();
  }
}

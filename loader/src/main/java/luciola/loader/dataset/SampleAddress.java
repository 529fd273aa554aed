package luciola.loader.dataset;

import java.lang.foreign.MemorySegment;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Where a sample's bytes lie.
 *
 * @param bytes length of the sample
 * @param hasChecksum whether {@code crc32c} is of the sample; token windows have none of their own
 *     (the storage verifies every chunk it delivers)
 */
public record SampleAddress(
    ReadableFile file, long offset, int bytes, boolean hasChecksum, int crc32c) {

  static SampleAddress checked(ReadableFile file, long offset, int bytes, int crc32c) {
    return new SampleAddress(file, offset, bytes, true, crc32c);
  }

  static SampleAddress unchecked(ReadableFile file, long offset, int bytes) {
    return new SampleAddress(file, offset, bytes, false, 0);
  }

  /** The read that brings the sample into place. */
  public ReadRange into(MemorySegment place) {
    return new ReadRange(file, offset, place);
  }

  /** Throws CORRUPT_DATA with this address if the bytes are not the sample's. */
  public void verify(MemorySegment content, long sample) {
    if (hasChecksum && FileBytes.crc32c(content) != crc32c) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "read sample: checksum is wrong: path="
              + file.path()
              + " sample="
              + sample
              + " offset="
              + offset
              + " length="
              + bytes);
    }
  }
}

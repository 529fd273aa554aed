package luciola.storage.engine;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.index.VersionRecord;

/** Bytes on this disk do not fit their stored checksum, or cannot be read. */
public final class BadBlockException extends LuciolaException {
  private final ChunkVersion version;

  BadBlockException(VersionRecord version, int granule) {
    super(ErrorCode.CHECKSUM_MISMATCH, words(version, granule));
    this.version = version.version();
  }

  BadBlockException(VersionRecord version, int granule, Throwable cause) {
    super(ErrorCode.CHECKSUM_MISMATCH, words(version, granule), cause);
    this.version = version.version();
  }

  /** Which version's bytes they are. */
  ChunkVersion version() {
    return version;
  }

  private static String words(VersionRecord version, int granule) {
    int at = granule * Granules.BYTES;
    VersionRecord.Extent place = version.extents(at, at + 1).getFirst();
    return "stored bytes do not fit their checksum: version="
        + version.version()
        + " class="
        + place.blockClass().number()
        + " position="
        + place.position()
        + " granule="
        + granule;
  }
}

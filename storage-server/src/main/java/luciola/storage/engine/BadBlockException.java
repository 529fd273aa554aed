package luciola.storage.engine;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.index.VersionRecord;

/** Bytes on this disk do not fit their stored checksum, or cannot be read. */
public final class BadBlockException extends LuciolaException {
  BadBlockException(VersionRecord version, int granule) {
    super(ErrorCode.CHECKSUM_MISMATCH, words(version, granule));
  }

  BadBlockException(VersionRecord version, int granule, Throwable cause) {
    super(ErrorCode.CHECKSUM_MISMATCH, words(version, granule), cause);
  }

  private static String words(VersionRecord version, int granule) {
    return "stored bytes do not fit their checksum: version="
        + version.version()
        + " block="
        + version.block()
        + " granule="
        + granule;
  }
}

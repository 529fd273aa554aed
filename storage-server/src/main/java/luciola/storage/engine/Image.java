package luciola.storage.engine;

import java.lang.foreign.MemorySegment;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;

/**
 * What a new version of a chunk looks like: the first bytes of the old one, zeros up to its length,
 * and over that the payload.
 *
 * @param chunkBytes its length
 * @param keptBytes bytes of the old version that it begins with, but for the payload
 * @param payloadOffset where the payload lies
 * @param checksums of the payload's pieces, verified
 */
@SuppressWarnings("ArrayRecordComponent")
record Image(
    int chunkBytes, int keptBytes, int payloadOffset, MemorySegment payload, int[] checksums) {

  /** The result of an update other than a removal. */
  static Image of(Update update, int oldBytes, MemorySegment payload, int[] checksums) {
    return switch (update) {
      case Update.Write write ->
          new Image(
              Math.max(oldBytes, write.offset() + write.length()),
              oldBytes,
              write.offset(),
              payload,
              checksums);
      case Update.Truncate truncate ->
          new Image(
              truncate.length(),
              Math.min(oldBytes, truncate.length()),
              truncate.length(),
              MemorySegment.NULL,
              new int[0]);
      case Update.Replace replace -> new Image(replace.length(), 0, 0, payload, checksums);
      case Update.Remove _ -> throw new IllegalArgumentException("a removal has no image");
    };
  }

  private int payloadEnd() {
    return payloadOffset + Math.toIntExact(payload.byteSize());
  }

  /** Whether bytes {@code [from, to)} are payload and nothing else. */
  boolean isPayload(int from, int to) {
    return from >= payloadOffset && to <= payloadEnd();
  }

  /** First byte of a range that is payload, or its end. */
  int payloadFrom(int from, int to) {
    return Math.clamp(payloadOffset, from, to);
  }

  /** End of the payload in a range, or its start. */
  int payloadTo(int from, int to) {
    return Math.clamp(payloadEnd(), from, to);
  }

  /** The payload's bytes of a range within it. */
  MemorySegment payloadSlice(int from, int to) {
    return payload.asSlice(from - payloadOffset, to - from);
  }

  /** Whether any byte of a range comes from the old version. */
  boolean needsOld(int from, int to) {
    return from < keptBytes && !isPayload(from, Math.min(to, keptBytes));
  }

  /** Whether a range is the old version's, byte for byte. */
  boolean isOld(int from, int to) {
    return to <= keptBytes
        && (payload.byteSize() == 0 || to <= payloadOffset || from >= payloadEnd());
  }

  /** The sender's checksum of a granule that is payload only. */
  int payloadChecksum(int granule) {
    return checksums[granule - payloadOffset / Granules.BYTES];
  }

  /** First byte that is not the old version's, where all of that is kept. */
  int changedFrom(int oldBytes) {
    int added = chunkBytes > oldBytes ? oldBytes : chunkBytes;
    return payload.byteSize() == 0 ? added : Math.min(payloadOffset, added);
  }

  /** End of what is not the old version's, where all of that is kept. */
  int changedTo(int oldBytes) {
    return chunkBytes > oldBytes ? chunkBytes : payloadEnd();
  }

  /**
   * First byte that nothing was written to before, where all the image adds lies past the old
   * version's last page; -1 where it does not.
   */
  int appendFrom(int oldBytes, int oldPagesEnd) {
    boolean keepsAll = keptBytes == oldBytes && chunkBytes > oldBytes;
    int firstNew = payload.byteSize() == 0 ? oldBytes : payloadOffset;
    return keepsAll && firstNew >= oldPagesEnd ? oldPagesEnd : -1;
  }
}

package luciola.storage.chain;

import java.util.Optional;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkVersion;
import org.jspecify.annotations.Nullable;

/** A version that is not known to be committed: where it stands here and further down. */
final class PendingUpdate {
  /** No request, no forward. */
  static final long NONE = 0;

  private static final int[] NO_CHECKSUMS = {};

  final ChunkVersion version;
  final Optional<UpdateTag> tag;

  /** As it came; null if it was found on disk or its payload is gone. */
  @Nullable Update update;

  int[] checksums = NO_CHECKSUMS;
  long payload = ChainEvent.NO_PAYLOAD;

  boolean durable;

  /** Not on its way to the disk, which was full; written again from {@link #stageNanos} on. */
  boolean postponed;

  long stageNanos;
  boolean removed;
  int chunkBytes;
  int checksum;

  /** Whether the successor holds it, by the present chain version. */
  boolean acked;

  /** What the successor answered before the own copy was durable; 0: nothing to compare. */
  int successorChecksum;

  /** The forward in flight. */
  long forward = NONE;

  int failures;
  long retryNanos;

  /** Older than the present chain version. */
  boolean inherited;

  long clientRequest = NONE;
  long upstreamRequest = NONE;

  PendingUpdate(ChunkVersion version, Optional<UpdateTag> tag) {
    this.version = version;
    this.tag = tag;
  }

  static PendingUpdate found(ChunkView.PendingVersion found) {
    var pending = new PendingUpdate(found.version(), found.tag());
    pending.isDurable(found.removed(), found.chunkBytes(), found.checksum());
    pending.inherited = true;
    return pending;
  }

  void isDurable(boolean isRemoved, int bytes, int sum) {
    durable = true;
    removed = isRemoved;
    chunkBytes = bytes;
    checksum = sum;
  }

  @Override
  public String toString() {
    return version
        + (durable ? "d" : "")
        + (acked ? "a" : "")
        + (forward == NONE ? "" : "f")
        + (inherited ? "i" : "")
        + (postponed ? "p" : "");
  }
}

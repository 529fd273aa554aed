package luciola.client.cluster;

import luciola.grpc.v1.At;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.ShowQuota;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * How far the quotas of its directories let a file grow, as the meta-server said with the last
 * answer about it. A writer that nears a limit tells its length more often, so what it writes and
 * cannot keep is at most a window. To be used under the file's lock.
 */
final class QuotaRoom {
  private static final long WINDOW_BYTES_MIN = 64L << 20;
  private static final long WINDOW_BYTES_MAX = 1L << 30;

  private static final long WINDOWS_OF_WHAT_IS_LEFT = 16;

  private final Names names;
  private final String path;
  private long growTo = Long.MAX_VALUE;
  private long windowBytes = Long.MAX_VALUE;

  QuotaRoom(Names names, String path) {
    this.names = names;
    this.path = path;
  }

  /** Takes what an answer to an open, a length or a cut says. */
  void learn(Inode answer) {
    if (answer.hasBytesLeft()) {
      left(answer.getLength(), answer.getBytesLeft());
    } else {
      growTo = Long.MAX_VALUE;
      windowBytes = Long.MAX_VALUE;
    }
  }

  private void left(long length, long bytes) {
    growTo = bytes > Long.MAX_VALUE - length ? Long.MAX_VALUE : length + bytes;
    windowBytes = Math.clamp(bytes / WINDOWS_OF_WHAT_IS_LEFT, WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
  }

  /** A length was refused: the file ends where it was told to, until something else is said. */
  void refused(long publishedLength) {
    left(publishedLength, 0);
  }

  /** Whether the file may end there, and need not tell its length before. */
  boolean holds(long end, long publishedLength) {
    return end <= growTo && end - publishedLength <= windowBytes;
  }

  /**
   * Asks again if the file may not end there: others may have made room.
   *
   * @throws LuciolaException QUOTA_EXCEEDED, with the quota that is in the way
   */
  void require(long inode, long end, long publishedLength) {
    if (end <= growTo) {
      return;
    }
    growTo = Long.MAX_VALUE;
    for (Quota quota :
        names
            .call(
                "write",
                path,
                NamespaceRequest.newBuilder()
                    .setShowQuota(ShowQuota.newBuilder().setAt(At.newBuilder().setInode(inode))))
            .getQuotas()
            .getQuotasList()) {
      long left = quota.getBytes() - quota.getUsedBytes();
      if (quota.hasBytes() && end - publishedLength > left) {
        left(publishedLength, Math.max(0, left));
        throw new LuciolaException(
            ErrorCode.QUOTA_EXCEEDED,
            "write: path="
                + path
                + " quota exceeded: directory="
                + quota.getPath().toStringUtf8()
                + " limitBytes="
                + quota.getBytes()
                + " usedBytes="
                + quota.getUsedBytes()
                + " more="
                + (end - publishedLength));
      }
    }
  }
}

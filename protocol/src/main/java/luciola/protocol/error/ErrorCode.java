package luciola.protocol.error;

import static luciola.protocol.error.CallerAction.FIND_LEADER;
import static luciola.protocol.error.CallerAction.GIVE_UP;
import static luciola.protocol.error.CallerAction.OTHER_REPLICA;
import static luciola.protocol.error.CallerAction.PROCEED;
import static luciola.protocol.error.CallerAction.REFRESH_ROUTING;
import static luciola.protocol.error.CallerAction.RETRY;
import static luciola.protocol.error.CallerAction.STOP;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Every error that crosses a connection or reaches an application: its number on the wire, the
 * POSIX errno a mount answers, and what the caller does. The gRPC status is in the table of the
 * connection code. Numbers are never reused.
 */
public enum ErrorCode {
  OK(0, 0, PROCEED),

  // The request itself.
  INVALID_ARGUMENT(1, Errno.EINVAL, GIVE_UP),
  UNSUPPORTED(2, Errno.EOPNOTSUPP, GIVE_UP),
  MALFORMED_FRAME(3, Errno.EPROTO, GIVE_UP),
  WRONG_CLUSTER(4, Errno.EPERM, GIVE_UP),
  UNAUTHENTICATED(5, Errno.EACCES, GIVE_UP),
  PERMISSION_DENIED(6, Errno.EACCES, GIVE_UP),
  NOT_PERMITTED(7, Errno.EPERM, GIVE_UP),
  CANCELLED(8, Errno.EINTR, GIVE_UP),

  // Namespace.
  NOT_FOUND(20, Errno.ENOENT, GIVE_UP),
  EXISTS(21, Errno.EEXIST, GIVE_UP),
  NOT_A_DIRECTORY(22, Errno.ENOTDIR, GIVE_UP),
  IS_A_DIRECTORY(23, Errno.EISDIR, GIVE_UP),
  NOT_EMPTY(24, Errno.ENOTEMPTY, GIVE_UP),
  NAME_TOO_LONG(25, Errno.ENAMETOOLONG, GIVE_UP),
  TOO_MANY_SYMLINKS(26, Errno.ELOOP, GIVE_UP),
  TOO_MANY_LINKS(27, Errno.EMLINK, GIVE_UP),
  FILE_TOO_LARGE(28, Errno.EFBIG, GIVE_UP),
  STALE_HANDLE(29, Errno.ESTALE, GIVE_UP),
  QUOTA_EXCEEDED(30, Errno.EDQUOT, GIVE_UP),
  BAD_SESSION(31, Errno.EBADF, GIVE_UP),
  NO_ATTRIBUTE(32, Errno.ENODATA, GIVE_UP),
  OUT_OF_RANGE(33, Errno.ERANGE, GIVE_UP),
  TOO_LARGE(34, Errno.E2BIG, GIVE_UP),
  DEADLOCK(35, Errno.EDEADLK, GIVE_UP),
  NO_LOCKS(36, Errno.ENOLCK, GIVE_UP),
  LOCK_LOST(37, Errno.EIO, GIVE_UP),

  // Cluster and routing.
  NOT_LEADER(40, Errno.EAGAIN, FIND_LEADER),
  STALE_CHAIN_VERSION(41, Errno.EAGAIN, REFRESH_ROUTING),
  UNKNOWN_CHAIN(42, Errno.EAGAIN, REFRESH_ROUTING),
  NOT_HEAD(43, Errno.EAGAIN, REFRESH_ROUTING),
  NOT_SERVING(44, Errno.EAGAIN, REFRESH_ROUTING),
  NO_LEASE(45, Errno.EAGAIN, REFRESH_ROUTING),
  NO_SERVING_REPLICA(46, Errno.EIO, RETRY),
  UNKNOWN_NODE(47, Errno.EIO, GIVE_UP),
  NO_CHAIN_TABLE(48, Errno.ENODEV, GIVE_UP),
  IDENTITY_IN_USE(49, Errno.EBUSY, RETRY),

  // Chunks.
  CHUNK_NOT_FOUND(60, Errno.ENOENT, GIVE_UP),
  CHUNK_BUSY(61, Errno.EAGAIN, RETRY),
  DUPLICATE_UPDATE(62, Errno.EIO, GIVE_UP),
  MISSING_UPDATE(63, Errno.EAGAIN, RETRY),
  CHECKSUM_MISMATCH(64, Errno.EIO, OTHER_REPLICA),
  DISK_ERROR(65, Errno.EIO, OTHER_REPLICA),
  NO_SPACE(66, Errno.ENOSPC, GIVE_UP),

  // Connections and processes.
  TIMED_OUT(80, Errno.ETIMEDOUT, RETRY),
  CONNECTION_LOST(81, Errno.ECONNRESET, RETRY),
  OVERLOADED(82, Errno.EAGAIN, RETRY),
  SHUTTING_DOWN(83, Errno.EAGAIN, REFRESH_ROUTING),
  INTERNAL(84, Errno.EIO, GIVE_UP),
  INVARIANT_BROKEN(85, Errno.EIO, STOP),

  // Loader and checkpoints.
  CORRUPT_DATA(100, Errno.EIO, GIVE_UP),
  WRONG_POSITION(101, Errno.EINVAL, GIVE_UP),
  FORMAT_TOO_NEW(102, Errno.EPROTO, GIVE_UP);

  private static final Map<Integer, ErrorCode> BY_NUMBER =
      Stream.of(values()).collect(Collectors.toMap(ErrorCode::number, Function.identity()));

  private final int number;
  private final int errno;
  private final CallerAction action;

  ErrorCode(int number, int errno, CallerAction action) {
    this.number = number;
    this.errno = errno;
    this.action = action;
  }

  /** The number on the wire. */
  public int number() {
    return number;
  }

  /** The positive Linux errno that a mount answers; 0 for {@link #OK}. */
  public int errno() {
    return errno;
  }

  /** What the receiver does. */
  public CallerAction action() {
    return action;
  }

  /** The code with this wire number; an unknown one (a newer peer) reads as {@link #INTERNAL}. */
  public static ErrorCode ofNumber(int number) {
    return BY_NUMBER.getOrDefault(number, INTERNAL);
  }

  /** Linux numbers, x86-64 and AArch64 alike. */
  private static final class Errno {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EIO = 5;
    static final int E2BIG = 7;
    static final int EBADF = 9;
    static final int EAGAIN = 11;
    static final int EACCES = 13;
    static final int EBUSY = 16;
    static final int EEXIST = 17;
    static final int ENODEV = 19;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int EINVAL = 22;
    static final int EFBIG = 27;
    static final int ENOSPC = 28;
    static final int EMLINK = 31;
    static final int ERANGE = 34;
    static final int EDEADLK = 35;
    static final int ENAMETOOLONG = 36;
    static final int ENOLCK = 37;
    static final int ENOTEMPTY = 39;
    static final int ELOOP = 40;
    static final int ENODATA = 61;
    static final int EPROTO = 71;
    static final int EOPNOTSUPP = 95;
    static final int ECONNRESET = 104;
    static final int ETIMEDOUT = 110;
    static final int ESTALE = 116;
    static final int EDQUOT = 122;

    private Errno() {}
  }
}

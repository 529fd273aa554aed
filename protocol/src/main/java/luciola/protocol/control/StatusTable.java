package luciola.protocol.control;

import io.grpc.Status;
import luciola.protocol.error.ErrorCode;

/** Error codes as gRPC statuses, for faults that end a call instead of answering it. */
public final class StatusTable {
  private StatusTable() {}

  /** The status that a server ends a call with. */
  public static Status status(ErrorCode code, String message) {
    return Status.fromCode(statusCode(code)).withDescription(code + ": " + message);
  }

  private static Status.Code statusCode(ErrorCode code) {
    return switch (code) {
      case OK -> Status.Code.OK;
      case INVALID_ARGUMENT, MALFORMED_FRAME, WRONG_POSITION, NAME_TOO_LONG, TOO_LARGE ->
          Status.Code.INVALID_ARGUMENT;
      case UNSUPPORTED, FORMAT_TOO_NEW -> Status.Code.UNIMPLEMENTED;
      case UNAUTHENTICATED -> Status.Code.UNAUTHENTICATED;
      case PERMISSION_DENIED, NOT_PERMITTED -> Status.Code.PERMISSION_DENIED;
      case CANCELLED -> Status.Code.CANCELLED;
      case NOT_FOUND, CHUNK_NOT_FOUND, UNKNOWN_NODE, NO_CHAIN_TABLE, NO_ATTRIBUTE ->
          Status.Code.NOT_FOUND;
      case OUT_OF_RANGE -> Status.Code.OUT_OF_RANGE;
      case EXISTS, IDENTITY_IN_USE -> Status.Code.ALREADY_EXISTS;
      case QUOTA_EXCEEDED, NO_SPACE, OVERLOADED, NO_LOCKS -> Status.Code.RESOURCE_EXHAUSTED;
      case NOT_LEADER, SHUTTING_DOWN, CONNECTION_LOST, NO_SERVING_REPLICA, NO_LEASE, NOT_SERVING ->
          Status.Code.UNAVAILABLE;
      case TIMED_OUT -> Status.Code.DEADLINE_EXCEEDED;
      case STALE_CHAIN_VERSION, UNKNOWN_CHAIN, NOT_HEAD, CHUNK_BUSY, MISSING_UPDATE, DEADLOCK ->
          Status.Code.ABORTED;
      case CHECKSUM_MISMATCH, DISK_ERROR, CORRUPT_DATA -> Status.Code.DATA_LOSS;
      case WRONG_CLUSTER,
          NOT_A_DIRECTORY,
          IS_A_DIRECTORY,
          NOT_EMPTY,
          TOO_MANY_SYMLINKS,
          TOO_MANY_LINKS,
          FILE_TOO_LARGE,
          STALE_HANDLE,
          BAD_SESSION,
          LOCK_LOST,
          DUPLICATE_UPDATE ->
          Status.Code.FAILED_PRECONDITION;
      case INTERNAL, INVARIANT_BROKEN -> Status.Code.INTERNAL;
    };
  }

  /** What a caller makes of a call that ended with a status instead of a reply. */
  public static ErrorCode code(Status status) {
    return switch (status.getCode()) {
      case OK -> ErrorCode.OK;
      case CANCELLED, UNAVAILABLE, ABORTED -> ErrorCode.CONNECTION_LOST;
      case DEADLINE_EXCEEDED -> ErrorCode.TIMED_OUT;
      case RESOURCE_EXHAUSTED -> ErrorCode.OVERLOADED;
      case INVALID_ARGUMENT, OUT_OF_RANGE -> ErrorCode.INVALID_ARGUMENT;
      case NOT_FOUND -> ErrorCode.NOT_FOUND;
      case ALREADY_EXISTS -> ErrorCode.EXISTS;
      case PERMISSION_DENIED -> ErrorCode.PERMISSION_DENIED;
      case UNAUTHENTICATED -> ErrorCode.UNAUTHENTICATED;
      case UNIMPLEMENTED, FAILED_PRECONDITION -> ErrorCode.UNSUPPORTED;
      case DATA_LOSS -> ErrorCode.CORRUPT_DATA;
      case INTERNAL, UNKNOWN -> ErrorCode.INTERNAL;
    };
  }
}

package luciola.protocol.frame;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/** Kinds of frames and their numbers on the wire: requests from 1, replies from 129. */
enum FrameType {
  HELLO(1),
  READ(2),
  UPDATE(3),
  FORWARD(4),
  VERSION(5),
  CHUNK_LIST(6),
  SYNC_START(7),
  INVENTORY(8),
  DEDUP(9),
  SYNC_DONE(10),
  FETCH(11),
  COLLECT(12),
  FORGET(13),
  HELLO_REPLY(129),
  READ_REPLY(130),
  UPDATE_REPLY(131),
  VERSION_REPLY(133),
  CHUNK_LIST_REPLY(134),
  SYNC_REPLY(135),
  INVENTORY_REPLY(136),
  COLLECT_REPLY(137);

  private static final @Nullable FrameType[] BY_NUMBER = new @Nullable FrameType[256];

  static {
    for (FrameType type : values()) {
      BY_NUMBER[type.number] = type;
    }
  }

  private final int number;

  FrameType(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static FrameType ofNumber(int number) {
    FrameType type = BY_NUMBER[number & 0xff];
    if (type == null) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME, "decode frame prefix: unknown type: type=" + number);
    }
    return type;
  }

  static FrameType of(Frame frame) {
    return switch (frame) {
      case Hello _ -> HELLO;
      case ReadRequest _ -> READ;
      case UpdateRequest _ -> UPDATE;
      case ForwardRequest _ -> FORWARD;
      case VersionRequest _ -> VERSION;
      case ChunkListRequest _ -> CHUNK_LIST;
      case SyncStartRequest _ -> SYNC_START;
      case InventoryRequest _ -> INVENTORY;
      case DedupRequest _ -> DEDUP;
      case SyncDoneRequest _ -> SYNC_DONE;
      case FetchRequest _ -> FETCH;
      case CollectRequest _ -> COLLECT;
      case ForgetRequest _ -> FORGET;
      case HelloReply _ -> HELLO_REPLY;
      case ReadReply _ -> READ_REPLY;
      case UpdateReply _ -> UPDATE_REPLY;
      case VersionReply _ -> VERSION_REPLY;
      case ChunkListReply _ -> CHUNK_LIST_REPLY;
      case SyncReply _ -> SYNC_REPLY;
      case InventoryReply _ -> INVENTORY_REPLY;
      case CollectReply _ -> COLLECT_REPLY;
    };
  }
}

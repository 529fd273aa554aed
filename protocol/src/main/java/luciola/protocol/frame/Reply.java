package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChunkVersion;

/** What is answered. */
public sealed interface Reply extends Frame
    permits HelloReply,
        ReadReply,
        UpdateReply,
        VersionReply,
        ChunkListReply,
        InventoryReply,
        SyncReply,
        CollectReply {
  /** {@link ErrorCode#OK} or why the request as a whole was not done. */
  ErrorCode code();

  /**
   * The answer to a request that failed as a whole.
   *
   * @param code any but OK
   */
  static Reply failure(Request request, ErrorCode code) {
    if (code == ErrorCode.OK) {
      throw new IllegalArgumentException("a failure needs an error code: request=" + request);
    }
    return switch (request) {
      case Hello _ -> new HelloReply(code, 0, 0);
      case ReadRequest _, FetchRequest _ -> new ReadReply(code, List.of());
      case UpdateRequest _, ForwardRequest _ -> new UpdateReply(code, ChunkVersion.NONE, 0, 0, 0);
      case VersionRequest _ -> new VersionReply(code, 0, List.of());
      case ChunkListRequest _ -> new ChunkListReply(code, List.of(), false);
      case InventoryRequest _ -> new InventoryReply(code, List.of(), false);
      case SyncStartRequest _, DedupRequest _, SyncDoneRequest _ -> new SyncReply(code, 0);
      case CollectRequest _, ForgetRequest _ -> new CollectReply(code, 0, List.of());
    };
  }

  /** The kind of reply that answers a request. */
  static Class<? extends Reply> kindFor(Request request) {
    return switch (request) {
      case Hello _ -> HelloReply.class;
      case ReadRequest _, FetchRequest _ -> ReadReply.class;
      case UpdateRequest _, ForwardRequest _ -> UpdateReply.class;
      case VersionRequest _ -> VersionReply.class;
      case ChunkListRequest _ -> ChunkListReply.class;
      case InventoryRequest _ -> InventoryReply.class;
      case SyncStartRequest _, DedupRequest _, SyncDoneRequest _ -> SyncReply.class;
      case CollectRequest _, ForgetRequest _ -> CollectReply.class;
    };
  }
}

package luciola.protocol.frame;

import luciola.protocol.error.ErrorCode;

/** What is answered. */
public sealed interface Reply extends Frame
    permits HelloReply,
        ReadReply,
        UpdateReply,
        VersionReply,
        ProbeReply,
        ChunkListReply,
        InventoryReply,
        SyncReply {
  /** {@link ErrorCode#OK} or why the request as a whole was not done. */
  ErrorCode code();
}

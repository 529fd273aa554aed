package luciola.protocol.frame;

/** What is asked. */
public sealed interface Request extends Frame
    permits Hello,
        ReadRequest,
        UpdateRequest,
        ForwardRequest,
        VersionRequest,
        ChunkListRequest,
        SyncStartRequest,
        InventoryRequest,
        DedupRequest,
        SyncDoneRequest,
        FetchRequest,
        CollectRequest,
        ForgetRequest {}

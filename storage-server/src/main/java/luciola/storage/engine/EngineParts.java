package luciola.storage.engine;

import java.util.function.LongSupplier;
import luciola.protocol.connection.PayloadPool;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.DiskSpace;
import luciola.storage.index.KeyValues;

/**
 * What an engine runs on.
 *
 * @param files opens the block files, which the engine closes
 * @param space of the disk that the files are on
 * @param store metadata; closed by the engine, also when it cannot be opened
 * @param threads who does the work
 * @param scratch memory for reads, merging and scrubbing, which several engines may share; not
 *     closed by the engine
 * @param replicas where bad chunks are repaired from
 * @param nanos a clock that never goes back
 */
public record EngineParts(
    EngineConfig config,
    BlockFile.Opener files,
    DiskSpace space,
    KeyValues store,
    EngineThreads threads,
    PayloadPool scratch,
    ReplicaSource replicas,
    LongSupplier nanos) {}

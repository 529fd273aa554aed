package luciola.protocol.frame;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChunkVersion;

/**
 * Answers {@link UpdateRequest} and {@link ForwardRequest}: with OK the update is durable on this
 * replica and on every one after it in the chain.
 *
 * @param version the version that the update made
 * @param chunkBytes length of the chunk in that version
 * @param checksum CRC32C over the granule checksums (as little-endian u32s) of that version, by
 *     which a predecessor compares its own result; 0 to a client
 * @param chainVersion version of the chain that the answering server knows; newer than the
 *     request's with STALE_CHAIN_VERSION
 */
public record UpdateReply(
    ErrorCode code, ChunkVersion version, int chunkBytes, int checksum, int chainVersion)
    implements Reply {}

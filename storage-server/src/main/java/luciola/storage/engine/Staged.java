package luciola.storage.engine;

import luciola.protocol.id.ChunkVersion;

/**
 * An update that is durable.
 *
 * @param chunkBytes length of the chunk in this version
 * @param checksum CRC32C over the granule checksums as little-endian u32s
 * @param lone whether it was made durable by itself, and the thread that says so has nothing else
 *     to do at the moment
 */
public record Staged(ChunkVersion version, int chunkBytes, int checksum, boolean lone) {}

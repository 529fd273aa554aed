package luciola.storage.engine;

import luciola.protocol.id.ChunkVersion;

/**
 * An update that is durable.
 *
 * @param chunkBytes length of the chunk in this version
 * @param checksum CRC32C over the granule checksums as little-endian u32s
 */
public record Staged(ChunkVersion version, int chunkBytes, int checksum) {}

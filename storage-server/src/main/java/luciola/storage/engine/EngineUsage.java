package luciola.storage.engine;

/**
 * What a target holds.
 *
 * @param capacityBytes bytes that it can hold at most
 * @param usedBytes bytes of blocks taken by chunks
 * @param chunks chunks that exist
 */
public record EngineUsage(long capacityBytes, long usedBytes, long chunks) {}

package luciola.storage.engine;

import luciola.storage.disk.LatencyMeter;

/**
 * What a target holds, and how its disk does.
 *
 * @param capacityBytes bytes that it can hold at most
 * @param usedBytes bytes of blocks taken by chunks
 * @param allocatedBytes bytes taken from the disk for blocks, free ones included
 * @param chunks chunks that exist
 * @param lowSpace whether less than a tenth of the capacity is left, or updates are refused
 * @param reads latency of reads from the device
 * @param writes latency of writes to the device
 * @param flushes latency of flushes
 */
public record EngineUsage(
    long capacityBytes,
    long usedBytes,
    long allocatedBytes,
    long chunks,
    boolean lowSpace,
    LatencyMeter.Latency reads,
    LatencyMeter.Latency writes,
    LatencyMeter.Latency flushes) {}

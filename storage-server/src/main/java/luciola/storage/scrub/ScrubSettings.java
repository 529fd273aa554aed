package luciola.storage.scrub;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How a target is scrubbed.
 *
 * @param bytesPerSecond most bandwidth, read before each chunk: it may change
 * @param period within which each block is verified once, as far as the bandwidth allows
 * @param dedupKeep how long a client's channel that is not used is remembered
 * @param position file that keeps where the pass is
 */
public record ScrubSettings(
    LongSupplier bytesPerSecond, Duration period, Duration dedupKeep, Path position) {}

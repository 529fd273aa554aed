/**
 * Small measurements with JMH: checksums and the codecs of frames. Those of the engine's own
 * classes are in {@code luciola.storage.engine} of this module. Nothing here is part of the
 * program; run them with {@code benchmarks/run}.
 */
@NullMarked
package luciola.benchmarks;

import org.jspecify.annotations.NullMarked;

/**
 * Measures the data plane over loopback beside the limit of the machine: a plain socket stream with
 * the same congestion control. Start with {@link luciola.protocol.connection.bench.LoopbackBench}.
 * It decides nothing and serves no data.
 */
@NullMarked
package luciola.protocol.connection.bench;

import org.jspecify.annotations.NullMarked;

package luciola.cli.bench;

import java.io.IOException;

/** Work that can go on for as long as is wanted. */
interface Load extends AutoCloseable {
  /**
   * Works until a time, then finishes what is in flight.
   *
   * @param latencies gets the time of each request
   * @return ranges read, or written durably
   */
  long run(long untilNanos, Latencies latencies) throws IOException;

  /** Time of all runs so far that was spent on something that is not measured. */
  default long unmeasuredNanos() {
    return 0;
  }

  /** Removes what it made. */
  @Override
  void close() throws IOException;
}

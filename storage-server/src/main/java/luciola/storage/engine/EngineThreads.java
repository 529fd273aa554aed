package luciola.storage.engine;

/**
 * Who does an engine's work: threads of its own, or one thread that steps it, as a simulator does.
 */
public interface EngineThreads {
  /** Makes a lane; its owner closes it. */
  Lane lane(String name);

  /**
   * Whether all lanes, and all callers of the engine, are one thread. Nothing in the engine waits
   * for another lane then: where it would, it does the other lane's work itself.
   */
  boolean oneThread();

  /** Threads of the operating system, one for each lane. */
  static EngineThreads platform() {
    return PlatformLane.THREADS;
  }

  /** Does what it is given one after the other, in order, and never within {@code execute}. */
  interface Lane extends AutoCloseable {
    /**
     * Does this after what it was given before.
     *
     * @throws java.util.concurrent.RejectedExecutionException once it is closed
     */
    void execute(Runnable work);

    /** Does this some time later, if it is not closed by then; in no order with the rest. */
    void executeAfter(long millis, Runnable work);

    /** Does what waits, then ends. What was to be done later is dropped. */
    @Override
    void close();
  }
}

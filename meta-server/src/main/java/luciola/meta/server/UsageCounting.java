package luciola.meta.server;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CountUsage;
import luciola.meta.log.MetaLog;
import luciola.meta.namespace.Namespace;
import luciola.meta.store.RocksStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has what was there before the first quota counted while this member leads: one step at a time,
 * with a pause of the same length after each, so that counting takes at most half of the log. How
 * far it is, is state of the log: the next leader goes on there. One owner thread.
 */
final class UsageCounting {
  private static final Logger LOG = LoggerFactory.getLogger(UsageCounting.class);

  /** In one step: some milliseconds. */
  private static final int STEP_NAMES = 1_024;

  private final RocksStore store;
  private final ScheduledExecutorService owner;
  private boolean underWay;
  private long steps;

  UsageCounting(RocksStore store, ScheduledExecutorService owner) {
    this.store = store;
    this.owner = owner;
  }

  /** Begins, or goes on, if there is something to count; by the owner, now and then. */
  void tick(MetaLog log) {
    if (underWay) {
      return;
    }
    if (log.leads() && store.read(Namespace::isLeftToCount)) {
      underWay = true;
      step(log);
    } else if (steps > 0 && log.leads()) {
      LOG.info("usage counted: steps={}", steps);
      steps = 0;
    }
  }

  private void step(MetaLog log) {
    steps++;
    long begunNanos = System.nanoTime();
    var _ =
        log.submit(
                Command.newBuilder()
                    .setCountUsage(CountUsage.newBuilder().setNames(STEP_NAMES))
                    .build())
            .whenComplete((_, failure) -> {
              if (failure != null) {
                LOG.info("counting of usage stops: cause={}", failure.toString());
              }
              pause(log, failure == null, System.nanoTime() - begunNanos);
            });
  }

  private void pause(MetaLog log, boolean goOn, long nanos) {
    try {
      var _ =
          owner.schedule(
              () -> {
                underWay = false;
                if (goOn) {
                  tick(log);
                }
              },
              nanos,
              TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException closed) {
      LOG.debug("counted after close");
    }
  }
}

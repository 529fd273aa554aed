package luciola.cli.demo;

/**
 * How much the demo does.
 *
 * @param filesMax files imported at most
 * @param trainSeconds training goes on at least so long, and until the killed server serves again
 * @param checkpointEvery steps between checkpoints
 * @param killAfterSteps a storage-server is killed after so many steps
 * @param repeatedSteps the worker is killed at least so many steps after a committed checkpoint:
 *     these are repeated after the restore
 * @param batch windows in a batch
 * @param context tokens of a window
 * @param width of the model
 * @param layers of the model
 */
record DemoPlan(
    int filesMax,
    int trainSeconds,
    int checkpointEvery,
    int killAfterSteps,
    int repeatedSteps,
    int batch,
    int context,
    int width,
    int layers) {
  static final DemoPlan FULL = new DemoPlan(Integer.MAX_VALUE, 45, 50, 60, 8, 16, 128, 128, 2);
  static final DemoPlan QUICK = new DemoPlan(1000, 5, 25, 30, 4, 16, 128, 64, 1);

  DemoPlan {
    if (repeatedSteps >= checkpointEvery) {
      throw new IllegalArgumentException("there must be checkpoints between repeated steps");
    }
  }
}

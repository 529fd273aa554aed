package luciola.simulation.world;

import java.util.ArrayDeque;

/**
 * Something that runs, stops for good, starts again or is held (as by SIGSTOP), with a monotonic
 * clock of its own that drifts.
 */
public final class SimProcess {
  private final World world;
  private final String name;
  private final double clockRate;
  private final ArrayDeque<Runnable> held = new ArrayDeque<>();
  private long clockOffsetNanos;
  private int life;
  private boolean up;
  private boolean paused;
  private boolean pausesNext;
  private boolean pausesNextRead;

  /** A process that is down; {@code driftMax} is a share, as 0.05. */
  public SimProcess(World world, String name, double driftMax) {
    this.world = world;
    this.name = name;
    this.clockRate = 1 + driftMax * (world.between(-1000, 1000) / 1000.0);
  }

  /** Its name in the trace. */
  public String name() {
    return name;
  }

  /** Whether it runs or is held. */
  public boolean up() {
    return up;
  }

  /** Whether it is held. */
  public boolean paused() {
    return paused;
  }

  /** Whether it is held, or will be at its next step. */
  public boolean held() {
    return paused || pausesNext || pausesNextRead;
  }

  /** Number of its present life. */
  public int life() {
    return life;
  }

  /** Begins a new life. */
  public void start() {
    life++;
    up = true;
    clockOffsetNanos = world.between(0, 1_000_000_000_000L);
  }

  /** Ends the life: nothing that was to happen in it happens. */
  public void stop() {
    up = false;
    paused = false;
    pausesNext = false;
    pausesNextRead = false;
    held.clear();
  }

  /** Holds everything that is to happen in it until {@link #resume}. */
  public void pause() {
    paused = up;
  }

  /** Holds it the next time that it is between what it decided and what it does about it. */
  public void pauseBetween() {
    pausesNext = up;
  }

  /** Holds it the next time that it is between a read that it decided and that read. */
  public void pauseInRead() {
    pausesNextRead = up;
  }

  /** Like {@link #heldBefore}, about to do a read that was decided. */
  public boolean heldBeforeRead(Runnable rest) {
    pausesNext |= pausesNextRead;
    pausesNextRead = false;
    return heldBefore(rest);
  }

  /** Whether it is held right here; then {@code rest} is done first when it goes on. */
  public boolean heldBefore(Runnable rest) {
    if (!pausesNext || paused) {
      return false;
    }
    pausesNext = false;
    pause();
    int ofLife = life;
    held.addFirst(() -> run(ofLife, rest));
    return true;
  }

  /** Lets everything that was held happen now. */
  public void resume() {
    paused = false;
    pausesNext = false;
    pausesNextRead = false;
    int ofLife = life;
    while (!held.isEmpty() && !paused && up && life == ofLife) {
      held.remove().run();
    }
  }

  /** Its monotonic clock. */
  public long clockNanos() {
    return clockOffsetNanos + (long) (world.nowNanos() * clockRate);
  }

  /** Does something in this life, after a time on its own clock. */
  public void later(long delayNanos, Runnable action) {
    int ofLife = life;
    // Rounded up: a clock that is a moment short of a deadline must get there.
    world.later((long) Math.ceil(delayNanos / clockRate), () -> run(ofLife, action));
  }

  /** Does something now if that life still lasts, or when it is no longer held. */
  void run(int ofLife, Runnable action) {
    if (!up || life != ofLife) {
      return;
    }
    if (paused) {
      held.add(() -> run(ofLife, action));
    } else {
      action.run();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}

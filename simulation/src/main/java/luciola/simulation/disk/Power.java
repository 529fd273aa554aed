package luciola.simulation.disk;

import java.io.IOException;
import luciola.simulation.world.World;

/** What one life of a process may do to the medium: nothing once it is over. */
final class Power {
  private final World world;
  private boolean off;
  private double errorChance;
  private double fullChance;
  private int callsLeft = -1;
  private Runnable whenCut = () -> {};

  Power(World world) {
    this.world = world;
  }

  void off() {
    off = true;
  }

  void failing(double errors, double full) {
    errorChance = errors;
    fullChance = full;
  }

  /** Goes off in the middle of what is being done, after some more calls. */
  void cutAfter(int calls, Runnable then) {
    callsLeft = calls;
    whenCut = then;
  }

  /** Something is about to be written. */
  void write() throws IOException {
    check();
    if (callsLeft == 0) {
      off = true;
      whenCut.run();
      check();
    }
    callsLeft--;
    if (errorChance > 0 && world.chance(errorChance)) {
      world.met("the medium refused a write");
      throw new IOException("write error");
    }
  }

  /** Something is about to be read. */
  void read() throws IOException {
    check();
    if (errorChance > 0 && world.chance(errorChance / 4)) {
      world.met("the medium refused a read");
      throw new IOException("read error");
    }
  }

  /** Whether there is no room this time. */
  boolean full() {
    return fullChance > 0 && world.chance(fullChance);
  }

  private void check() throws IOException {
    if (off) {
      throw new IOException("power is off");
    }
  }
}

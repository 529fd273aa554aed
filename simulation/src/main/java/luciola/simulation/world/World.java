package luciola.simulation.world;

import java.util.EnumMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Simulated time, the only source of chance, and what was seen on the way. */
public final class World {
  private final PriorityQueue<Event> queue = new PriorityQueue<>();
  private final Map<String, Long> coverage = new TreeMap<>();
  private final Map<Probe, Long> reached = new EnumMap<>(Probe.class);
  private Consumer<Probe> whenReached = _ -> {};
  private final SplittableRandom random;
  private final Trace trace;
  private long nowNanos;
  private long lastNumber;

  private record Event(long timeNanos, long number, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return timeNanos == other.timeNanos
          ? Long.compare(number, other.number)
          : Long.compare(timeNanos, other.timeNanos);
    }
  }

  /** A world at time 0. */
  public World(long seed, Trace trace) {
    this.random = new SplittableRandom(seed);
    this.trace = trace;
  }

  /** True time. */
  public long nowNanos() {
    return nowNanos;
  }

  /** Does something later, whatever else happens. */
  public void later(long delayNanos, Runnable action) {
    queue.add(new Event(nowNanos + Math.max(0, delayNanos), ++lastNumber, action));
  }

  /** Lets the next thing happen; false if there is none before {@code untilNanos}. */
  public boolean step(long untilNanos) {
    Event next = queue.peek();
    if (next == null || next.timeNanos() > untilNanos) {
      nowNanos = Math.max(nowNanos, untilNanos);
      return false;
    }
    queue.remove();
    nowNanos = next.timeNanos();
    next.action().run();
    return true;
  }

  /** A number from 0 to {@code bound} - 1. */
  public int below(int bound) {
    return random.nextInt(bound);
  }

  /** A number from {@code low} to {@code high}. */
  public long between(long low, long high) {
    return low >= high ? low : random.nextLong(low, high + 1);
  }

  /** True with this probability. */
  public boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  /** 64 random bits. */
  public long bits() {
    return random.nextLong();
  }

  /** Counts a situation that a run is meant to meet. */
  public void met(String situation) {
    coverage.merge(situation, 1L, Long::sum);
  }

  /** A rare situation is there. */
  public void met(Probe probe) {
    reached.merge(probe, 1L, Long::sum);
    log("probe", probe::probeName);
    whenReached.accept(probe);
  }

  /** How often rare situations were reached. */
  public Map<Probe, Long> reached() {
    return reached;
  }

  /** Tells somebody of every rare situation, so that worse can follow. */
  public void whenReached(Consumer<Probe> listener) {
    whenReached = listener;
  }

  /** Situations and how often they were met. */
  public Map<String, Long> coverage() {
    return coverage;
  }

  /** Writes a line of the trace, if there is one. */
  public void log(String who, Supplier<String> what) {
    trace.line(nowNanos, who, what);
  }
}

package luciola.simulation;

import java.util.Map;
import java.util.Optional;
import luciola.simulation.world.Probe;

/** One run under one seed. */
public interface SimulatedRun {
  /** Runs to the end; the broken rule if there is one. */
  Optional<String> run();

  /** Situations that were met. */
  Map<String, Long> coverage();

  /** Rare situations that were reached, and how often. */
  Map<Probe, Long> reached();

  /** Client operations that ended. */
  long operations();

  /** Simulated time. */
  long simulatedNanos();

  /** Histories that were too hard to decide. */
  int undecided();
}

package luciola.simulation;

import java.util.Locale;
import luciola.simulation.cluster.ClusterRun;
import luciola.simulation.namespace.NamespaceRun;
import luciola.simulation.world.Trace;

/** What is simulated. */
public enum Scenario {
  /** Chunks on chains of storage-servers, and the cluster manager. */
  CLUSTER,
  /** The namespace on its replicated log. */
  NAMESPACE;

  /** As in {@code luciola simulate}. */
  public String commandName() {
    return name().toLowerCase(Locale.ROOT);
  }

  SimulatedRun run(long seed, SimulationOptions options, Trace trace) {
    return switch (this) {
      case CLUSTER -> new ClusterRun(seed, options, trace);
      case NAMESPACE -> new NamespaceRun(seed, options, trace);
    };
  }
}

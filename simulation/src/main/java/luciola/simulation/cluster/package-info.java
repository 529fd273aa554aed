/**
 * A simulated cluster: a manager, storage-servers with disks, clients, and what goes wrong with
 * them. The shells here are small stand-ins of the production ones; the cores inside are the
 * production cores. Start with {@link luciola.simulation.cluster.ClusterRun}.
 */
@NullMarked
package luciola.simulation.cluster;

import org.jspecify.annotations.NullMarked;

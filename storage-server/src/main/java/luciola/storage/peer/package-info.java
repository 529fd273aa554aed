/**
 * The storage-servers of other targets, as one server sees them: where they are, calls to them in
 * the order they were put, whole chunks as payload, repairs from their replicas, and which of them
 * stay silent. Decides nothing about chunks or chains and keeps nothing on a disk; what a silent
 * server means is the cluster manager's to say. Start with {@link luciola.storage.peer.Peers}.
 */
@NullMarked
package luciola.storage.peer;

import org.jspecify.annotations.NullMarked;

/**
 * The caller's end of the control plane: finds the leading meta-server, keeps one multiplexed
 * stream of namespace calls to it, retries what is safe to retry, and keeps the newest routing.
 * Decides nothing about files or chains. Start with {@link luciola.protocol.control.MetaConnection}
 * and {@link luciola.protocol.control.RoutingFeed}; {@link
 * luciola.protocol.control.RoutingMessages} turns messages into values and back.
 */
@NullMarked
package luciola.protocol.control;

import org.jspecify.annotations.NullMarked;

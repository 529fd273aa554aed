/**
 * Messages of the control plane as values of this project and back. Decides nothing. Start with
 * {@link luciola.protocol.control.RoutingMessages}.
 */
@NullMarked
package luciola.protocol.control;

import org.jspecify.annotations.NullMarked;

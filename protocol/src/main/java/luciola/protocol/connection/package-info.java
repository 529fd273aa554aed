/**
 * Both ends of a data-plane connection: frames out, frames in, payload bytes between the caller's
 * memory and the socket without a copy in user space.
 *
 * <p>Start with {@link luciola.protocol.connection.DataClient} (the calling end, used by clients
 * and by servers towards their successors), {@link luciola.protocol.connection.DataServer} (the
 * answering end) and {@link luciola.protocol.connection.PayloadPool} (where a server receives what
 * is written to it). It decides nothing about chunks, chains or retries: a call is answered, fails
 * or times out, and its caller decides what that means.
 *
 * <p>Everything here runs on the event loops of {@link luciola.protocol.connection.EventLoops},
 * which never block. Memory that is handed to a connection is native and reachable from every
 * thread (a shared, automatic or global arena).
 */
@NullMarked
package luciola.protocol.connection;

import org.jspecify.annotations.NullMarked;

/**
 * The meta-server as a program part: its configuration, its gRPC services and the threads that
 * drive the cores. Decides nothing that a core decides. Start with {@link
 * luciola.meta.server.MetaServer}.
 */
@NullMarked
package luciola.meta.server;

import org.jspecify.annotations.NullMarked;

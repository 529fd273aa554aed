/**
 * Decides, for one request of a client, which replica it goes to, when it is sent again, when newer
 * routing is needed and when to give up. A pure core: it never sends, waits, reads a clock or draws
 * a random number. Start with {@link luciola.protocol.router.ChunkRouter}.
 */
@NullMarked
package luciola.protocol.router;

import org.jspecify.annotations.NullMarked;

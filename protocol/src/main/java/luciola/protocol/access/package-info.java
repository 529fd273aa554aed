/**
 * What shows who somebody is: the secrets of users and servers, and the tickets that a meta-server
 * signs for storage-servers. Decides what a connection of a storage-server lets pass. Never reads a
 * file, a clock or a random number, never sends anything. Start with {@link
 * luciola.protocol.access.Credential} and {@link luciola.protocol.access.TicketGate}.
 */
@NullMarked
package luciola.protocol.access;

import org.jspecify.annotations.NullMarked;

/**
 * Frames of the data plane: every message between a client and a storage-server and between two
 * storage-servers, as records ({@link luciola.protocol.frame.Frame}), their byte layouts beside
 * them, and the checksums that travel with chunk data ({@link luciola.protocol.frame.Granules}).
 * Payload bytes are never part of a record: they follow the frame's header on the connection.
 */
@NullMarked
package luciola.protocol.frame;

import org.jspecify.annotations.NullMarked;

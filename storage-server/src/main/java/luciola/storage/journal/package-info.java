/**
 * The write log of a target: makes batches of metadata durable with one flush of a file whose
 * blocks were written before, and brings them back when the target is opened.
 *
 * <p>It decides when a batch is durable and which batches survived. It never looks into keys or
 * values, and never sees a chunk. Begin with {@link luciola.storage.journal.JournaledKeyValues}.
 */
@NullMarked
package luciola.storage.journal;

import org.jspecify.annotations.NullMarked;

/**
 * Re-reads everything a target holds, again and again, and has bad blocks repaired: how fast, where
 * it goes on after a restart, what it found. Knows nothing of chains but their numbers; what is bad
 * and how it is repaired the engine knows. Start with {@link luciola.storage.scrub.TargetScrub}.
 */
@NullMarked
package luciola.storage.scrub;

import org.jspecify.annotations.NullMarked;

/**
 * Files for programs: {@link luciola.client.LuciolaFileSystem} is the Java API; everything else in
 * this module is behind it.
 */
@NullMarked
package luciola.client;

import org.jspecify.annotations.NullMarked;

/**
 * Every port that a cluster listens on is sent what no correct caller sends. Start with {@link
 * luciola.cli.fuzz.PortFuzzTest}.
 */
@NullMarked
package luciola.cli.fuzz;

import org.jspecify.annotations.NullMarked;

/**
 * Servers as processes and everything that can be done to them from outside: killed, paused, cut
 * off, their files damaged, their disks filled. It never asks a server to misbehave: what happens
 * here happens to the process, its network or its files. Start with {@link
 * luciola.cli.soak.fault.Fleet} and {@link luciola.cli.soak.fault.FaultDriver}.
 */
@NullMarked
package luciola.cli.soak.fault;

import org.jspecify.annotations.NullMarked;

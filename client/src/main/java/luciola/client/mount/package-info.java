/**
 * A cluster's files as a mounted file system of this machine.
 *
 * <p>It decides what each request of the kernel means for inodes, sessions and bytes: which files
 * share a writer, when what was written must be on the servers, what the kernel may remember and
 * how long. It never speaks the kernel's protocol ({@link luciola.client.fuse} does) nor the
 * cluster's ({@link luciola.client.cluster} does).
 *
 * <p>Start at {@link luciola.client.mount.LuciolaMount}.
 */
@NullMarked
package luciola.client.mount;

import org.jspecify.annotations.NullMarked;

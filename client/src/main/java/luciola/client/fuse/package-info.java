/**
 * The kernel's FUSE protocol, spoken over {@code /dev/fuse}: mounting, requests, replies, notices.
 *
 * <p>It decides how bytes of the protocol become {@link luciola.client.fuse.FuseOperation}s and
 * {@link luciola.client.fuse.FuseReply}s, which features of the kernel are asked for, and which
 * thread reads. It knows nothing of Luciola: what an operation means is its {@link
 * luciola.client.fuse.FuseHandler}'s.
 *
 * <p>Start at {@link luciola.client.fuse.FuseSession}. Structures and numbers are those of {@code
 * include/uapi/linux/fuse.h}, version 7.45; older kernels down to 7.31 are spoken to in theirs.
 */
@NullMarked
package luciola.client.fuse;

import org.jspecify.annotations.NullMarked;

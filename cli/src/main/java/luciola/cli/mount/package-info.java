/**
 * {@code mount} and {@code umount}: what a user sees of a mount's process. It decides whether a
 * directory may be mounted on, and looks after the process in the background. What the mounted
 * files do is {@link luciola.client.mount}'s. Start with {@link luciola.cli.mount.MountCommand}.
 */
@NullMarked
package luciola.cli.mount;

import org.jspecify.annotations.NullMarked;

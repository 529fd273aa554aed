/**
 * A cluster with a container for each server, hurt through the container engine. Start with {@link
 * luciola.deploy.container.FaultsContainerTest}.
 */
@NullMarked
package luciola.deploy.container;

import org.jspecify.annotations.NullMarked;

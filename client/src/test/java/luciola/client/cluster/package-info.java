/** Tests of the cluster's file system over real connections to servers that answer as told. */
@NullMarked
package luciola.client.cluster;

import org.jspecify.annotations.NullMarked;

/**
 * The file system of a cluster: names from the meta-servers, bytes straight from and to the
 * storage-servers. Holds what a file needs on the way (write-back buffers, requests in flight), all
 * bounded. Decides nothing about where chunks live or what follows an error: that is {@link
 * luciola.protocol.router}. Start with {@link luciola.client.cluster.ClusterFileSystem}.
 */
@NullMarked
package luciola.client.cluster;

import org.jspecify.annotations.NullMarked;

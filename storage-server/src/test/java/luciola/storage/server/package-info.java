/** Tests of the storage-server over real connections. */
@NullMarked
package luciola.storage.server;

import org.jspecify.annotations.NullMarked;

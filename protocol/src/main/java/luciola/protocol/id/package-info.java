/** Strong types for every identifier and version. Raw longs live only in codecs. */
@NullMarked
package luciola.protocol.id;

import org.jspecify.annotations.NullMarked;

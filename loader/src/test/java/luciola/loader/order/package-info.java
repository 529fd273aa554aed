@NullMarked
package luciola.loader.order;

import org.jspecify.annotations.NullMarked;

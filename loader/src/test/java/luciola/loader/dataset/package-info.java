@NullMarked
package luciola.loader.dataset;

import org.jspecify.annotations.NullMarked;

@NullMarked
package luciola.loader.agent;

import org.jspecify.annotations.NullMarked;

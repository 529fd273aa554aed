/** Tests of locks. */
@org.jspecify.annotations.NullMarked
package luciola.meta.namespace.lock;

@org.jspecify.annotations.NullMarked
package luciola.meta.namespace.quota;

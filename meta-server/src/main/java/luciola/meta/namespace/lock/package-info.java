/**
 * Advisory locks of files: which may be held together, how a new one changes what its owner had,
 * and who waits for whom. Decides by the stored locks alone; never waits, knows no lease and no
 * descriptor: clients say when an owner is done, the leader when a client is gone. Start at {@link
 * luciola.meta.namespace.lock.LockChange}.
 */
@org.jspecify.annotations.NullMarked
package luciola.meta.namespace.lock;

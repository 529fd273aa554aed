package luciola.client.fuse;

/**
 * A node found by its name.
 *
 * @param node the kernel's number for it; 0: there is none by that name, to be remembered so long
 * @param generation with the node unique for ever
 * @param entryNanos how long the kernel may take the name for it
 * @param attributeNanos how long the kernel may take the attributes for right
 */
public record FuseEntry(
    long node, long generation, long entryNanos, long attributeNanos, FuseAttributes attributes) {}

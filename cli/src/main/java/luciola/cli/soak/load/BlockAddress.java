package luciola.cli.soak.load;

/**
 * Where a block lies, for who asks a server directly.
 *
 * @param block its index in its file
 * @param chunk index of its chunk
 * @param offset where it begins in the chunk
 */
public record BlockAddress(long inode, int block, int chunk, int offset, int bytes) {}

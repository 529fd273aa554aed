package luciola.client.fuse;

/**
 * Attributes of a node.
 *
 * @param inode number that programs see
 * @param blocks of 512 bytes
 * @param mode type and permissions
 */
public record FuseAttributes(
    long inode,
    long size,
    long blocks,
    FuseChange.At accessed,
    FuseChange.At modified,
    FuseChange.At changed,
    int mode,
    int links,
    int uid,
    int gid,
    int device,
    int blockSize) {}

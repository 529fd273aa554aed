package luciola.client;

/**
 * Space of the file system as an application may use it (raw capacity divided by replication).
 *
 * @param inodes files, directories and links that exist
 */
public record SpaceUsage(long capacityBytes, long freeBytes, long inodes) {}

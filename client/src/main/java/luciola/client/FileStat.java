package luciola.client;

import luciola.protocol.id.InodeId;

/**
 * Attributes of a file, directory or symbolic link.
 *
 * @param mode permission bits, 0 … 07777
 * @param nlink number of names
 * @param length bytes; of a symbolic link, those of its target
 * @param accessedNanos since 1970, like the other times
 */
public record FileStat(
    InodeId inode,
    FileType type,
    int mode,
    int uid,
    int gid,
    int nlink,
    long length,
    long accessedNanos,
    long modifiedNanos,
    long changedNanos) {

  public boolean isFile() {
    return type == FileType.FILE;
  }

  public boolean isDirectory() {
    return type == FileType.DIRECTORY;
  }
}

package luciola.client;

/** Kind of an inode. */
public enum FileType {
  FILE,
  DIRECTORY,
  SYMLINK,
  FIFO,
  SOCKET,
  CHARACTER_DEVICE,
  BLOCK_DEVICE
}

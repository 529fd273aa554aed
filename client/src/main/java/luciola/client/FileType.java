package luciola.client;

/** Kind of an inode. */
public enum FileType {
  FILE,
  DIRECTORY,
  SYMLINK
}

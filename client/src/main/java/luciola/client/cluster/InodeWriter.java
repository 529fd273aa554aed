package luciola.client.cluster;

import luciola.client.WritableFile;
import luciola.grpc.v1.Inode;

/** A file open for writing that others of this process read meanwhile. */
public interface InodeWriter extends WritableFile {
  /** Whether everything written so far is on every replica. */
  boolean isSettled();

  /** Returns when everything written so far is on every replica, where reads find it. */
  void settle();

  /** {@link #sync}, and the meta-server knows that the file was changed. */
  void publish();

  /**
   * What the meta-server has told of the file: others may have made it longer, or cut it. What was
   * written here since it was published comes after that.
   */
  void learn(Inode inode);

  /** As {@link #learn}, unless the file is busy just now. */
  void learnIfIdle(Inode inode);

  /** Its session is lost: what was not sent yet is dropped, and it cannot be used any more. */
  void lose();

  /** Whether something was written since the meta-server was told of a change. */
  boolean isModified();

  /** Counts the cuts that the length is right for. */
  long generation();
}

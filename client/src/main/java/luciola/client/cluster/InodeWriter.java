package luciola.client.cluster;

import luciola.client.WritableFile;

/** A file open for writing that others of this process read meanwhile. */
public interface InodeWriter extends WritableFile {
  /** Whether everything written so far is on every replica. */
  boolean isSettled();

  /** Returns when everything written so far is on every replica, where reads find it. */
  void settle();

  /** {@link #sync}, and the meta-server knows that the file was changed. */
  void publish();

  /** Whether something was written since the meta-server was told of a change. */
  boolean isModified();

  /** Counts the cuts that the length is right for. */
  long generation();
}

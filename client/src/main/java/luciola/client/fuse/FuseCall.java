package luciola.client.fuse;

/** A request of the kernel that waits for its answer. */
public interface FuseCall {
  /** The kernel's number of this call. */
  long unique();

  /** The node that it is about; {@link FuseNumbers#ROOT} for the root. */
  long node();

  /** Who calls: user, group and process of the program. */
  int uid();

  /** See {@link #uid}. */
  int gid();

  /** See {@link #uid}. */
  int pid();

  /** What is asked. */
  FuseOperation operation();

  /**
   * Answers, from any thread; once. Nothing happens if the program, or the mount, is gone. Calls
   * without a reply take none.
   */
  void answer(FuseReply reply);
}

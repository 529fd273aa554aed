package luciola.client.fuse;

/** What a mounted file system does. */
@FunctionalInterface
public interface FuseHandler {
  /**
   * Answers the call, now or later. Called on one of the session's reading threads: the kernel's
   * next requests are read by the others meanwhile, and by this one once it returns.
   */
  void handle(FuseCall call);
}

package luciola.client.mount;

import luciola.client.cluster.InodeFiles;
import luciola.client.fuse.FuseCall;
import luciola.grpc.v1.At;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.SetAttributes;

/** The bits that let others run a file as its user or group: who writes it takes them away. */
final class Privileges {
  private static final int SET_UID = 04000;
  private static final int SET_GID = 02000;
  private static final int GROUP_EXECUTES = 010;

  /** Both. */
  static final int SET_IDS = SET_UID | SET_GID;

  private final InodeFiles files;
  private final OpenFiles open;

  Privileges(InodeFiles files, OpenFiles open) {
    this.files = files;
    this.open = open;
  }

  /**
   * Whoever may write takes away the bits that let others run a file as its user or group, as the
   * kernel says; not the group's where nobody may execute it as such, if it is his own.
   *
   * @param known mode of the file; asked for only if there is something to take away
   */
  void kill(FuseCall call, int known) {
    if ((known & SET_IDS) == 0) {
      return;
    }
    Inode inode =
        files
            .call(
                Callers.MOUNT,
                NamespaceRequest.newBuilder()
                    .setGetAttributes(GetAttributes.newBuilder().setInode(call.node())))
            .getInode();
    Identity who = Callers.of(call);
    int kept = inode.getMode() & ~SET_UID;
    boolean member = who.getGid() == inode.getGid() || who.getGroupsList().contains(inode.getGid());
    if ((kept & GROUP_EXECUTES) != 0 || !member) {
      kept &= ~SET_GID;
    }
    if (kept != inode.getMode()) {
      Inode after =
          Callers.call(
                  files,
                  Identity.newBuilder().setUid(inode.getUid()).setGid(inode.getGid()).build(),
                  NamespaceRequest.newBuilder()
                      .setSetAttributes(
                          SetAttributes.newBuilder()
                              .setAt(At.newBuilder().setInode(call.node()))
                              .setMode(kept)))
              .getInode();
      OpenInode file = open.ofInode(call.node());
      if (file != null) {
        var _ = file.seen(after);
      }
    }
  }
}

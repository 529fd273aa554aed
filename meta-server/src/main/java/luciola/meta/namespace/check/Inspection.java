package luciola.meta.namespace.check;

import java.util.HashSet;
import luciola.grpc.v1.InspectInodesReply;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.grpc.v1.InspectedInode;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.Scans;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/** What is known of inodes by their numbers, for whoever has found chunks of them. */
public final class Inspection {
  /** Numbers in one question. */
  public static final int INODES_MAX = 4_096;

  private Inspection() {}

  /** Answers for each number asked. Looks through the garbage if an inode is not there. */
  public static InspectInodesReply answer(InspectInodesRequest asked, KeyValueView view) {
    if (asked.getInodesCount() > INODES_MAX) {
      return InspectInodesReply.newBuilder()
          .setCode(ErrorCode.INVALID_ARGUMENT.number())
          .setMessage("inspect inodes: asked=" + asked.getInodesCount() + " max=" + INODES_MAX)
          .build();
    }
    Tree tree = Tree.reading(view);
    var missing = new HashSet<Long>();
    for (long id : asked.getInodesList()) {
      if (tree.inode(id).isEmpty()) {
        missing.add(id);
      }
    }
    var garbage = new HashSet<Long>();
    if (!missing.isEmpty()) {
      new Scans(view)
          .garbage(record -> {
            if (missing.contains(record.inode().getId())) {
              garbage.add(record.inode().getId());
            }
            return garbage.size() < missing.size();
          });
    }
    InspectInodesReply.Builder reply =
        InspectInodesReply.newBuilder().setInodeLast(tree.counters().getInodeLast());
    for (long id : asked.getInodesList()) {
      InspectedInode.Builder inspected =
          InspectedInode.newBuilder().setGarbage(garbage.contains(id));
      tree.inode(id)
          .ifPresent(
              inode -> inspected.setInode(inode).setOpenForWrite(tree.sessions().isWritten(id)));
      reply.addInodes(inspected);
    }
    return reply.build();
  }
}

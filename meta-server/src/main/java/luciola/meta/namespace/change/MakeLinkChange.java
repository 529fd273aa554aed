package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/** Gives a file or symbolic link one more name. */
final class MakeLinkChange {
  static final int LINKS_MAX = 65_000;

  private MakeLinkChange() {}

  static NamespaceReply.Builder apply(Operation operation, MakeLink asked) {
    Inode inode =
        operation
            .tree()
            .inode(asked.getInode())
            .filter(found -> found.getNlink() > 0)
            .orElseThrow(() -> new Refusal(ErrorCode.NOT_FOUND, "inode=" + asked.getInode()));
    Walk.Place place = operation.walk().place(asked.getAt(), false);
    Refusal.unless(place.inode() == null, ErrorCode.EXISTS, "name=" + place.name().toStringUtf8());
    Refusal.unless(
        inode.getType() != InodeType.INODE_TYPE_DIRECTORY,
        ErrorCode.NOT_PERMITTED,
        "a directory has one name: inode=" + inode.getId());
    Refusal.unless(
        inode.getNlink() < LINKS_MAX, ErrorCode.TOO_MANY_LINKS, "inode=" + inode.getId());
    operation.tree().usages().requirePlace(inode);
    Inode directory = place.parent();
    Permissions.requireChange(directory, operation.who());
    Inode linked =
        inode.toBuilder()
            .setNlink(inode.getNlink() + 1)
            .setChangedNanos(operation.nowNanos())
            .build();
    return Operation.reply(NewInode.add(operation, place, linked));
  }
}

package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/** Makes a symbolic link; its target need not exist. */
final class MakeSymlinkChange {
  private MakeSymlinkChange() {}

  static NamespaceReply.Builder apply(Operation operation, MakeSymlink asked) {
    Refusal.unless(
        !asked.getTarget().isEmpty(), ErrorCode.NOT_FOUND, "a link needs a target: empty");
    Refusal.unless(
        asked.getTarget().size() < Walk.PATH_BYTES_MAX,
        ErrorCode.NAME_TOO_LONG,
        "target bytes=" + asked.getTarget().size());
    Walk.Place place = operation.walk().place(asked.getAt(), false);
    Refusal.unless(place.inode() == null, ErrorCode.EXISTS, "name=" + place.name().toStringUtf8());
    Inode link =
        NewInode.of(operation, place.parent(), InodeType.INODE_TYPE_SYMLINK, 0777)
            .setSymlinkTarget(asked.getTarget())
            .setLength(asked.getTarget().size())
            .build();
    return Operation.reply(NewInode.add(operation, place, link));
  }
}

package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.MakeNode;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/** Makes what has no bytes here: a FIFO, a socket or a device; mknod(2). */
final class MakeNodeChange {
  private MakeNodeChange() {}

  static NamespaceReply.Builder apply(Operation operation, MakeNode asked) {
    boolean device =
        switch (asked.getType()) {
          case INODE_TYPE_FIFO, INODE_TYPE_SOCKET -> false;
          case INODE_TYPE_CHARACTER_DEVICE, INODE_TYPE_BLOCK_DEVICE -> true;
          case INODE_TYPE_UNSPECIFIED,
              INODE_TYPE_FILE,
              INODE_TYPE_DIRECTORY,
              INODE_TYPE_SYMLINK,
              UNRECOGNIZED ->
              throw new Refusal(
                  ErrorCode.INVALID_ARGUMENT, "no FIFO, socket or device: type=" + asked.getType());
        };
    Refusal.unless(
        !device || operation.who().getUid() == 0,
        ErrorCode.NOT_PERMITTED,
        "devices are made by user 0 only");
    Walk.Place place = operation.walk().place(asked.getAt(), false);
    Refusal.unless(place.inode() == null, ErrorCode.EXISTS, "name=" + place.name().toStringUtf8());
    Inode.Builder node = NewInode.of(operation, place.parent(), asked.getType(), asked.getMode());
    if (device) {
      node.setDevice(asked.getDevice());
    }
    return Operation.reply(NewInode.add(operation, place, node.build()));
  }
}

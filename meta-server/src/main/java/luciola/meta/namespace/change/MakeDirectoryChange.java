package luciola.meta.namespace.change;

import com.google.protobuf.ByteString;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/** Makes a directory, with its missing parents if asked; all or nothing. */
final class MakeDirectoryChange {
  private MakeDirectoryChange() {}

  static NamespaceReply.Builder apply(Operation operation, MakeDirectory asked) {
    return Operation.reply(
        asked.getParents()
            ? withParents(operation, asked)
            : one(operation, operation.walk().place(asked.getAt(), false), asked.getMode()));
  }

  private static Inode one(Operation operation, Walk.Place place, int mode) {
    Refusal.unless(place.inode() == null, ErrorCode.EXISTS, "name=" + place.name().toStringUtf8());
    Inode directory = place.parent();
    return NewInode.add(
        operation,
        place,
        NewInode.of(operation, directory, InodeType.INODE_TYPE_DIRECTORY, mode).build());
  }

  private static Inode withParents(Operation operation, MakeDirectory asked) {
    At at = asked.getAt();
    ByteString path = at.getPath();
    Inode reached = operation.walk().inode(at.toBuilder().clearPath().build(), true);
    for (int end = 1; end <= path.size(); end++) {
      boolean ends = end == path.size() || path.byteAt(end) == '/';
      if (ends && path.byteAt(end - 1) != '/') {
        Walk.Place place =
            operation.walk().place(at.toBuilder().setPath(path.substring(0, end)).build(), true);
        Inode present = place.inode();
        reached = present != null ? present : one(operation, place, asked.getMode());
        Refusal.unless(
            reached.getType() == InodeType.INODE_TYPE_DIRECTORY,
            end == path.size() ? ErrorCode.EXISTS : ErrorCode.NOT_A_DIRECTORY,
            "name=" + place.name().toStringUtf8());
      }
    }
    return reached;
  }
}

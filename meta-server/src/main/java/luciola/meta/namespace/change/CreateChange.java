package luciola.meta.namespace.change;

import luciola.grpc.v1.Create;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.OpenResult;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/** Makes a file, or opens the one that is there: open(2) with O_CREAT. */
final class CreateChange {
  private CreateChange() {}

  static NamespaceReply.Builder apply(Operation operation, Create asked) {
    if (asked.getUnnamed()) {
      return unnamed(operation, asked);
    }
    Walk.Place place = operation.walk().place(asked.getAt(), !asked.getExclusive());
    Inode present = place.inode();
    if (present != null) {
      Refusal.unless(
          !asked.getExclusive(), ErrorCode.EXISTS, "name=" + place.name().toStringUtf8());
      return OpenChange.open(operation, present, asked.getOpenForWrite(), asked.getTruncate());
    }
    Inode made = NewInode.add(operation, place, inode(operation, place.parent(), asked).build());
    OpenResult.Builder open = OpenResult.newBuilder().setCreated(true);
    if (asked.getOpenForWrite()) {
      open.setSession(
          operation
              .tree()
              .openSession(made, operation.client(), operation.nowNanos(), OpenChange.WRITER));
    }
    return Operation.reply(made).setOpen(open);
  }

  private static Inode.Builder inode(Operation operation, Inode directory, Create asked) {
    Inode.Builder inode =
        NewInode.of(operation, directory, InodeType.INODE_TYPE_FILE, asked.getMode());
    if (operation.who().getUid() != 0 && !Permissions.inGroup(operation.who(), inode.getGid())) {
      inode.setMode(inode.getMode() & ~Permissions.SET_GID);
    }
    return inode.setLayout(
        NewInode.layout(
            operation, directory, inode.getId(), asked.getChunkBytes(), asked.getStripe()));
  }

  /** A file that gets its name when it is closed, see {@link CloseChange}. */
  private static NamespaceReply.Builder unnamed(Operation operation, Create asked) {
    Refusal.unless(
        asked.getOpenForWrite() && !asked.getTruncate(),
        ErrorCode.INVALID_ARGUMENT,
        "unnamed: opened for writing, and new");
    Walk.Place place = operation.walk().place(asked.getAt(), false);
    CloseChange.requireFree(operation, place, asked.getExclusive());
    Inode made =
        inode(operation, place.parent(), asked)
            .setNlink(0)
            .setRemovedNanos(operation.nowNanos())
            .build();
    operation.tree().put(made);
    long session =
        operation
            .tree()
            .openSession(made, operation.client(), operation.nowNanos(), OpenChange.WRITER);
    return Operation.reply(made)
        .setOpen(OpenResult.newBuilder().setCreated(true).setSession(session));
  }
}

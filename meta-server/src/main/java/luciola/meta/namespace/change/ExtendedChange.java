package luciola.meta.namespace.change;

import com.google.protobuf.ByteString;
import java.util.Optional;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.RemoveExtended;
import luciola.grpc.v1.SetExtended;
import luciola.meta.namespace.tree.Extended;
import luciola.meta.namespace.tree.Refusal;
import luciola.protocol.error.ErrorCode;

/** Sets and removes extended attributes: setxattr(2), removexattr(2). */
final class ExtendedChange {
  private ExtendedChange() {}

  static NamespaceReply.Builder set(Operation operation, SetExtended asked) {
    Inode inode = operation.walk().inode(asked.getAt(), asked.getFollow());
    ByteString name = asked.getName();
    Extended.requireWrite(inode, operation.who(), name);
    int size = asked.getValue().size();
    Refusal.unless(
        size <= Extended.VALUE_BYTES_MAX,
        ErrorCode.TOO_LARGE,
        "attribute value: bytes=" + size + " max=" + Extended.VALUE_BYTES_MAX);
    Extended extended = operation.tree().extended();
    Optional<ByteString> before = extended.value(inode.getId(), name);
    Refusal.unless(
        before.isEmpty() || !asked.getCreate(), ErrorCode.EXISTS, Extended.missing(inode, name));
    Refusal.unless(
        before.isPresent() || !asked.getReplace(),
        ErrorCode.NO_ATTRIBUTE,
        Extended.missing(inode, name));
    extended.put(inode.getId(), name, asked.getValue());
    return counted(
        operation,
        inode,
        size - before.map(ByteString::size).orElse(0),
        before.isPresent() ? 0 : Extended.bytes(name));
  }

  static NamespaceReply.Builder remove(Operation operation, RemoveExtended asked) {
    Inode inode = operation.walk().inode(asked.getAt(), asked.getFollow());
    ByteString name = asked.getName();
    Extended.requireWrite(inode, operation.who(), name);
    Extended extended = operation.tree().extended();
    ByteString before =
        extended
            .value(inode.getId(), name)
            .orElseThrow(() -> new Refusal(ErrorCode.NO_ATTRIBUTE, Extended.missing(inode, name)));
    extended.remove(inode.getId(), name);
    return counted(operation, inode, -before.size(), -Extended.bytes(name));
  }

  /** Stores an inode with so many more bytes of values and names. */
  private static NamespaceReply.Builder counted(
      Operation operation, Inode inode, int valueBytes, int nameBytes) {
    int values = inode.getExtendedValueBytes() + valueBytes;
    int names = inode.getExtendedNameBytes() + nameBytes;
    Refusal.unless(
        values <= Extended.BYTES_MAX && names <= Extended.BYTES_MAX,
        ErrorCode.NO_SPACE,
        "attributes: inode="
            + inode.getId()
            + " valueBytes="
            + values
            + " nameBytes="
            + names
            + " max="
            + Extended.BYTES_MAX);
    Inode counted =
        inode.toBuilder()
            .setExtendedValueBytes(values)
            .setExtendedNameBytes(names)
            .setChangedNanos(operation.nowNanos())
            .build();
    operation.tree().put(counted);
    return Operation.reply(counted);
  }
}

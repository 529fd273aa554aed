package luciola.meta.namespace.tree;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Extended attributes: their keys, and who may read and change which, as xattr(7) says. How many
 * bytes an inode has of them is kept in the inode.
 */
public final class Extended {
  public static final int NAME_BYTES_MAX = 255;
  public static final int VALUE_BYTES_MAX = 64 << 10;

  /** Of all values of an inode, and of all its names. */
  public static final int BYTES_MAX = 64 << 10;

  private static final ByteString USER = ByteString.copyFromUtf8("user.");
  private static final ByteString TRUSTED = ByteString.copyFromUtf8("trusted.");
  private static final ByteString SECURITY = ByteString.copyFromUtf8("security.");

  private final KeyValueView view;
  private final @Nullable Changes changes;

  Extended(KeyValueView view, @Nullable Changes changes) {
    this.view = view;
    this.changes = changes;
  }

  private Changes changes() {
    if (changes == null) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "a read changes an attribute");
    }
    return changes;
  }

  /** The value of a name. */
  public Optional<ByteString> value(long inode, ByteString name) {
    byte[] value = view.get(Family.EXTENDED, Tree.nameKey(inode, name));
    return value == null ? Optional.empty() : Optional.of(ByteString.copyFrom(value));
  }

  /** Every name of an inode, in byte order. */
  public List<ByteString> names(long inode) {
    var names = new ArrayList<ByteString>();
    view.scan(
        Family.EXTENDED,
        Tree.key(inode),
        Tree.key(inode + 1),
        (key, _) -> names.add(ByteString.copyFrom(key, Long.BYTES, key.length - Long.BYTES)));
    return names;
  }

  public void put(long inode, ByteString name, ByteString value) {
    changes().put(Family.EXTENDED, Tree.nameKey(inode, name), value.toByteArray());
  }

  public void remove(long inode, ByteString name) {
    changes().delete(Family.EXTENDED, Tree.nameKey(inode, name));
  }

  void removeAll(long inode) {
    names(inode).forEach(name -> remove(inode, name));
  }

  /** What a name takes of an inode's room, the zero byte after it included. */
  public static int bytes(ByteString name) {
    return name.size() + 1;
  }

  /** Refuses names that are none, and those of a kind that is not kept. */
  private static void requireName(ByteString name) {
    Refusal.unless(
        !name.isEmpty() && name.size() <= NAME_BYTES_MAX,
        ErrorCode.OUT_OF_RANGE,
        "attribute name: bytes=" + name.size() + " max=" + NAME_BYTES_MAX);
    Refusal.unless(
        name.startsWith(USER) || name.startsWith(TRUSTED) || name.startsWith(SECURITY),
        ErrorCode.UNSUPPORTED,
        "attributes are user.*, trusted.* or security.*: name=" + name.toStringUtf8());
    Refusal.unless(
        !name.equals(USER) && !name.equals(TRUSTED) && !name.equals(SECURITY) && !hasZero(name),
        ErrorCode.INVALID_ARGUMENT,
        "no attribute name: name=" + name.toStringUtf8());
  }

  private static boolean hasZero(ByteString name) {
    for (int i = 0; i < name.size(); i++) {
      if (name.byteAt(i) == 0) {
        return true;
      }
    }
    return false;
  }

  /** Checks that a value may be asked for. */
  public static void requireRead(Inode inode, Identity who, ByteString name) {
    requireName(name);
    if (name.startsWith(USER)) {
      Refusal.unless(hasUserNames(inode), ErrorCode.NO_ATTRIBUTE, missing(inode, name));
      Permissions.require(inode, who, Permissions.READ);
    }
    Refusal.unless(isShown(who, name), ErrorCode.NO_ATTRIBUTE, missing(inode, name));
  }

  /** Checks that a value may be set or removed. */
  public static void requireWrite(Inode inode, Identity who, ByteString name) {
    requireName(name);
    if (!name.startsWith(USER)) {
      Refusal.unless(
          who.getUid() == 0,
          ErrorCode.NOT_PERMITTED,
          "set by user 0 only: name=" + name.toStringUtf8());
      return;
    }
    Refusal.unless(
        hasUserNames(inode),
        ErrorCode.NOT_PERMITTED,
        "only files and directories have user attributes: inode=" + inode.getId());
    Refusal.unless(
        inode.getType() != InodeType.INODE_TYPE_DIRECTORY
            || (inode.getMode() & Permissions.STICKY) == 0
            || Permissions.owns(inode, who),
        ErrorCode.NOT_PERMITTED,
        "sticky directory of another user: inode=" + inode.getId());
    Permissions.require(inode, who, Permissions.WRITE);
  }

  /** Whether the asker may know of a name. */
  public static boolean isShown(Identity who, ByteString name) {
    return who.getUid() == 0 || !name.startsWith(TRUSTED);
  }

  private static boolean hasUserNames(Inode inode) {
    return inode.getType() == InodeType.INODE_TYPE_FILE
        || inode.getType() == InodeType.INODE_TYPE_DIRECTORY;
  }

  /** Says that an attribute is not there. */
  public static String missing(Inode inode, ByteString name) {
    return "inode=" + inode.getId() + " name=" + name.toStringUtf8();
  }
}

package luciola.meta.namespace.change;

import com.google.protobuf.ByteString;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Layout;
import luciola.grpc.v1.NamespaceCounters;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.layout.FileLayout;
import luciola.protocol.routing.ChainTable;

/** A new inode with its first name: what creating a file, directory or link share. */
final class NewInode {
  static final int STRIPE_DEFAULT = 16;

  private NewInode() {}

  /** An inode that is not stored yet; it belongs to the asker, or to a setgid directory's group. */
  static Inode.Builder of(Operation operation, Inode directory, InodeType type, int mode) {
    boolean inheritsGroup = (directory.getMode() & Permissions.SET_GID) != 0;
    boolean isDirectory = type == InodeType.INODE_TYPE_DIRECTORY;
    int bits = mode & Permissions.MODE_MASK;
    Inode.Builder inode =
        Inode.newBuilder()
            .setId(operation.tree().newInode())
            .setType(type)
            .setMode(inheritsGroup && isDirectory ? bits | Permissions.SET_GID : bits)
            .setUid(operation.who().getUid())
            .setGid(inheritsGroup ? directory.getGid() : operation.who().getGid())
            .setAccessedNanos(operation.nowNanos())
            .setModifiedNanos(operation.nowNanos())
            .setChangedNanos(operation.nowNanos())
            .setNlink(isDirectory ? 2 : 1);
    if (isDirectory) {
      inode.setParent(directory.getId());
      if (directory.hasInheritedLayout()) {
        inode.setInheritedLayout(directory.getInheritedLayout());
      }
    }
    return inode;
  }

  /** Stores an inode under a name that is free; the directory's permission is checked here. */
  static Inode add(Operation operation, Walk.Place place, Inode inode) {
    return add(operation, place.parent(), place.name(), inode);
  }

  static Inode add(Operation operation, Inode directory, ByteString name, Inode inode) {
    Permissions.requireChange(directory, operation.who());
    operation.tree().put(inode);
    operation.tree().putName(directory.getId(), name, inode);
    operation.touch(directory, inode.getType() == InodeType.INODE_TYPE_DIRECTORY ? 1 : 0);
    return inode;
  }

  /**
   * Layout of a new file on the newest table: what was asked for, else what the directory hands
   * down, else 4 MiB chunks over up to 16 chains. Stripes start round-robin; the order is seeded by
   * the inode's number.
   */
  static Layout layout(
      Operation operation, Inode directory, long inode, int askedChunkBytes, int askedStripe) {
    ChainTable table =
        operation
            .table()
            .orElseThrow(() ->
                new Refusal(
                    ErrorCode.NO_CHAIN_TABLE,
                    "no chain table yet: register storage-servers, then create one"));
    Layout inherited = directory.getInheritedLayout();
    int chunkBytes = firstOf(askedChunkBytes, inherited.getChunkBytes());
    chunkBytes = firstOf(chunkBytes, FileLayout.CHUNK_BYTES_DEFAULT);
    requireChunkBytes(chunkBytes);
    int chains = table.chains().size();
    int stripe = firstOf(firstOf(askedStripe, inherited.getStripe()), STRIPE_DEFAULT);
    Refusal.unless(stripe > 0, ErrorCode.INVALID_ARGUMENT, "stripe=" + stripe);
    NamespaceCounters.Builder counters = operation.tree().counters();
    int start = Integer.remainderUnsigned(counters.getFileCount(), chains);
    operation.tree().count(counters.setFileCount(counters.getFileCount() + 1));
    return Layout.newBuilder()
        .setTableId(table.id().value())
        .setTableVersion(table.version())
        .setChunkBytes(chunkBytes)
        .setStripe(Math.min(stripe, chains))
        .setStart(start)
        .setSeed(mix(inode))
        .build();
  }

  static void requireChunkBytes(int chunkBytes) {
    Refusal.unless(
        chunkBytes >= FileLayout.CHUNK_BYTES_MIN
            && chunkBytes <= FileLayout.CHUNK_BYTES_MAX
            && Integer.bitCount(chunkBytes) == 1,
        ErrorCode.INVALID_ARGUMENT,
        "chunk bytes must be a power of two from 65536 to 67108864: chunkBytes=" + chunkBytes);
  }

  private static int firstOf(int asked, int otherwise) {
    return asked != 0 ? asked : otherwise;
  }

  /** A bijection of 64 bits (the finisher of MurmurHash3), so that files differ in order. */
  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 33)) * 0xFF51AFD7ED558CCDL;
    z = (z ^ (z >>> 33)) * 0xC4CEB9FE1A85EC53L;
    return z ^ (z >>> 33);
  }
}

package luciola.meta.namespace.tree;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.StoredDentry;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Whole families of the namespace in the order of their keys. */
public final class Scans {
  private final KeyValueView view;

  public Scans(KeyValueView view) {
    this.view = view;
  }

  /** Takes one record after the other. */
  public interface Visitor<T> {
    /** Returns whether the next one is wanted. */
    boolean visit(T record);
  }

  /** One name, wherever it is. */
  public record Dentry(long directory, ByteString name, long inode, InodeType type) {}

  private interface Parser<T> {
    T parse(byte[] key, byte[] value) throws InvalidProtocolBufferException;
  }

  private <T> void scan(Family family, byte[] from, Visitor<T> visitor, Parser<T> parser) {
    view.scan(
        family,
        from,
        null,
        (key, value) -> {
          try {
            return visitor.visit(parser.parse(key, value));
          } catch (InvalidProtocolBufferException e) {
            throw new LuciolaException(
                ErrorCode.INVARIANT_BROKEN, "unreadable record: family=" + family + " " + e, e);
          }
        });
  }

  private static byte[] key(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }

  /** Inodes by number. */
  public void inodes(long from, Visitor<Inode> visitor) {
    scan(Family.INODE, key(from), visitor, (_, value) -> Inode.parseFrom(value));
  }

  /** Every name, by directory and name. */
  public void names(Visitor<Dentry> visitor) {
    scan(
        Family.DENTRY,
        new byte[0],
        visitor,
        (key, value) -> {
          StoredDentry dentry = StoredDentry.parseFrom(value);
          return new Dentry(
              ByteBuffer.wrap(key).getLong(),
              ByteString.copyFrom(key, Long.BYTES, key.length - Long.BYTES),
              dentry.getInode(),
              dentry.getType());
        });
  }

  /** Sessions by the number of their inode. */
  public void sessions(long fromInode, Visitor<Sessions.Key> visitor) {
    scan(
        Family.SESSION,
        key(fromInode),
        visitor,
        (key, _) -> {
          ByteBuffer at = ByteBuffer.wrap(key);
          return new Sessions.Key(at.getLong(), at.getLong(), at.getLong());
        });
  }

  /** Every record of garbage, oldest first. */
  public void garbage(Visitor<Tree.Garbage> visitor) {
    scan(
        Family.GARBAGE,
        new byte[0],
        visitor,
        (key, value) -> new Tree.Garbage(ByteBuffer.wrap(key).getLong(), Inode.parseFrom(value)));
  }
}

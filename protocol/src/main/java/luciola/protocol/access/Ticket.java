package luciola.protocol.access;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a meta-server says of a caller to storage-servers. Little-endian, signed as {@link
 * TicketKeys} does:
 *
 * <pre>
 *   0     1       2      4        8        16      24       32               40           72
 *   +-----+-------+------+--------+--------+-------+--------+----------------+------------+
 *   |kind |rights | 0    | key id | caller | user  | inode  | expires, s     | HMAC-SHA256|
 *   |u8   |u8     | u16  | u32    | i64    | i64   | i64    | since 1970 i64 | of 0..39   |
 *   +-----+-------+------+--------+--------+-------+--------+----------------+------------+
 * </pre>
 *
 * @param kind what it is
 * @param rights bits of {@link #READ}, {@link #WRITE}, {@link #ADMIN} and {@link #SERVER}
 * @param caller number of the instance it was given to, as its Hello says
 * @param user number of the user; 0: none
 * @param inode of a capability; 0 in a pass
 * @param expiresSeconds since 1970; good until then
 */
public record Ticket(
    Kind kind, int rights, long caller, long user, long inode, long expiresSeconds) {
  /** The inode's chunks may be read and listed. */
  public static final int READ = 1;

  /** The inode's chunks may be changed and listed. */
  public static final int WRITE = 2;

  /** Of a pass: every chunk may be read, changed and listed. */
  public static final int ADMIN = 4;

  /** Of a pass: a server of the cluster. */
  public static final int SERVER = 8;

  static final int SIGNED_BYTES = 40;

  /** What a ticket is. */
  public enum Kind {
    /** Who calls; shown with the Hello. */
    PASS(1),
    /** What may be done to one inode; shown with requests. */
    CAPABILITY(2);

    private final int number;

    Kind(int number) {
      this.number = number;
    }
  }

  /** Whether it gives at least one of these rights. */
  public boolean allowsAny(int wanted) {
    return (rights & wanted) != 0;
  }

  /** The same until another time. */
  public Ticket until(long newExpiresSeconds) {
    return new Ticket(kind, rights, caller, user, inode, newExpiresSeconds);
  }

  /** The bytes that are signed, with room for the signature. */
  byte[] write(int key) {
    byte[] bytes = new byte[SealedTicket.BYTES];
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) kind.number)
        .put((byte) rights)
        .putShort((short) 0)
        .putInt(key)
        .putLong(caller)
        .putLong(user)
        .putLong(inode)
        .putLong(expiresSeconds);
    return bytes;
  }

  static Ticket read(ByteBuffer in) {
    return new Ticket(
        in.get(0) == Kind.PASS.number ? Kind.PASS : Kind.CAPABILITY,
        in.get(1),
        in.getLong(8),
        in.getLong(16),
        in.getLong(24),
        in.getLong(32));
  }

  static boolean isWellFormed(ByteBuffer in) {
    return (in.get(0) == Kind.PASS.number || in.get(0) == Kind.CAPABILITY.number)
        && (in.get(1) & ~(READ | WRITE | ADMIN | SERVER)) == 0
        && in.getShort(2) == 0;
  }
}

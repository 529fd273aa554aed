package luciola.protocol.access;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The bytes of a signed ticket, as they travel; what they say is believed after a check only. */
public final class SealedTicket {
  /** Length on the wire. */
  public static final int BYTES = 72;

  private static final int HASH_OFFSET = 40;

  private final byte[] bytes;

  private SealedTicket(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * These bytes.
   *
   * @throws IllegalArgumentException if there are not 72
   */
  public static SealedTicket of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("a ticket has 72 bytes: bytes=" + bytes.length);
    }
    return new SealedTicket(bytes.clone());
  }

  /** A copy of the bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  ByteBuffer view() {
    return ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asReadOnlyBuffer()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What it claims to be, for who got it from a meta-server and shows it. */
  public Ticket claimed() {
    return Ticket.read(view());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SealedTicket ticket && Arrays.equals(bytes, ticket.bytes);
  }

  @Override
  public int hashCode() {
    return ByteBuffer.wrap(bytes).getInt(HASH_OFFSET);
  }

  @Override
  public String toString() {
    return "(ticket)";
  }
}

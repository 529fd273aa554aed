package luciola.protocol.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClusterId;
import org.junit.jupiter.api.Test;

class FrameTicketsTest {
  private static final Hello HELLO = new Hello(new ClusterId(3), Hello.PROTOCOL_VERSION, 4);

  private static SealedTicket ticket(int fill) {
    byte[] bytes = new byte[SealedTicket.BYTES];
    java.util.Arrays.fill(bytes, (byte) fill);
    return SealedTicket.of(bytes);
  }

  private static void assertMalformed(ByteBuffer bytes) {
    var fault =
        assertThrows(
            LuciolaException.class,
            () -> {
              FramePrefix prefix = FramePrefix.decode(bytes);
              var _ = FrameCodec.decode(prefix, bytes.slice());
            });
    assertEquals(ErrorCode.MALFORMED_FRAME, fault.code());
  }

  /** A prefix for this body that is right but for what the body says. */
  private static ByteBuffer framed(int type, byte[] body, boolean ticketed) {
    ByteBuffer out = ByteBuffer.allocate(FramePrefix.BYTES + body.length);
    new FramePrefix(type, 1, body.length, 0, FramePrefix.crc(ByteBuffer.wrap(body)), ticketed)
        .encode(out);
    return out.put(body).flip();
  }

  @Test
  void ticketsTravelBeforeTheBodyOfARequest() {
    List<SealedTicket> tickets = List.of(ticket(1), ticket(2), ticket(1));
    ByteBuffer encoded = FrameCodec.encode(9, HELLO, tickets);
    ByteBuffer plain = FrameCodec.encode(9, HELLO);
    assertEquals(plain.remaining() + 2 + 3 * SealedTicket.BYTES, encoded.remaining());
    FramePrefix prefix = FramePrefix.decode(encoded);
    assertEquals(HELLO, FrameCodec.decode(prefix, encoded.slice()));
    assertEquals(tickets, FrameCodec.tickets(prefix, encoded.slice()));
    FramePrefix plainPrefix = FramePrefix.decode(plain);
    assertEquals(List.of(), FrameCodec.tickets(plainPrefix, plain.slice()));
  }

  @Test
  void asManyAsMayBe() {
    List<SealedTicket> most = Collections.nCopies(FrameCodec.TICKETS_MAX, ticket(7));
    ByteBuffer encoded = FrameCodec.encode(9, HELLO, most);
    FramePrefix prefix = FramePrefix.decode(encoded);
    assertEquals(most, FrameCodec.tickets(prefix, encoded.slice()));
    List<SealedTicket> more = Collections.nCopies(FrameCodec.TICKETS_MAX + 1, ticket(7));
    assertThrows(LuciolaException.class, () -> FrameCodec.encode(9, HELLO, more));
    assertThrows(
        LuciolaException.class,
        () -> FrameCodec.encode(9, new HelloReply(ErrorCode.OK, 1, 1), List.of(ticket(1))));
  }

  @Test
  void lyingNumbersOfTicketsAreRefused() {
    ByteBuffer plain = FrameCodec.encode(1, HELLO).position(FramePrefix.BYTES);
    byte[] hello = new byte[plain.remaining()];
    plain.get(hello);
    for (int count :
        new int[] {0, 1, 2, FrameCodec.TICKETS_MAX, FrameCodec.TICKETS_MAX + 1, 0xffff}) {
      byte[] body =
          ByteBuffer.allocate(2 + hello.length)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putShort((short) count)
              .put(hello)
              .array();
      assertMalformed(framed(1, body, true));
    }
    assertMalformed(framed(1, hello, true));
    byte[] one =
        ByteBuffer.allocate(2 + SealedTicket.BYTES + hello.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort((short) 1)
            .position(2 + SealedTicket.BYTES)
            .put(hello)
            .array();
    assertMalformed(framed(1, one, false));
  }

  @Test
  void repliesAndUnknownFlagsAreRefused() {
    assertMalformed(framed(129, new byte[20], true));
    ByteBuffer bytes = framed(1, new byte[20], true);
    bytes.putShort(6, (short) 0x0300);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putInt(28, FramePrefix.crc(bytes.slice(0, 28)));
    assertMalformed(bytes);
  }
}

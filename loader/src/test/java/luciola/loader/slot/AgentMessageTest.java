package luciola.loader.slot;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class AgentMessageTest {
  private static final BatchMessage BATCH =
      new BatchMessage(7, 2, 1, 8192, 516, 4, 3, 129, 1, 5, 96, 6, 0, 12288, 0);

  private static String hex(AgentMessage message) {
    ByteBuffer frame = AgentMessage.encode(message);
    byte[] bytes = new byte[frame.remaining()];
    frame.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static AgentMessage decode(ByteBuffer frame) {
    ByteBuffer bytes = frame.order(LITTLE_ENDIAN);
    int kind = bytes.getInt();
    int length = AgentMessage.bodyBytes(kind, bytes.getInt());
    return AgentMessage.decode(kind, bytes.slice(8, length).order(LITTLE_ENDIAN));
  }

  @Test
  void haveTheBytesOfTheDocument() {
    assertEquals(
        "0200000060000000"
            + "0700000000000000"
            + "02000000"
            + "01000000"
            + "0020000000000000"
            + "0402000000000000"
            + "04000000"
            + "03000000"
            + "81000000"
            + "01000000"
            + "0500000000000000"
            + "6000000000000000"
            + "0600000000000000"
            + "0000000000000000"
            + "0030000000000000"
            + "0000000000000000",
        hex(BATCH));
    assertEquals(
        "0300000010000000" + "0700000000000000" + "02000000" + "00000000",
        hex(new AgentMessage.Release(2, 7)));
    assertEquals(
        "010000000f000000"
            + HexFormat.of()
                .formatHex("{\"op\":\"mapped\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8)),
        hex(new AgentMessage.Control(AgentMessage.json().put("op", "mapped"))));
  }

  @Test
  void readBackWhatWasWritten() {
    AgentMessage control = new AgentMessage.Control(AgentMessage.json().put("op", "stat"));
    AgentMessage release = new AgentMessage.Release(9, 1L << 40);
    assertEquals(BATCH, decode(AgentMessage.encode(BATCH)));
    assertEquals(control, decode(AgentMessage.encode(control)));
    assertEquals(release, decode(AgentMessage.encode(release)));
  }

  @Test
  void randomBytesAreRefusedOrDecodedButNeverBreak() {
    Random random = new Random(4);
    int refused = 0;
    for (int run = 0; run < 20_000; run++) {
      byte[] bytes = new byte[8 + 96];
      random.nextBytes(bytes);
      ByteBuffer frame = ByteBuffer.wrap(bytes).order(LITTLE_ENDIAN);
      if (run % 2 == 0) {
        frame.putInt(0, random.nextInt(5)).putInt(4, random.nextInt(97));
      }
      try {
        decode(frame);
      } catch (LuciolaException e) {
        assertEquals(ErrorCode.MALFORMED_FRAME, e.code());
        refused++;
      }
    }
    assertEquals(true, refused > 15_000);
  }

  @Test
  void aBatchMustPointIntoTheRegion() {
    BATCH.requireInside(16384);
    assertOutside(16384 - 4097);
    assertOutside(8192);
    assertOutside(0);
  }

  private static void assertOutside(long regionBytes) {
    LuciolaException refused =
        assertThrows(LuciolaException.class, () -> BATCH.requireInside(regionBytes));
    assertEquals(ErrorCode.MALFORMED_FRAME, refused.code());
  }
}

package luciola.loader.slot;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * What goes over the agent's socket. A frame is 8 bytes of header and a body:
 *
 * <pre>
 *   0  u8   kind: 1 control, 2 batch, 3 release
 *   1  u8   zero
 *   2  u16  zero
 *   4  u32  length of the body
 * </pre>
 */
public sealed interface AgentMessage
    permits AgentMessage.Control, AgentMessage.Release, BatchMessage {
  /** Version of this protocol; an agent and a trainer must agree on it. */
  int PROTOCOL = 1;

  int HEADER_BYTES = 8;

  /** Largest control body. */
  int CONTROL_BYTES_MAX = 8 << 20;

  /** Requests, replies and events, as a JSON object. */
  record Control(ObjectNode body) implements AgentMessage {}

  /** A slot goes back to the agent: u64 sequence, u32 slot, u32 zero. */
  record Release(int slot, long sequence) implements AgentMessage {
    static final int BYTES = 16;
  }

  /** An empty JSON object to fill. */
  static ObjectNode json() {
    return Json.MAPPER.createObjectNode();
  }

  /** Header and body, ready to be sent. */
  static ByteBuffer encode(AgentMessage message) {
    return switch (message) {
      case Control(ObjectNode body) -> {
        byte[] text = Json.bytes(body);
        if (text.length > CONTROL_BYTES_MAX) {
          throw new LuciolaException(
              ErrorCode.INVALID_ARGUMENT,
              "send control: too long: bytes=" + text.length + " bytesMax=" + CONTROL_BYTES_MAX);
        }
        yield frame(1, text.length).put(text).flip();
      }
      case BatchMessage batch -> {
        ByteBuffer frame = frame(2, BatchMessage.BYTES);
        batch.encode(frame);
        yield frame.flip();
      }
      case Release(int slot, long sequence) ->
          frame(3, Release.BYTES).putLong(sequence).putInt(slot).putInt(0).flip();
    };
  }

  private static ByteBuffer frame(int kind, int bodyBytes) {
    return ByteBuffer.allocate(HEADER_BYTES + bodyBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(kind)
        .putInt(bodyBytes);
  }

  /**
   * Length of the body that follows a header.
   *
   * @throws LuciolaException MALFORMED_FRAME
   */
  static int bodyBytes(int kind, int length) {
    boolean fits =
        switch (kind) {
          case 1 -> length >= 2 && length <= CONTROL_BYTES_MAX;
          case 2 -> length == BatchMessage.BYTES;
          case 3 -> length == Release.BYTES;
          default -> false;
        };
    if (!fits) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME, "receive: bad header: kind=" + kind + " length=" + length);
    }
    return length;
  }

  /** The message of a checked header and its whole body, little-endian. */
  static AgentMessage decode(int kind, ByteBuffer body) {
    return switch (kind) {
      case 1 -> new Control(Json.object(body));
      case 2 -> BatchMessage.decode(body);
      case 3 -> {
        long sequence = body.getLong();
        yield new Release(body.getInt(), sequence);
      }
      default ->
          throw new LuciolaException(
              ErrorCode.MALFORMED_FRAME, "receive: unknown kind: kind=" + kind);
    };
  }

  /** JSON both ways. */
  final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    private static byte[] bytes(ObjectNode body) {
      try {
        return MAPPER.writeValueAsBytes(body);
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("a tree of plain values always encodes", e);
      }
    }

    private static ObjectNode object(ByteBuffer body) {
      byte[] text = new byte[body.remaining()];
      body.get(text);
      try {
        JsonNode node = MAPPER.readTree(text);
        if (node instanceof ObjectNode object) {
          return object;
        }
      } catch (IOException e) {
        throw new LuciolaException(
            ErrorCode.MALFORMED_FRAME, "receive control: not JSON: bytes=" + text.length, e);
      }
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME, "receive control: no JSON object: bytes=" + text.length);
    }
  }
}

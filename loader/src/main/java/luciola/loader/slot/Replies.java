package luciola.loader.slot;

import com.fasterxml.jackson.databind.node.ObjectNode;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Replies and events of the agent, and faults as they travel, in control messages. */
public final class Replies {
  private Replies() {}

  /** The beginning of a reply to a request that was done. */
  public static ObjectNode ok(ObjectNode request) {
    ObjectNode body = AgentMessage.json();
    body.put("id", request.path("id").asLong()).put("ok", true);
    return body;
  }

  /** The reply to one that was not. */
  public static ObjectNode failed(ObjectNode request, Throwable fault) {
    ObjectNode body = AgentMessage.json();
    body.put("id", request.path("id").asLong()).put("ok", false);
    body.set("error", error(fault));
    return body;
  }

  /** Says what went wrong without a request. */
  public static ObjectNode errorEvent(Throwable fault) {
    ObjectNode body = AgentMessage.json();
    body.put("event", "error");
    body.set("error", error(fault));
    return body;
  }

  private static ObjectNode error(Throwable fault) {
    ErrorCode code =
        switch (fault) {
          case LuciolaException known -> known.code();
          case IllegalArgumentException _ -> ErrorCode.INVALID_ARGUMENT;
          default -> ErrorCode.INTERNAL;
        };
    String message =
        fault instanceof LuciolaException
            ? String.valueOf(fault.getMessage())
            : code
                + ": "
                + (fault instanceof IllegalArgumentException
                    ? ""
                    : fault.getClass().getSimpleName() + ": ")
                + fault.getMessage();
    ObjectNode error = AgentMessage.json();
    error.put("code", code.name()).put("number", code.number()).put("errno", code.errno());
    error.put("message", message);
    return error;
  }

  /** The fault of a failed reply or an error event, as the receiver throws it. */
  public static LuciolaException fault(ObjectNode body) {
    ErrorCode code = ErrorCode.ofNumber(body.path("error").path("number").asInt());
    String message = body.path("error").path("message").asText("no message");
    String prefix = code + ": ";
    return new LuciolaException(
        code, message.startsWith(prefix) ? message.substring(prefix.length()) : message);
  }
}

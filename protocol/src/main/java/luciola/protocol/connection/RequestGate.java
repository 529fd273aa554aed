package luciola.protocol.connection;

import java.util.List;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Request;

/** What one connection lets pass, its Hello first. On the connection's event loop, never blocks. */
@FunctionalInterface
public interface RequestGate {
  /** Lets everything pass. */
  RequestGate OPEN = (_, _) -> ErrorCode.OK;

  /** OK, or the code that the request is refused with. */
  ErrorCode admit(Request request, List<SealedTicket> shown);

  /** Makes a gate for each connection. */
  @FunctionalInterface
  interface Factory {
    /** Everything passes everywhere. */
    Factory OPEN = _ -> RequestGate.OPEN;

    /** For a connection with that other end. */
    RequestGate forPeer(String peer);
  }
}

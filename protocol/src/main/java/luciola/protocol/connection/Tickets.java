package luciola.protocol.connection;

import java.util.List;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.frame.Request;

/** What a caller shows with its requests. Any thread; must not block. */
@FunctionalInterface
public interface Tickets {
  /** Shows nothing. */
  Tickets NONE = _ -> List.of();

  /** At most {@link luciola.protocol.frame.FrameCodec#TICKETS_MAX}. */
  List<SealedTicket> of(Request request);
}

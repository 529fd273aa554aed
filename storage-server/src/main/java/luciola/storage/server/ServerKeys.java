package luciola.storage.server;

import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.DataKey;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.access.Ticket;
import luciola.protocol.access.TicketGate;
import luciola.protocol.access.TicketKeys;
import luciola.protocol.audit.AuditLine;
import luciola.protocol.audit.AuditLog;
import luciola.protocol.connection.RequestGate;
import luciola.protocol.connection.Tickets;
import luciola.protocol.control.DataKeyMessages;
import luciola.protocol.control.WallTime;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.Request;

/**
 * The keys that the cluster manager gave this server: what callers show is checked with them, and
 * this server signs with them what it shows to other servers.
 */
final class ServerKeys implements RequestGate.Factory, Tickets {
  /** A connection is made at once with the pass that is signed for it. */
  private static final long PASS_SECONDS = 60;

  private final boolean required;
  private volatile AuditLog audit = AuditLog.NONE;
  private volatile List<DataKey> known = List.of();
  private volatile TicketKeys keys = TicketKeys.NONE;

  ServerKeys(boolean required) {
    this.required = required;
  }

  /** From now on refusals are written down. */
  void recordIn(AuditLog log) {
    audit = log;
  }

  /** Takes what came with the answer to a heartbeat. */
  void learned(List<DataKey> told) {
    if (!told.equals(known)) {
      keys = DataKeyMessages.keys(told);
      known = told;
    }
  }

  private static long nowSeconds() {
    return TimeUnit.NANOSECONDS.toSeconds(WallTime.nanos());
  }

  @Override
  public RequestGate forPeer(String peer) {
    if (!required) {
      return RequestGate.OPEN;
    }
    var gate = new TicketGate(() -> keys, ServerKeys::nowSeconds);
    return (request, shown) -> {
      ErrorCode code = gate.admit(request, shown);
      if (code != ErrorCode.OK && code != ErrorCode.NO_LEASE) {
        audit.write(
            new AuditLine()
                .with("event", "denied")
                .with("user", gate.user())
                .with("peer", peer)
                .with("call", request.getClass().getSimpleName())
                .with("tickets", shown.size())
                .with("code", code));
      }
      return code;
    };
  }

  @Override
  public List<SealedTicket> of(Request request) {
    TicketKeys signing = keys;
    if (!(request instanceof Hello hello) || signing.isEmpty()) {
      return List.of();
    }
    long now = nowSeconds();
    return List.of(
        signing.seal(
            new Ticket(Ticket.Kind.PASS, Ticket.SERVER, hello.caller(), 0, 0, now + PASS_SECONDS),
            now));
  }
}

package luciola.protocol.access;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.FetchRequest;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionRequest;

/**
 * What one connection of a storage-server lets pass. The pass of the Hello says who calls and ties
 * the connection to that caller; a request of a user shows a capability of that very caller and
 * user for every inode that it concerns, or an administrator's pass. Servers show their pass once.
 *
 * <p>Tickets that were checked before on this connection are known by their bytes; that they have
 * not expired is looked at each time. One thread.
 */
public final class TicketGate {
  /** Tickets remembered; the ones not used for longest are forgotten. */
  static final int KNOWN_MAX = 1024;

  private final Supplier<TicketKeys> keys;
  private final LongSupplier nowSeconds;
  private final Known known = new Known();
  private long caller;
  private long user;
  private boolean server;

  private static final class Known extends LinkedHashMap<SealedTicket, Ticket> {
    Known() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<SealedTicket, Ticket> eldest) {
      return size() > KNOWN_MAX;
    }
  }

  /**
   * @param keys the present keys
   * @param nowSeconds time since 1970
   */
  public TicketGate(Supplier<TicketKeys> keys, LongSupplier nowSeconds) {
    this.keys = keys;
    this.nowSeconds = nowSeconds;
  }

  /** Number of the user that the connection is of; 0: of a server, or of nobody yet. */
  public long user() {
    return user;
  }

  /**
   * Whether a request may pass with what was shown with it.
   *
   * @return OK; UNAUTHENTICATED where no good pass was shown; NOT_PERMITTED where the caller may
   *     not; NO_LEASE if the keys are not known yet: the caller tries again
   */
  public ErrorCode admit(Request request, List<SealedTicket> shown) {
    if (request instanceof Hello hello) {
      return greet(hello, shown);
    }
    return server ? ErrorCode.OK : admitUser(request, shown);
  }

  private ErrorCode greet(Hello hello, List<SealedTicket> shown) {
    if (shown.size() != 1) {
      return ErrorCode.UNAUTHENTICATED;
    }
    TicketKeys.Opened opened = keys.get().open(shown.getFirst());
    if (opened.ticket().isEmpty()) {
      return opened.code();
    }
    Ticket pass = opened.ticket().get();
    if (pass.kind() != Ticket.Kind.PASS
        || pass.caller() != hello.caller()
        || pass.expiresSeconds() <= nowSeconds.getAsLong()) {
      return ErrorCode.UNAUTHENTICATED;
    }
    caller = pass.caller();
    user = pass.user();
    server = pass.allowsAny(Ticket.SERVER);
    return ErrorCode.OK;
  }

  private ErrorCode admitUser(Request request, List<SealedTicket> shown) {
    return switch (request) {
      case ReadRequest read -> read(read, shown);
      case UpdateRequest update -> one(update.chunk().inode().value(), Ticket.WRITE, shown);
      case ChunkListRequest list -> one(list.inode().value(), Ticket.READ | Ticket.WRITE, shown);
      case InventoryRequest _ -> one(0, 0, shown);
      case Hello _,
          ForwardRequest _,
          VersionRequest _,
          SyncStartRequest _,
          DedupRequest _,
          SyncDoneRequest _,
          FetchRequest _,
          CollectRequest _,
          ForgetRequest _ ->
          ErrorCode.NOT_PERMITTED;
    };
  }

  private ErrorCode one(long inode, int rights, List<SealedTicket> shown) {
    ErrorCode refusal = ErrorCode.NOT_PERMITTED;
    for (SealedTicket sealed : shown) {
      TicketKeys.Opened opened = good(sealed);
      if (opened.ticket().isEmpty()) {
        refusal = worse(refusal, opened.code());
      } else if (covers(opened.ticket().get(), inode, rights)) {
        return ErrorCode.OK;
      }
    }
    return refusal;
  }

  private ErrorCode read(ReadRequest read, List<SealedTicket> shown) {
    var held = new HashSet<Long>();
    ErrorCode refusal = ErrorCode.NOT_PERMITTED;
    for (SealedTicket sealed : shown) {
      TicketKeys.Opened opened = good(sealed);
      if (opened.ticket().isEmpty()) {
        refusal = worse(refusal, opened.code());
        continue;
      }
      Ticket ticket = opened.ticket().get();
      if (ticket.kind() == Ticket.Kind.PASS) {
        if (ticket.allowsAny(Ticket.ADMIN)) {
          return ErrorCode.OK;
        }
      } else if (ticket.allowsAny(Ticket.READ)) {
        held.add(ticket.inode());
      }
    }
    for (ReadRequest.Range range : read.ranges()) {
      if (!held.contains(range.chunk().inode().value())) {
        return refusal;
      }
    }
    return ErrorCode.OK;
  }

  /** That keys are missing is worth another try; else a forgery tells more than a missing right. */
  private static ErrorCode worse(ErrorCode one, ErrorCode other) {
    return one == ErrorCode.NO_LEASE || other == ErrorCode.NOT_PERMITTED ? one : other;
  }

  private static boolean covers(Ticket ticket, long inode, int rights) {
    return switch (ticket.kind()) {
      case PASS -> ticket.allowsAny(Ticket.ADMIN);
      case CAPABILITY -> ticket.inode() == inode && ticket.allowsAny(rights);
    };
  }

  /** The ticket, if it is genuine, this connection's own and not expired. */
  private TicketKeys.Opened good(SealedTicket sealed) {
    Ticket ticket = known.get(sealed);
    if (ticket == null) {
      TicketKeys.Opened opened = keys.get().open(sealed);
      if (opened.ticket().isEmpty()) {
        return opened;
      }
      ticket = opened.ticket().get();
      if (ticket.caller() != caller || ticket.user() != user) {
        return TicketKeys.Opened.refused(ErrorCode.NOT_PERMITTED);
      }
      known.put(sealed, ticket);
    }
    return ticket.expiresSeconds() > nowSeconds.getAsLong()
        ? new TicketKeys.Opened(ErrorCode.OK, Optional.of(ticket))
        : TicketKeys.Opened.refused(ErrorCode.NOT_PERMITTED);
  }
}

package luciola.meta.server;

import com.google.protobuf.ByteString;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.DataKey;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RenewAccessReply;
import luciola.grpc.v1.RenewAccessRequest;
import luciola.meta.access.AccessState;
import luciola.meta.access.Caller;
import luciola.meta.access.Grants;
import luciola.meta.log.MetaLog;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.access.Secret;
import luciola.protocol.access.Ticket;
import luciola.protocol.access.TicketKeys;
import luciola.protocol.control.DataKeyMessages;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.control.WallTime;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signs what callers show to storage-servers. Also sees to it that there is a young key: where this
 * member leads, a new one goes into the log when the newest is older than it may be.
 */
final class TicketDesk implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TicketDesk.class);
  private static final int RENEWED_MAX = 1024;

  /** Longer than any lease: who has not heard of a key by then does not serve. */
  private static final long SETTLE_NANOS_MAX = TimeUnit.SECONDS.toNanos(30);

  private static final long CHECK_MILLIS_MAX = 1_000;

  private final MetaLog log;
  private final SecuritySettings settings;
  private final SecureRandom random = new SecureRandom();
  private final ScheduledThreadPoolExecutor checks;
  private volatile Signing signing = new Signing(AccessState.EMPTY, TicketKeys.NONE);

  /** Keys as they are used, made anew only when the state has changed. */
  private record Signing(AccessState of, TicketKeys keys) {}

  TicketDesk(MetaLog log, SecuritySettings settings) {
    this.log = log;
    this.settings = settings;
    this.checks =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("meta-keys").daemon().factory());
    if (settings.required()) {
      long every = Math.min(CHECK_MILLIS_MAX, Math.max(10, settings.keyTime().toMillis() / 8));
      var _ = checks.scheduleWithFixedDelay(this::renewKey, 0, every, TimeUnit.MILLISECONDS);
    }
  }

  private void renewKey() {
    try {
      List<DataKey> keys = log.access().keys();
      boolean due =
          keys.isEmpty()
              || WallTime.nanos() - keys.getLast().getMadeNanos() > settings.keyTime().toNanos();
      if (!due || !log.leads()) {
        return;
      }
      byte[] secret = new byte[Secret.BYTES];
      random.nextBytes(secret);
      DataKey key =
          DataKey.newBuilder()
              .setId(keys.isEmpty() ? 1 : keys.getLast().getId() + 1)
              .setSecret(ByteString.copyFrom(secret))
              .setSettleNanos(Math.min(SETTLE_NANOS_MAX, settings.keyTime().toNanos() / 4))
              .build();
      var _ =
          log.submit(
                  Command.newBuilder().setAccess(AccessChange.newBuilder().setAddKey(key)).build())
              .get(10, TimeUnit.SECONDS);
      LOG.info("data key made: id={}", key.getId());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      LOG.info("data key not made yet: cause={}", e.toString());
    }
  }

  /** What storage-servers are told. */
  List<DataKey> keys() {
    return settings.required() ? log.access().keys() : List.of();
  }

  private TicketKeys signing() {
    AccessState now = log.access();
    Signing known = signing;
    if (!known.of().equals(now)) {
      known = new Signing(now, DataKeyMessages.keys(now.keys()));
      signing = known;
    }
    return known.keys();
  }

  private static long nowSeconds() {
    return TimeUnit.NANOSECONDS.toSeconds(WallTime.nanos());
  }

  private long expiresSeconds() {
    // Rounded up: a capability for less than a second is good for one.
    return nowSeconds() + Math.max(1, settings.capabilityTime().toSeconds());
  }

  /** The reply with the capabilities that follow from it. */
  NamespaceReply granted(Caller caller, NamespaceRequest request, NamespaceReply reply) {
    if (caller instanceof Caller.Anyone) {
      return reply;
    }
    List<Grants.Grant> grants = Grants.of(request, reply);
    TicketKeys keys = signing();
    if (grants.isEmpty() || keys.isEmpty()) {
      return reply;
    }
    NamespaceReply.Builder granted = reply.toBuilder();
    for (Grants.Grant grant : grants) {
      var capability =
          new Ticket(
              Ticket.Kind.CAPABILITY,
              grant.rights(),
              request.getClientId(),
              Grants.userOf(caller),
              grant.inode(),
              expiresSeconds());
      granted.addCapabilities(bytes(keys.seal(capability, nowSeconds())));
    }
    return granted.build();
  }

  private static ByteString bytes(SealedTicket sealed) {
    return ByteString.copyFrom(sealed.bytes());
  }

  /**
   * A pass, and capabilities anew.
   *
   * @throws LuciolaException OVERLOADED while there is no key yet
   */
  RenewAccessReply renewed(Caller caller, RenewAccessRequest request) {
    if (caller instanceof Caller.Anyone) {
      return RenewAccessReply.getDefaultInstance();
    }
    if (request.getCapabilitiesCount() > RENEWED_MAX || request.getClientId() == 0) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "renew: capabilities=" + request.getCapabilitiesCount() + " max=" + RENEWED_MAX);
    }
    TicketKeys keys = signing();
    if (keys.isEmpty()) {
      throw new LuciolaException(ErrorCode.OVERLOADED, "renew: there is no key yet");
    }
    long now = nowSeconds();
    var pass =
        new Ticket(
            Ticket.Kind.PASS,
            Grants.ofPass(caller),
            request.getClientId(),
            Grants.userOf(caller),
            0,
            expiresSeconds());
    RenewAccessReply.Builder reply =
        RenewAccessReply.newBuilder()
            .setPass(bytes(keys.seal(pass, now)))
            .setLifetimeNanos(Math.max(1_000_000_000, settings.capabilityTime().toNanos()));
    for (ByteString shown : request.getCapabilitiesList()) {
      reply.addCapabilities(
          opened(keys, shown)
              .flatMap(it -> Grants.again(it, caller, request.getClientId(), expiresSeconds()))
              .map(it -> bytes(keys.seal(it, now)))
              .orElse(ByteString.EMPTY));
    }
    return reply.build();
  }

  private static Optional<Ticket> opened(TicketKeys keys, ByteString shown) {
    return shown.size() == SealedTicket.BYTES
        ? keys.open(SealedTicket.of(shown.toByteArray())).ticket()
        : Optional.empty();
  }

  @Override
  public void close() {
    checks.shutdownNow();
  }
}

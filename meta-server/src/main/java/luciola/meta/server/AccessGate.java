package luciola.meta.server;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import luciola.meta.access.AccessRules;
import luciola.meta.access.AccessState;
import luciola.meta.access.CallKind;
import luciola.meta.access.Caller;
import luciola.meta.access.CertificateRules;
import luciola.meta.access.ShownCertificate;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;
import luciola.protocol.audit.AuditLine;
import luciola.protocol.audit.AuditLog;
import luciola.protocol.control.CredentialHeader;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.control.StatusTable;
import luciola.protocol.control.WallTime;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * What every call of every service passes: finds out who calls and whether they may. Runs on the
 * network's threads.
 */
final class AccessGate implements ServerInterceptor {
  private static final Context.Key<Session> SESSION = Context.key("luciola-session");
  private static final Session OPEN = new Session(null, "anyone", "");

  private final boolean required;
  private final Optional<Secret> clusterSecret;
  private final Supplier<AccessState> access;
  private final AuditLog audit;

  AccessGate(SecuritySettings settings, Supplier<AccessState> access, AuditLog audit) {
    this.required = settings.required();
    this.clusterSecret = settings.clusterSecret();
    this.access = access;
    this.audit = audit;
  }

  /** Who makes the present call. */
  static Session session() {
    return SESSION.get();
  }

  /** What was shown at the start of a call, for as long as it lasts. */
  static final class Session {
    private final @Nullable Supplier<Caller> check;
    private final String shown;
    private final String peer;

    private Session(@Nullable Supplier<Caller> check, String shown, String peer) {
      this.check = check;
      this.shown = shown;
      this.peer = peer;
    }

    /** What was shown, without what is secret of it. */
    String shown() {
      return shown;
    }

    /** Where the call comes from. */
    String peer() {
      return peer;
    }

    /**
     * Who calls, by what is known now.
     *
     * @throws LuciolaException UNAUTHENTICATED if what was shown is good no longer
     */
    Caller caller() {
      return check == null ? new Caller.Anyone() : check.get();
    }
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    var method = call.getMethodDescriptor();
    String peer = String.valueOf(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
    String shown = "nothing";
    try {
      Session session = required ? session(headers, call.getAttributes(), peer) : OPEN;
      shown = session.shown();
      Caller caller = session.caller();
      var kind =
          AccessRules.kind(
              String.valueOf(method.getServiceName()), String.valueOf(method.getBareMethodName()));
      if (!AccessRules.may(caller, kind)) {
        throw new LuciolaException(
            ErrorCode.PERMISSION_DENIED,
            "not for this caller: call=" + method.getFullMethodName() + " who=" + caller.name());
      }
      Context with = Context.current().withValue(SESSION, session);
      if (!required || kind != CallKind.OPERATE) {
        return Contexts.interceptCall(with, call, headers, next);
      }
      var audited =
          new AuditedCall<Q, R>(
              call,
              audit,
              new AuditLine()
                  .with("event", "operate")
                  .with("who", caller.name())
                  .with("shown", shown)
                  .with("peer", peer)
                  .with("call", method.getFullMethodName()));
      return audited.listening(Contexts.interceptCall(with, audited, headers, next));
    } catch (LuciolaException refused) {
      audit.write(
          new AuditLine()
              .with("event", "refused")
              .with("shown", shown)
              .with("peer", peer)
              .with("call", method.getFullMethodName())
              .with("code", refused.code())
              .with("reason", refused.detail()));
      call.close(StatusTable.status(refused.code(), refused.detail()), new Metadata());
      return new ServerCall.Listener<>() {};
    }
  }

  /** A credential is looked at alone: no certificate makes up for one that is not good. */
  private Session session(Metadata headers, Attributes transport, String peer) {
    Optional<Credential> credential = CredentialHeader.of(headers);
    return credential.isPresent()
        ? session(credential.get(), peer)
        : session(ClientCertificates.of(transport), peer);
  }

  private Session session(@Nullable ShownCertificate shown, String peer) {
    if (shown == null) {
      throw new LuciolaException(ErrorCode.UNAUTHENTICATED, "no token was shown");
    }
    return new Session(
        new Known((state, nowNanos) ->
            new Caller.Member(CertificateRules.user(shown, state, nowNanos), 0)),
        "certificate:" + shown.serial() + ":" + shown.subject(),
        peer);
  }

  private Session session(Credential shown, String peer) {
    return switch (shown) {
      case Credential.OfServers servers -> {
        if (clusterSecret.isEmpty() || !clusterSecret.get().equals(servers.secret())) {
          throw new LuciolaException(
              ErrorCode.UNAUTHENTICATED, "another secret than that of this cluster");
        }
        yield new Session(Caller.Server::new, "secret", peer);
      }
      case Credential.OfUser user ->
          new Session(
              new Known((state, nowNanos) -> holder(user, state, nowNanos)),
              "token:" + user.token(),
              peer);
    };
  }

  private static Caller holder(Credential.OfUser shown, AccessState state, long nowNanos) {
    return new Caller.Member(
        state
            .user(shown.token(), shown.secret(), nowNanos)
            .orElseThrow(() ->
                new LuciolaException(
                    ErrorCode.UNAUTHENTICATED,
                    "token is unknown, revoked or expired: token=" + shown.token())),
        shown.token());
  }

  /** Whose a token or a certificate is by a state and a time, in nanoseconds since 1970. */
  private interface Proof {
    Caller of(AccessState state, long nowNanos);
  }

  /** Looks again only when users have changed or a second is over. */
  private final class Known implements Supplier<Caller> {
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Proof proof;
    private @Nullable AccessState seen;
    private long seenNanos;
    private Caller caller = new Caller.Anyone();

    Known(Proof proof) {
      this.proof = proof;
    }

    @Override
    public synchronized Caller get() {
      AccessState now = access.get();
      long nanos = System.nanoTime();
      if (now != seen || nanos - seenNanos > FRESH_NANOS) {
        seen = null;
        caller = proof.of(now, WallTime.nanos());
        seen = now;
        seenNanos = nanos;
      }
      return caller;
    }
  }
}

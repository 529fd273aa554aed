package luciola.meta.server;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import luciola.grpc.v1.AccessUser;
import luciola.meta.access.AccessRules;
import luciola.meta.access.AccessState;
import luciola.meta.access.Caller;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;
import luciola.protocol.control.CredentialHeader;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.control.StatusTable;
import luciola.protocol.control.WallTime;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What every call of every service passes: finds out who calls and whether they may. Runs on the
 * network's threads.
 */
final class AccessGate implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(AccessGate.class);
  private static final Context.Key<Session> SESSION = Context.key("luciola-session");
  private static final Session OPEN = new Session(null);

  private final boolean required;
  private final Optional<Secret> clusterSecret;
  private final Supplier<AccessState> access;

  AccessGate(SecuritySettings settings, Supplier<AccessState> access) {
    this.required = settings.required();
    this.clusterSecret = settings.clusterSecret();
    this.access = access;
  }

  /** Who makes the present call. */
  static Session session() {
    return SESSION.get();
  }

  /** What was shown at the start of a call, for as long as it lasts. */
  static final class Session {
    private final @Nullable Supplier<Caller> check;

    private Session(@Nullable Supplier<Caller> check) {
      this.check = check;
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
    try {
      Session session = required ? session(headers) : OPEN;
      Caller caller = session.caller();
      var kind =
          AccessRules.kind(
              String.valueOf(method.getServiceName()), String.valueOf(method.getBareMethodName()));
      if (!AccessRules.may(caller, kind)) {
        throw new LuciolaException(
            ErrorCode.PERMISSION_DENIED,
            "not for this caller: call=" + method.getFullMethodName() + " who=" + caller.name());
      }
      return Contexts.interceptCall(
          Context.current().withValue(SESSION, session), call, headers, next);
    } catch (LuciolaException refused) {
      LOG.info(
          "call refused: call={} peer={} code={} reason=\"{}\"",
          method.getFullMethodName(),
          call.getAttributes().get(io.grpc.Grpc.TRANSPORT_ATTR_REMOTE_ADDR),
          refused.code(),
          refused.detail());
      call.close(StatusTable.status(refused.code(), refused.detail()), new Metadata());
      return new ServerCall.Listener<>() {};
    }
  }

  private Session session(Metadata headers) {
    Credential shown =
        CredentialHeader.of(headers)
            .orElseThrow(
                () -> new LuciolaException(ErrorCode.UNAUTHENTICATED, "no token was shown"));
    return switch (shown) {
      case Credential.OfServers servers -> {
        if (clusterSecret.isEmpty() || !clusterSecret.get().equals(servers.secret())) {
          throw new LuciolaException(
              ErrorCode.UNAUTHENTICATED, "another secret than that of this cluster");
        }
        yield new Session(Caller.Server::new);
      }
      case Credential.OfUser user -> new Session(new Known(user));
    };
  }

  /** Looks a token up again only when users have changed or the token's second is over. */
  private final class Known implements Supplier<Caller> {
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Credential.OfUser shown;
    private @Nullable AccessState seen;
    private long seenNanos;
    private Caller caller = new Caller.Anyone();

    Known(Credential.OfUser shown) {
      this.shown = shown;
    }

    @Override
    public synchronized Caller get() {
      AccessState now = access.get();
      long nanos = System.nanoTime();
      if (now != seen || nanos - seenNanos > FRESH_NANOS) {
        seen = null;
        AccessUser user =
            now.user(shown.token(), shown.secret(), WallTime.nanos())
                .orElseThrow(() ->
                    new LuciolaException(
                        ErrorCode.UNAUTHENTICATED,
                        "token is unknown, revoked or expired: token=" + shown.token()));
        caller = new Caller.Member(user, shown.token());
        seen = now;
        seenNanos = nanos;
      }
      return caller;
    }
  }
}

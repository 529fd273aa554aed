package luciola.protocol.connection;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * How connections of the data plane are encrypted: TLS 1.3 of the platform. Payloads pass through
 * memory then, on both ends.
 */
public final class Tls {
  private static final String[] PROTOCOLS = {"TLSv1.3"};

  private final SslContext context;
  private final Duration handshake;

  private Tls(SslContext context, Duration handshake) {
    this.context = context;
    this.handshake = handshake;
  }

  /**
   * Of servers.
   *
   * @param certificate file with the server's certificate and those above it, PEM
   * @param key file with its private key, PEM, PKCS 8
   * @throws LuciolaException INVALID_ARGUMENT if they cannot be read or used, or do not belong
   *     together
   */
  public static Tls ofServer(Path certificate, Path key) {
    CertificatePair.check(certificate, key);
    try {
      return new Tls(
          SslContextBuilder.forServer(certificate.toFile(), key.toFile())
              .sslProvider(SslProvider.JDK)
              .protocols(PROTOCOLS)
              .build(),
          DataServerOptions.DEFAULTS.helloTimeout());
    } catch (SSLException | IllegalArgumentException e) {
      throw unusable("certificate=" + certificate + " key=" + key, e);
    }
  }

  /**
   * Of callers, who believe a server whose certificate one of these authorities signed for its
   * address.
   *
   * @param authorities file with their certificates, PEM
   * @throws LuciolaException INVALID_ARGUMENT if it cannot be read or used
   */
  public static Tls ofCaller(Path authorities) {
    try {
      return new Tls(
          SslContextBuilder.forClient()
              .trustManager(authorities.toFile())
              .sslProvider(SslProvider.JDK)
              .endpointIdentificationAlgorithm("HTTPS")
              .protocols(PROTOCOLS)
              .build(),
          DataClientOptions.DEFAULTS.connectTimeout());
    } catch (SSLException | IllegalArgumentException e) {
      throw unusable("authorities=" + authorities, e);
    }
  }

  private static LuciolaException unusable(String files, Exception cause) {
    return new LuciolaException(
        ErrorCode.INVALID_ARGUMENT, "tls: cannot use " + files + " cause=" + cause, cause);
  }

  /** Encrypts a connection that was accepted; null: leaves it as it is. */
  static void accept(@Nullable Tls tls, Channel channel) {
    if (tls != null) {
      tls.add(tls.context.newHandler(channel.alloc()), channel);
    }
  }

  /** Encrypts a connection to this address; null: leaves it as it is. */
  static void connect(@Nullable Tls tls, Channel channel, String host, int port) {
    if (tls != null) {
      tls.add(tls.context.newHandler(channel.alloc(), host, port), channel);
    }
  }

  private void add(SslHandler handler, Channel channel) {
    handler.setHandshakeTimeout(handshake.toMillis(), TimeUnit.MILLISECONDS);
    channel.pipeline().addLast(handler);
  }

  /** Whether what is written to a channel is encrypted. */
  static boolean isOn(Channel channel) {
    return channel.pipeline().get(SslHandler.class) != null;
  }
}

package luciola.protocol.control;

import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import javax.net.ssl.SSLException;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** How the control plane is encrypted: as the data plane is, by the same files. */
public final class ControlTls {
  private static final String[] PROTOCOLS = {"TLSv1.3"};

  private ControlTls() {}

  /** Encrypts a server's connections if it is to. */
  public static void listen(NettyServerBuilder builder, SecuritySettings settings) {
    if (!settings.tls()) {
      return;
    }
    try {
      var _ =
          builder.sslContext(
              GrpcSslContexts.configure(
                      SslContextBuilder.forServer(
                          settings.certificate().toFile(), settings.key().toFile()),
                      SslProvider.JDK)
                  .protocols(PROTOCOLS)
                  .build());
    } catch (SSLException | IllegalArgumentException e) {
      throw unusable("certificate=" + settings.certificate() + " key=" + settings.key(), e);
    }
  }

  /** Encrypts a caller's connections if it is to. */
  public static void connect(NettyChannelBuilder builder, ClientAccess access) {
    if (access.authorities().isEmpty()) {
      var _ = builder.usePlaintext();
      return;
    }
    String authorities = access.authorities().get();
    try {
      var _ =
          builder.sslContext(
              GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
                  .trustManager(new File(authorities))
                  .protocols(PROTOCOLS)
                  .build());
    } catch (SSLException | IllegalArgumentException e) {
      throw unusable("authorities=" + authorities, e);
    }
  }

  private static LuciolaException unusable(String files, Exception cause) {
    return new LuciolaException(
        ErrorCode.INVALID_ARGUMENT, "tls: cannot use " + files + " cause=" + cause, cause);
  }
}

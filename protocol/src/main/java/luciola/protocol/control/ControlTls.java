package luciola.protocol.control;

import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import javax.net.ssl.SSLException;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.connection.CertificatePair;
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
    CertificatePair.check(settings.certificate(), settings.key());
    try {
      SslContextBuilder context =
          SslContextBuilder.forServer(settings.certificate().toFile(), settings.key().toFile());
      if (!settings.clientAuthorities().toString().isEmpty()) {
        // Whose certificate it is, and whether it is good, each call is told by the gate.
        var _ = context.trustManager(new PossessionOnly()).clientAuth(ClientAuth.OPTIONAL);
      }
      var _ =
          builder.sslContext(
              GrpcSslContexts.configure(context, SslProvider.JDK).protocols(PROTOCOLS).build());
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
      SslContextBuilder context =
          GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
              .trustManager(new File(authorities))
              .protocols(PROTOCOLS);
      if (access.certificate().isPresent()) {
        ClientAccess.Certificate shown = access.certificate().get();
        CredentialFile.requirePrivate(Path.of(shown.key()));
        CertificatePair.check(Path.of(shown.file()), Path.of(shown.key()));
        var _ = context.keyManager(new File(shown.file()), new File(shown.key()));
      }
      var _ = builder.sslContext(context.build());
    } catch (IOException | IllegalArgumentException e) {
      throw unusable(
          "authorities="
              + authorities
              + access
                  .certificate()
                  .map(shown -> " certificate=" + shown.file() + " key=" + shown.key())
                  .orElse(""),
          e);
    }
  }

  private static LuciolaException unusable(String files, Exception cause) {
    return new LuciolaException(
        ErrorCode.INVALID_ARGUMENT, "tls: cannot use " + files + " cause=" + cause, cause);
  }
}

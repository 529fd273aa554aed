package luciola.cli.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.certificate.TestAuthority;
import luciola.protocol.control.SecuritySettings;
import org.junit.jupiter.api.Test;

/**
 * The same ports with TLS: what comes in place of a handshake, what is wrong within one, and what
 * comes after it. Nobody gets as far at the port of the log, who shows no certificate of a member.
 */
class EncryptedPortFuzzTest extends PortFuzzTest {
  private Path secretFile = Path.of("");
  private Path authority = Path.of("");

  @Override
  SecuritySettings security(Path file) throws Exception {
    secretFile = file;
    var signs = new TestAuthority(directory, "authority");
    authority = signs.certificate();
    TestAuthority.Issued server = signs.issue("server");
    return SecuritySettings.required(file)
        .withTls(server.certificate(), server.key(), authority)
        .withMembers(server.certificate());
  }

  @Override
  ClientAccess reach() {
    return ClientAccess.NONE.withAuthorities(authority.toString());
  }

  /** Half of the connections begin with a handshake, which costs a busy machine 0.1 s. */
  @Override
  int connectionsMin() {
    return 2;
  }

  @Override
  List<Lines> lines(int port) throws Exception {
    return List.of(Lines.to(port), Lines.within(encryption(), port));
  }

  private SSLContext encryption() throws Exception {
    KeyStore believed = KeyStore.getInstance(KeyStore.getDefaultType());
    believed.load(null, null);
    try (InputStream in = Files.newInputStream(authority)) {
      believed.setCertificateEntry(
          "authority", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(believed);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  /** As it is before it is encrypted: recorded at a server of the same secret that does not. */
  @Override
  List<byte[]> ofAMetaClient() throws Exception {
    try (MetaServer open =
            MetaServer.start(
                MetaServerConfig.of(directory.resolve("open"))
                    .withAddress("127.0.0.1", 0)
                    .withSecurity(SecuritySettings.required(secretFile)));
        var recorder = new Recorder(open.port());
        ClusterFileSystem recorded =
            ClusterFileSystem.connect(
                ClusterOptions.of(List.of("127.0.0.1:" + recorder.port()))
                    .withAccess(ClientAccess.NONE.withCredential(access.credential().get())))) {
      recorded.mkdirs("/recorded");
      var _ = recorded.list("/");
      return recorder.pieces();
    }
  }

  /** What a caller sends that is no member: a handshake, and calls that are not waited for. */
  private List<byte[]> handshakes(int port) throws Exception {
    try (var recorder = new Recorder(port)) {
      List<byte[]> sent = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        try (Lines.Line line = Lines.within(encryption(), recorder.port()).open()) {
          line.send(preface());
          var _ = line.hear(new byte[4096]);
        } catch (IOException refused) {
          // What was sent is recorded all the same.
          sent = recorder.pieces();
        }
      }
      return sent.isEmpty() ? recorder.pieces() : sent;
    }
  }

  @Test
  @Override
  void thePortOfTheMetaServersLog() throws Exception {
    int port = members.getFirst().raftPort();
    fuzz(port, List.of(handshakes(port), ofAMetaClient(), List.of(preface())));
  }
}

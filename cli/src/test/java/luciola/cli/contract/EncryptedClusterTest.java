package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.certificate.TestAuthority;
import luciola.protocol.control.HostPort;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

/** The same cluster with every connection encrypted. */
class EncryptedClusterTest extends SecuredClusterTest {
  @Override
  SecuritySettings settings(Path secretFile) throws Exception {
    var authority = new TestAuthority(directory, "own");
    TestAuthority.Issued server = authority.issue("server");
    return SecuritySettings.required(secretFile)
        .withTls(server.certificate(), server.key(), authority.certificate());
  }

  @Override
  ClientAccess reach() {
    return ClientAccess.NONE.withAuthorities(directory.resolve("own.pem").toString());
  }

  private MetaOptions quick() {
    return MetaOptions.of(addresses()).withCallNanos(TimeUnit.SECONDS.toNanos(2));
  }

  @Test
  void whoDoesNotEncryptOrBelievesOthersOnlyIsNotConnected() throws Exception {
    assertThrows(
        LuciolaException.class,
        () -> MetaConnection.connect(quick().withAccess(ClientAccess.NONE.withCredential(secret))));
    String other = new TestAuthority(directory, "other").certificate().toString();
    assertThrows(
        LuciolaException.class,
        () ->
            MetaConnection.connect(
                quick()
                    .withAccess(ClientAccess.NONE.withAuthorities(other).withCredential(secret))));
    try (MetaConnection believing =
        MetaConnection.connect(quick().withAccess(reach().withCredential(secret)))) {
      assertEquals(2, believing.listAccess().getUsersCount());
    }
  }

  @Test
  void nothingOfAConversationIsReadable() throws Exception {
    // A port that encrypts answers a plain HTTP/2 start with an alert or its end, never in plain.
    try (var socket =
        new Socket(
            InetAddress.getLoopbackAddress(), HostPort.parse(addresses().getFirst()).port())) {
      socket.setSoTimeout(20_000);
      socket
          .getOutputStream()
          .write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readNBytes(5);
      assertEquals(
          List.of(), answer.length == 0 || answer[0] == 21 ? List.of() : List.of(answer[0]));
    } catch (java.net.SocketException reset) {
      // Cut off: nothing was answered.
      return;
    }
  }
}

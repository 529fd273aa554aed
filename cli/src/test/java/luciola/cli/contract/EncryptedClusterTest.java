package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.control.HostPort;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

/** The same cluster with every connection encrypted. */
class EncryptedClusterTest extends SecuredClusterTest {
  private static final String PASSWORD = "changeit";

  @Override
  SecuritySettings settings(Path secretFile) throws Exception {
    if (!Files.exists(directory.resolve("own.pem"))) {
      certificate("own");
    }
    return SecuritySettings.required(secretFile)
        .withTls(
            directory.resolve("own.pem"),
            directory.resolve("own.key"),
            directory.resolve("own.pem"));
  }

  @Override
  ClientAccess reach() {
    return ClientAccess.NONE.withAuthorities(directory.resolve("own.pem").toString());
  }

  /** A key with a certificate for loopback that it signed itself, as PEM. */
  private void certificate(String name) throws Exception {
    Path store = directory.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=ip:127.0.0.1,dns:localhost",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(name + ".log").toFile())
            .start();
    assertEquals(0, keytool.waitFor(), () -> "keytool, see " + directory);
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    write(name + ".pem", "CERTIFICATE", keys.getCertificate(name).getEncoded());
    write(name + ".key", "PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded());
  }

  private void write(String file, String kind, byte[] content) throws Exception {
    var lines = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));
    Files.writeString(
        directory.resolve(file),
        "-----BEGIN "
            + kind
            + "-----\n"
            + lines.encodeToString(content)
            + "\n-----END "
            + kind
            + "-----\n");
  }

  private MetaOptions quick() {
    return MetaOptions.of(addresses()).withCallNanos(TimeUnit.SECONDS.toNanos(2));
  }

  @Test
  void whoDoesNotEncryptOrBelievesOthersOnlyIsNotConnected() throws Exception {
    assertThrows(
        LuciolaException.class,
        () -> MetaConnection.connect(quick().withAccess(ClientAccess.NONE.withCredential(secret))));
    certificate("other");
    String other = directory.resolve("other.pem").toString();
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

package luciola.protocol.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CredentialTest {
  @TempDir Path directory;

  private static Secret secret(int fill) {
    byte[] bytes = new byte[Secret.BYTES];
    Arrays.fill(bytes, (byte) fill);
    return Secret.of(bytes);
  }

  @Test
  void textsAreReadBack() {
    var user = new Credential.OfUser(17, secret(1));
    var servers = new Credential.OfServers(secret(2));
    assertEquals(user, Credential.parse(user.text()));
    assertEquals(servers, Credential.parse(servers.text()));
    assertNotEquals(user, Credential.parse(new Credential.OfUser(17, secret(3)).text()));
  }

  @Test
  void nothingOfASecretIsPrinted() {
    var user = new Credential.OfUser(17, secret(0x5a));
    String random = user.text().substring("lt1.17.".length());
    assertFalse(user.toString().contains(random), user.toString());
    assertTrue(user.toString().contains("17"), user.toString());
    assertEquals("(secret)", user.secret().toString());
    var fault =
        assertThrows(
            LuciolaException.class, () -> Credential.parse(user.text() + "tooMuchOfASecret"));
    assertFalse(fault.toString().contains(random), fault.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "lt1",
        "lt1.1",
        "lt1.0.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
        "lt1.-1.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
        "lt1.99999999999999999999.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
        "lt1.1.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ",
        "lt2.1.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
        "ls1.1.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
        "ls1.====",
        "ls1.\u0000\u0001"
      })
  void otherTextsAreRefused(String text) {
    var fault = assertThrows(LuciolaException.class, () -> Credential.parse(text));
    assertEquals(ErrorCode.UNAUTHENTICATED, fault.code());
  }

  @Test
  void aSecretIsKnownByItsHash() {
    assertTrue(secret(1).hasHash(secret(1).hash()));
    assertFalse(secret(1).hasHash(secret(2).hash()));
    assertFalse(secret(1).hasHash(new byte[0]));
    assertThrows(IllegalArgumentException.class, () -> Secret.of(new byte[31]));
  }

  @Test
  void filesAreForTheirOwnersEyes() throws Exception {
    var credential = new Credential.OfUser(4, secret(9));
    Path file = directory.resolve("token");
    CredentialFile.write(file, credential);
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    assertEquals(credential, CredentialFile.read(file));
    var exists = assertThrows(LuciolaException.class, () -> CredentialFile.write(file, credential));
    assertEquals(ErrorCode.EXISTS, exists.code());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    var open = assertThrows(LuciolaException.class, () -> CredentialFile.read(file));
    assertEquals(ErrorCode.NOT_PERMITTED, open.code());
    var none =
        assertThrows(
            LuciolaException.class, () -> CredentialFile.read(directory.resolve("missing")));
    assertEquals(ErrorCode.UNAUTHENTICATED, none.code());
  }
}

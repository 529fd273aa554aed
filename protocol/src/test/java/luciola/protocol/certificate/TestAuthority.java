package luciola.protocol.certificate;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** An authority that signs certificates for loopback, by the platform's own tool. */
public final class TestAuthority {
  private static final String PASSWORD = "changeit";

  private final Path directory;
  private final String name;

  /** PEM files of a certificate and of its private key. */
  public record Issued(Path certificate, Path key) {}

  /** Makes an authority of this name; its files are in the directory. */
  public TestAuthority(Path directory, String name) throws IOException, InterruptedException {
    this.directory = directory;
    this.name = name;
    Issued _ = make(name, List.of("-ext", "bc:c", "-ext", "ku:c=keyCertSign"));
  }

  /** Its own certificate. */
  public Path certificate() {
    return directory.resolve(name + ".pem");
  }

  /**
   * Signs a certificate, for loopback unless the options say otherwise.
   *
   * @param options of keytool, besides
   */
  public Issued issue(String subject, String... options) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("-signer", name));
    all.addAll(List.of(options));
    if (all.stream().noneMatch(option -> option.startsWith("san="))) {
      all.addAll(List.of("-ext", "san=ip:127.0.0.1"));
    }
    return make(subject, all);
  }

  /** One file with all these certificates. */
  public static Path together(Path into, Path... certificates) throws IOException {
    Files.deleteIfExists(into);
    for (Path one : certificates) {
      Files.writeString(
          into,
          Files.readString(one),
          java.nio.file.StandardOpenOption.CREATE,
          java.nio.file.StandardOpenOption.APPEND);
    }
    return into;
  }

  private Issued make(String subject, List<String> options)
      throws IOException, InterruptedException {
    Path store = directory.resolve(name + ".p12");
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1",
                "-J-XX:+UseSerialGC",
                "-genkeypair",
                "-alias",
                subject,
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD));
    command.addAll(options);
    if (!options.contains("-keyalg")) {
      command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
    }
    if (!options.contains("-dname")) {
      command.addAll(List.of("-dname", "CN=" + subject));
    }
    if (!options.contains("-validity")) {
      command.addAll(List.of("-validity", "2"));
    }
    Path log = directory.resolve(subject + ".log");
    Process keytool =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    if (keytool.waitFor() != 0) {
      throw new IOException("keytool: " + Files.readString(log));
    }
    try (InputStream in = Files.newInputStream(store)) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(in, PASSWORD.toCharArray());
      return new Issued(
          write(subject + ".pem", "CERTIFICATE", keys.getCertificate(subject).getEncoded()),
          write(
              subject + ".key",
              "PRIVATE KEY",
              keys.getKey(subject, PASSWORD.toCharArray()).getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new IOException("keys of " + subject, e);
    }
  }

  private Path write(String file, String kind, byte[] content) throws IOException {
    var lines = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));
    Path into = directory.resolve(file);
    if (Files.notExists(into)) {
      Files.createFile(
          into, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }
    return Files.writeString(
        into,
        "-----BEGIN "
            + kind
            + "-----\n"
            + lines.encodeToString(content)
            + "\n-----END "
            + kind
            + "-----\n");
  }
}

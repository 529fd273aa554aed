package luciola.protocol.control;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import luciola.protocol.access.Credential;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Files that hold a token or a cluster's secret: one line, for their owner's eyes only. */
public final class CredentialFile {
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE);

  private CredentialFile() {}

  /**
   * Reads a file.
   *
   * @throws LuciolaException UNAUTHENTICATED if there is none or it holds none; NOT_PERMITTED if
   *     others than its owner may read it
   */
  public static Credential read(Path file) {
    try {
      requirePrivate(file);
      try (var in = Files.newInputStream(file)) {
        byte[] bytes = in.readNBytes(Credential.TEXT_MAX + 2);
        return Credential.parse(new String(bytes, StandardCharsets.UTF_8).strip());
      }
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.UNAUTHENTICATED, "cannot read a token: file=" + file + " cause=" + e, e);
    } catch (LuciolaException e) {
      if (e.detail().contains("file=")) {
        throw e;
      }
      throw new LuciolaException(e.code(), e.detail() + " file=" + file, e);
    }
  }

  /**
   * That only its owner may read a file.
   *
   * @throws LuciolaException NOT_PERMITTED if others may
   */
  static void requirePrivate(Path file) throws IOException {
    Set<PosixFilePermission> shared = EnumSet.copyOf(OTHERS);
    shared.retainAll(Files.getPosixFilePermissions(file));
    if (!shared.isEmpty()) {
      throw new LuciolaException(
          ErrorCode.NOT_PERMITTED,
          "secrets are for their owner only, chmod 600: file=" + file + " allowed=" + shared);
    }
  }

  /**
   * Writes a new file that only its owner can read.
   *
   * @throws LuciolaException EXISTS if there is one
   */
  public static void write(Path file, Credential credential) {
    try {
      var _ =
          Files.createFile(
              file,
              PosixFilePermissions.asFileAttribute(
                  EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE)));
      Files.writeString(file, credential.text() + "\n", StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException e) {
      throw new LuciolaException(ErrorCode.EXISTS, "write a secret: file=" + file, e);
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT, "write a secret: file=" + file + " cause=" + e, e);
    }
  }
}

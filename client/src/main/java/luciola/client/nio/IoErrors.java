package luciola.client.nio;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import luciola.protocol.error.LuciolaException;

/** Faults as the exceptions that {@code java.nio.file} promises. */
final class IoErrors {
  private IoErrors() {}

  /** Something that may fail with a {@link LuciolaException}. */
  interface Operation<T> {
    T run();
  }

  /** Something without a result that may fail with a {@link LuciolaException}. */
  interface Action {
    void run();
  }

  static <T> T translated(String path, Operation<T> operation) throws IOException {
    try {
      return operation.run();
    } catch (LuciolaException e) {
      throw of(path, e);
    }
  }

  static void translate(String path, Action action) throws IOException {
    try {
      action.run();
    } catch (LuciolaException e) {
      throw of(path, e);
    }
  }

  static IOException of(String path, LuciolaException e) {
    FileSystemException translated =
        switch (e.code()) {
          case NOT_FOUND -> new NoSuchFileException(path);
          case EXISTS -> new FileAlreadyExistsException(path);
          case NOT_EMPTY -> new DirectoryNotEmptyException(path);
          case NOT_A_DIRECTORY -> new NotDirectoryException(path);
          case PERMISSION_DENIED, UNAUTHENTICATED ->
              new AccessDeniedException(path, null, e.getMessage());
          case TOO_MANY_SYMLINKS -> new FileSystemLoopException(path);
          case QUOTA_EXCEEDED ->
              new FileSystemException(path, null, "Disk quota exceeded: " + e.getMessage());
          default -> new FileSystemException(path, null, e.getMessage());
        };
    translated.initCause(e);
    return translated;
  }
}

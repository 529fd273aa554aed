package luciola.storage.disk;

import java.io.IOException;

/** The disk or the target's limit has no room for a block. */
public final class NoSpaceException extends IOException {
  public NoSpaceException(String message) {
    super(message);
  }
}

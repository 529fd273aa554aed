package luciola.client.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.NoSuchElementException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far the kernel reads ahead in a mount: 128 KiB unless told otherwise, too little for a
 * network.
 */
final class ReadAhead {
  private static final Logger log = LoggerFactory.getLogger(ReadAhead.class);

  private ReadAhead() {}

  /** Sets it where the kernel lets us; the mount works without. */
  static void set(Path directory, int bytes) {
    if (bytes == 0) {
      return;
    }
    try {
      String device = Mounts.on(directory).map(Mounts.Mount::device).orElseThrow();
      Path file = Path.of("/sys/class/bdi", device, "read_ahead_kb");
      Files.writeString(file, Integer.toString(bytes >> 10));
    } catch (IOException | NoSuchElementException e) {
      log.info("read-ahead stays as it is directory={} cause={}", directory, e.getMessage());
    }
  }
}

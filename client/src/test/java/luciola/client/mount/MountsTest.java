package luciola.client.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class MountsTest {
  @Test
  void aLineNamesDirectoryTypeAndDevice() {
    assertEquals(
        Optional.of(new Mounts.Mount(Path.of("/a b\\c"), "fuse.luciola", "0:40")),
        Mounts.parse(
            "61 29 0:40 / /a\\040b\\134c rw,nosuid shared:7 master:1 - fuse.luciola luciola rw"));
    assertEquals(
        Optional.of(new Mounts.Mount(Path.of("/"), "ext4", "254:0")),
        Mounts.parse("29 1 254:0 / / rw,relatime - ext4 /dev/vda rw"));
  }

  @Test
  void whatIsNoLineIsNoMount() {
    assertEquals(Optional.empty(), Mounts.parse(""));
    assertEquals(Optional.empty(), Mounts.parse("1 2 3 4 5 6 -"));
  }

  @Test
  void theRootOfThisMachineIsMounted() throws IOException {
    assertTrue(Mounts.on(Path.of("/")).isPresent());
    assertEquals(Optional.empty(), Mounts.on(Path.of("/proc/self")));
  }
}

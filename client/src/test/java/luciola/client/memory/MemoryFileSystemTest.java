package luciola.client.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import luciola.client.LuciolaFileSystem;
import luciola.client.LuciolaFileSystemContract;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

final class MemoryFileSystemTest extends LuciolaFileSystemContract {
  @Override
  protected LuciolaFileSystem fileSystem() {
    return new MemoryFileSystem();
  }

  @Test
  void refusesWritesPastItsCapacityAndGivesSpaceBack() {
    try (MemoryFileSystem small = new MemoryFileSystem(1 << 20, () -> 7)) {
      try (WritableFile file = small.openWrite("/a", OpenOptions.CREATE)) {
        file.write(0, new byte[1 << 20]);
        LuciolaException full =
            assertThrows(LuciolaException.class, () -> file.write(1 << 20, new byte[1]));
        assertEquals(ErrorCode.NO_SPACE, full.code());
      }
      small.remove("/a");
      assertEquals(1 << 20, small.usage().freeBytes());
      assertEquals(7, small.stat("/").modifiedNanos());
    }
  }
}

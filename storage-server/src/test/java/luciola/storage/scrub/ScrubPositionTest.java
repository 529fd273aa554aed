package luciola.storage.scrub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.storage.index.ChunkKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ScrubPositionTest {
  @TempDir Path directory;

  @Test
  void whatWasSavedIsLoaded() throws IOException {
    Path file = directory.resolve("scrub");
    assertEquals(ScrubPosition.NONE, ScrubPosition.load(file));
    var key = new ChunkKey(new ChainId(7), new ChunkId(new InodeId(1L << 60), 12));
    ScrubPosition position = ScrubPosition.NONE.ended(5000).began(6000).at(key, 70).at(key, 5);
    position.save(file);
    assertEquals(position, ScrubPosition.load(file));
    assertEquals(75, ScrubPosition.load(file).bytesDone());
    position.ended(9000).save(file);
    assertEquals(ScrubPosition.NONE.ended(9000), ScrubPosition.load(file));
  }

  @Test
  void aFileThatMakesNoSenseIsAsGoodAsNone() throws IOException {
    Path file = directory.resolve("scrub");
    for (String text : new String[] {"", "chain=x\n", "chain=-4\ninode=1\nindex=2\n", "\0\0"}) {
      Files.writeString(file, text);
      assertEquals(ScrubPosition.NONE, ScrubPosition.load(file));
    }
  }
}

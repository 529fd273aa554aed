package luciola.loader.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class MegatronTest {
  private final LuciolaFileSystem files = new MemoryFileSystem();

  private MegatronWriter.Written write(String prefix, TokenType type, byte[]... documents) {
    try (MegatronWriter writer = new MegatronWriter(files, prefix, type)) {
      for (byte[] document : documents) {
        writer.add(document);
      }
      return writer.finish();
    }
  }

  @Test
  void hasTheBytesOfTheFormat() {
    write("/golden", TokenType.U16, new byte[] {1, 0, 2, 0, 3, 0}, new byte[0], new byte[] {9, 0});
    assertEquals("010002000300" + "0900", Files.hex(files, "/golden.bin"));
    assertEquals(
        "4d4d49444944580000"
            + "0100000000000000"
            + "08"
            + "0300000000000000"
            + "0400000000000000"
            + "03000000"
            + "00000000"
            + "01000000"
            + "0000000000000000"
            + "0600000000000000"
            + "0600000000000000"
            + "0000000000000000"
            + "0100000000000000"
            + "0200000000000000"
            + "0300000000000000",
        Files.hex(files, "/golden.idx"));
  }

  @Test
  void readsBackDocumentsAndCounts() {
    Random random = new Random(2);
    byte[][] documents = new byte[500][];
    long tokens = 0;
    for (int i = 0; i < documents.length; i++) {
      documents[i] = new byte[4 * random.nextInt(50)];
      tokens += documents[i].length / 4;
    }
    write("/d", TokenType.I32, documents);
    MegatronIndex index = index("/d.idx");
    assertEquals(500, index.documents());
    assertEquals(tokens, index.tokens());
    assertEquals(TokenType.I32, index.type());
    long offset = 0;
    for (int i = 0; i < documents.length; i++) {
      assertEquals(i, index.documentStart(i));
      assertEquals(documents[i].length / 4, index.sequenceTokens(i));
      assertEquals(offset, index.sequenceOffset(i));
      offset += documents[i].length;
    }
    assertEquals(500, index.documentStart(500));
  }

  private MegatronIndex index(String path) {
    return MegatronIndex.parse(MemorySegment.ofArray(Files.bytes(files, path)), path);
  }

  @Test
  void acceptsTheModesOfMultimodalFiles() {
    write("/m", TokenType.U8, new byte[3], new byte[4]);
    byte[] bytes = Files.bytes(files, "/m.idx");
    Files.put(files, "/m.idx", Arrays.copyOf(bytes, bytes.length + 2));
    assertEquals(7, index("/m.idx").tokens());
  }

  @Test
  void refusesAnIndexCutAnywhere() {
    write("/w", TokenType.U8, new byte[3], new byte[4]);
    byte[] whole = Files.bytes(files, "/w.idx");
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      LuciolaException fault =
          assertThrows(
              LuciolaException.class,
              () -> MegatronIndex.parse(MemorySegment.ofArray(cut), "/w.idx"));
      assertEquals(ErrorCode.CORRUPT_DATA, fault.code());
      assertTrue(
          String.valueOf(fault.getMessage()).contains("path=/w.idx offset="), fault.getMessage());
    }
  }

  @Test
  void aSpoiledIndexEitherIsRefusedOrStaysConsistent() {
    Random random = new Random(11);
    write("/w", TokenType.U16, new byte[6], new byte[4], new byte[0]);
    byte[] whole = Files.bytes(files, "/w.idx");
    int refused = 0;
    for (int run = 0; run < 5000; run++) {
      byte[] bad = whole.clone();
      for (int i = 0; i <= random.nextInt(3); i++) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      try {
        MegatronIndex index = MegatronIndex.parse(MemorySegment.ofArray(bad), "/w.idx");
        long sum = 0;
        for (long s = 0; s < index.sequences(); s++) {
          sum += index.sequenceTokens(s);
        }
        assertEquals(index.tokens(), sum);
      } catch (LuciolaException e) {
        refused++;
      }
    }
    assertTrue(refused > 1000, "refused=" + refused);
  }

  @Test
  void aDataFileOfTheWrongLengthIsNamedWhenOpened() {
    write("/t", TokenType.U8, new byte[100]);
    Files.put(files, "/t.bin", new byte[99]);
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> Dataset.open(files, "/t", 10).close());
    assertEquals(ErrorCode.CORRUPT_DATA, fault.code());
    assertTrue(
        String.valueOf(fault.getMessage()).contains("/t.bin fileBytes=99 expectedBytes=100"));
  }

  @Test
  void windowsOverlapByOneTokenAndCoverEverythingButTheRest() {
    write("/t", TokenType.U16, new byte[2 * 60], new byte[2 * 43]);
    try (Dataset dataset = Dataset.open(files, "/t", 10)) {
      assertEquals(10, dataset.samples());
      assertEquals(22, dataset.sampleBytesMax());
      assertEquals(0, dataset.address(0).offset());
      assertEquals(180, dataset.address(9).offset());
      assertEquals(22, dataset.address(9).bytes());
    }
    try (Dataset shorter = Dataset.open(files, "/t", 9);
        Dataset again = Dataset.open(files, "/t", 9);
        Dataset longer = Dataset.open(files, "/t", 10)) {
      assertEquals(shorter.fingerprint(), again.fingerprint());
      assertTrue(shorter.fingerprint() != longer.fingerprint());
    }
  }

  @Test
  void refusesADocumentThatIsNoWholeNumberOfTokens() {
    assertThrows(LuciolaException.class, () -> write("/odd", TokenType.U16, new byte[] {1, 2, 3}));
  }
}

package luciola.loader.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class RecordShardTest {
  private final LuciolaFileSystem files = new MemoryFileSystem();

  private void write(String path, byte[]... samples) {
    try (RecordShardWriter writer = new RecordShardWriter(files, path)) {
      for (byte[] sample : samples) {
        writer.add(sample);
      }
      writer.finish();
    }
  }

  @Test
  void hasTheBytesOfTheDocument() {
    write("/golden.rec", "firefly".getBytes(UTF_8), new byte[0], "x".getBytes(UTF_8));
    String zeros = "00";
    assertEquals(
        // header
        "4c55434952454300"
            + "01000000"
            + "40000000"
            + zeros.repeat(44)
            + "405fb61e"
            // samples
            + "66697265666c79"
            + "78"
            // index
            + "4000000000000000"
            + "07000000"
            + "a7785729"
            + "4700000000000000"
            + "00000000"
            + "00000000"
            + "4700000000000000"
            + "01000000"
            + "935f3ca9"
            // footer
            + "4c554349454e4400"
            + "0300000000000000"
            + "4800000000000000"
            + "d528f2d8"
            + zeros.repeat(32)
            + "36728cb6",
        Files.hex(files, "/golden.rec"));
  }

  @Test
  void readsBackWhatWasWrittenInAnyOrder() {
    Random random = new Random(3);
    byte[][] samples = new byte[3000][];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = new byte[i % 7 == 0 ? 0 : random.nextInt(9000)];
      random.nextBytes(samples[i]);
    }
    write("/many.rec", samples);
    try (RecordShard shard = RecordShard.open(files, "/many.rec")) {
      assertEquals(3000, shard.samples());
      for (int i = 0; i < 1000; i++) {
        int sample = random.nextInt(samples.length);
        assertArrayEquals(samples[sample], shard.read(sample));
      }
    }
  }

  @Test
  void aShardWithoutSamplesIsWhole() {
    write("/none.rec");
    try (RecordShard shard = RecordShard.open(files, "/none.rec")) {
      assertEquals(0, shard.samples());
    }
  }

  @Test
  void refusesAFileCutAnywhere() {
    write("/whole.rec", new byte[100], new byte[33]);
    byte[] whole = Files.bytes(files, "/whole.rec");
    for (int length = 0; length < whole.length; length++) {
      Files.put(files, "/cut.rec", Arrays.copyOf(whole, length));
      assertCorrupt("/cut.rec");
    }
  }

  @Test
  void aFlippedBitAnywhereIsSeenAndItsPlaceNamed() {
    write("/whole.rec", new byte[20], new byte[5]);
    byte[] whole = Files.bytes(files, "/whole.rec");
    for (int at = 0; at < whole.length; at++) {
      byte[] bad = whole.clone();
      bad[at] ^= 1;
      Files.put(files, "/bad.rec", bad);
      LuciolaException fault =
          assertThrows(
              LuciolaException.class,
              () -> {
                try (RecordShard shard = RecordShard.open(files, "/bad.rec")) {
                  shard.read(0);
                  shard.read(1);
                }
              },
              "at=" + at);
      assertTrue(
          String.valueOf(fault.getMessage()).contains("path=/bad.rec offset=")
              || String.valueOf(fault.getMessage()).contains("sample="),
          fault.getMessage());
    }
  }

  private void assertCorrupt(String path) {
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> RecordShard.open(files, path).close());
    assertEquals(ErrorCode.CORRUPT_DATA, fault.code());
    assertTrue(String.valueOf(fault.getMessage()).contains(path), fault.getMessage());
  }

  @Test
  void aNewerVersionIsRefusedAsNewer() {
    byte[] header = RecordLayout.encodeHeader();
    header[8] = 2;
    java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
    crc.update(header, 0, 60);
    java.nio.ByteBuffer.wrap(header)
        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
        .putInt(60, (int) crc.getValue());
    write("/new.rec", new byte[4]);
    byte[] bytes = Files.bytes(files, "/new.rec");
    System.arraycopy(header, 0, bytes, 0, header.length);
    Files.put(files, "/new.rec", bytes);
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> RecordShard.open(files, "/new.rec").close());
    assertEquals(ErrorCode.FORMAT_TOO_NEW, fault.code());
  }
}

package luciola.loader.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsHeaderTest {
  private static final SafetensorsHeader SAMPLE =
      SafetensorsHeader.of(
          Map.of("step", "7"),
          List.of(
              new TensorSpec("mask", DType.BOOL, List.of(3L)),
              TensorSpec.ofFloats("w", 2, 3),
              new TensorSpec("ids", DType.I64, List.of(2L)),
              TensorSpec.ofFloats("b"),
              new TensorSpec("none", DType.BF16, List.of(0L, 5L))));

  private static byte[] file(String json) {
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .array();
  }

  private static SafetensorsHeader decode(String json, long dataBytes) {
    byte[] header = file(json);
    return SafetensorsHeader.decode(header, header.length + dataBytes, "test");
  }

  @Test
  void writesTheGoldenBytes() {
    String json =
        "{\"__metadata__\":{\"step\":\"7\"},"
            + "\"ids\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]},"
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[20,44]},"
            + "\"none\":{\"dtype\":\"BF16\",\"shape\":[0,5],\"data_offsets\":[44,44]},"
            + "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[44,47]}}";
    byte[] expected = new byte[4096];
    Arrays.fill(expected, (byte) ' ');
    expected[0] = (byte) 0xf8; // 4088 = 0x0ff8
    expected[1] = 0x0f;
    Arrays.fill(expected, 2, 8, (byte) 0);
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(text, 0, expected, 8, text.length);
    assertArrayEquals(expected, SAMPLE.encode());
    assertEquals(4096 + 47, SAMPLE.fileBytes());
  }

  @Test
  void readsWhatItWrites() {
    assertEquals(SAMPLE, SafetensorsHeader.decode(SAMPLE.encode(), SAMPLE.fileBytes(), "test"));
  }

  @Test
  void readsAFileOfAnotherWriter() {
    SafetensorsHeader header =
        decode(
            "{\"a\":{\"shape\":[2],\"dtype\":\"F16\",\"data_offsets\":[4,8]},"
                + "\"é\":{\"data_offsets\":[0,4],\"dtype\":\"U8\",\"shape\":[4]}}   ",
            8);
    assertEquals(List.of("é", "a"), header.tensors().stream().map(TensorPlace::name).toList());
    assertEquals(4, header.find("a").orElseThrow().begin());
    assertTrue(header.metadata().isEmpty());
  }

  @Test
  void aBigHeaderStaysAligned() {
    List<TensorSpec> many =
        IntStream.range(0, 1000).mapToObj(i -> TensorSpec.ofFloats("layer." + i, i)).toList();
    SafetensorsHeader header = SafetensorsHeader.of(Map.of(), many);
    assertEquals(0, header.dataStart() % 4096);
    assertEquals(header, SafetensorsHeader.decode(header.encode(), header.fileBytes(), "test"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "[]; 0; does not begin with {",
        "{\"a; 0; not JSON",
        "{} {}; 0; not JSON",
        "{\"a\":1}; 0; tensor is not dtype",
        "{\"__metadata__\":{\"k\":1}}; 0; metadata is not text",
        "{\"__metadata__\":[]}; 0; not an object",
        "{\"\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}; 1; without a name",
        "{\"a\":{\"dtype\":\"X8\",\"shape\":[],\"data_offsets\":[0,1]}}; 1; unknown type",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}; 1; not a size",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}; 1; not a size",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,1]}}; 1; not a size",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}; 0; no whole size",
        "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}; 1; no whole size",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}; 1; not an array",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,1]}}; 1; do not fit the shape",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}; 2; hole before",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}; 2; does not end with the file",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}; 0; does not end with the file",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}; 3; overlap before",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}; 0; not JSON",
      })
  void refusesWhatBreaksARule(String json, long dataBytes, String reason) {
    LuciolaException e = assertThrows(LuciolaException.class, () -> decode(json, dataBytes));
    assertEquals(ErrorCode.CORRUPT_DATA, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
    assertTrue(String.valueOf(e.getMessage()).contains("file=test"), e.getMessage());
  }

  @Test
  void refusesALengthThatCannotBe() {
    for (long length : new long[] {-1, 0, 1, 100_000_001, Long.MIN_VALUE, 4089}) {
      byte[] header = SAMPLE.encode();
      ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
      assertThrows(
          LuciolaException.class,
          () -> SafetensorsHeader.decode(header, SAMPLE.fileBytes(), "test"));
    }
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] header = SAMPLE.encode();
    for (int length = 0; length < header.length; length++) {
      byte[] cut = Arrays.copyOf(header, length);
      LuciolaException e =
          assertThrows(
              LuciolaException.class,
              () -> SafetensorsHeader.decode(cut, SAMPLE.fileBytes(), "test"));
      assertEquals(ErrorCode.CORRUPT_DATA, e.code());
    }
  }

  @Test
  void randomDamageIsRefusedOrStillAValidHeader() {
    SplittableRandom random = new SplittableRandom(11);
    byte[] good = SAMPLE.encode();
    int refused = 0;
    for (int round = 0; round < 5000; round++) {
      byte[] bad = good.clone();
      for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
        bad[random.nextInt(420)] = (byte) random.nextInt(256);
      }
      try {
        SafetensorsHeader header = SafetensorsHeader.decode(bad, SAMPLE.fileBytes(), "test");
        assertEquals(SAMPLE.fileBytes(), header.fileBytes());
      } catch (LuciolaException e) {
        assertEquals(ErrorCode.CORRUPT_DATA, e.code());
        refused++;
      }
    }
    assertTrue(refused > 3000, "refused=" + refused);
  }

  @Test
  void badUtf8IsRefused() {
    byte[] header = file("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    header[10] = (byte) 0xff;
    assertThrows(
        LuciolaException.class, () -> SafetensorsHeader.decode(header, header.length, "test"));
  }
}

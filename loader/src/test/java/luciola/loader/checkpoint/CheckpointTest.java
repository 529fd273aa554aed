package luciola.loader.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import luciola.client.DirectoryEntry;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.memory.MemoryFileSystem;
import luciola.loader.checkpoint.CheckpointContents.TensorFile;
import luciola.loader.safetensors.DType;
import luciola.loader.safetensors.SafetensorsHeader;
import luciola.loader.safetensors.TensorSpec;
import luciola.loader.safetensors.TensorView;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class CheckpointTest {
  private static final String ROOT = "/runs/a";
  private static final String MODEL = "model.safetensors";
  private static final String EMA = "ema.safetensors";
  private static final CheckpointConfig CONFIG = new CheckpointConfig(ROOT, 2, 4096);

  private final MemoryFileSystem memory = new MemoryFileSystem();
  private final FaultyFileSystem faulty = new FaultyFileSystem(memory);
  private final LuciolaFileSystem files = faulty.proxy();

  private final float[] weights = new float[3000];
  private final float[] bias = new float[7];
  private final byte[] mask = new byte[5];

  private List<TensorView> views() {
    return List.of(
        new TensorView(TensorSpec.ofFloats("w", 3, 1000), MemorySegment.ofArray(weights)),
        new TensorView(TensorSpec.ofFloats("b", 7), MemorySegment.ofArray(bias)),
        new TensorView(new TensorSpec("mask", DType.U8, List.of(5L)), MemorySegment.ofArray(mask)));
  }

  /** Contents whose values all depend on the step. */
  private CheckpointContents contents(long step) {
    for (int i = 0; i < weights.length; i++) {
      weights[i] = i * 0.25f + step;
    }
    for (int i = 0; i < bias.length; i++) {
      bias[i] = -i - step;
    }
    for (int i = 0; i < mask.length; i++) {
      mask[i] = (byte) (3L * i + step);
    }
    return new CheckpointContents(
        step,
        "position " + step,
        Map.of("run", "a"),
        List.of(new TensorFile(MODEL, views()), new TensorFile(EMA, views().subList(0, 2))));
  }

  private void save(long step) throws InterruptedException {
    try (CheckpointWriter writer = new CheckpointWriter(files, CONFIG)) {
      writer.save(contents(step));
      writer.await();
      assertEquals(OptionalLong.of(step), writer.lastCommitted());
    }
  }

  private CheckpointReader reader() {
    return new CheckpointReader(memory, ROOT);
  }

  private void assertWhole(long step) {
    Checkpoint checkpoint = reader().open(step);
    checkpoint.verify();
    checkpoint.load(MODEL, views());
    assertEquals("position " + step, checkpoint.position());
    float[] loaded = weights.clone();
    byte[] loadedMask = mask.clone();
    contents(step);
    assertArrayEquals(weights, loaded);
    assertArrayEquals(mask, loadedMask);
  }

  @Test
  void readsBackWhatWasSaved() throws InterruptedException {
    save(10);
    assertEquals(List.of(10L), reader().steps());
    assertEquals(OptionalLong.of(10), reader().latest());
    assertWhole(10);
    Checkpoint checkpoint = reader().open(10);
    assertEquals("a", checkpoint.manifest().metadata().get("run"));
    assertEquals(
        List.of("b", "w"), checkpoint.tensors(EMA).stream().map(TensorSpec::name).toList());
  }

  @Test
  void theFilesAreOrdinarySafetensors() throws InterruptedException {
    save(1);
    try (ReadableFile file = memory.openRead(ROOT + "/step-00000001/" + MODEL);
        Arena arena = Arena.ofShared()) {
      MemorySegment bytes = arena.allocate(file.length());
      assertEquals(file.length(), file.read(0, bytes).join());
      byte[] prefix = bytes.asSlice(0, 8).toArray(ValueLayout.JAVA_BYTE);
      int length = SafetensorsHeader.headerBytes(prefix, file.length(), "test");
      SafetensorsHeader header =
          SafetensorsHeader.decode(
              bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), file.length(), "test");
      assertEquals(0, header.dataStart() % 4096);
      long w = header.dataStart() + header.find("w").orElseThrow().begin();
      assertEquals(weights[17], bytes.get(ValueLayout.JAVA_FLOAT, w + 4 * 17));
    }
  }

  @Test
  void aSaveReturnsBeforeAnythingIsWrittenAndKeepsWhatWasThere() throws InterruptedException {
    CountDownLatch open = new CountDownLatch(1);
    try (CheckpointWriter writer = new CheckpointWriter(files, CONFIG)) {
      faulty.waitFor(open);
      int before = faulty.changes().size();
      writer.save(contents(1));
      writer.save(contents(2));
      Arrays.fill(weights, Float.NaN);
      Arrays.fill(mask, (byte) -1);
      assertEquals(before, faulty.changes().size());
      assertEquals(OptionalLong.empty(), writer.lastCommitted());
      open.countDown();
      writer.await();
    }
    assertWhole(1);
    assertWhole(2);
  }

  @Test
  void everythingIsSyncedBeforeTheRename() throws InterruptedException {
    save(1);
    List<String> changes = faulty.changes();
    int rename = -1;
    int synced = 0;
    for (int i = 0; i < changes.size(); i++) {
      if (changes.get(i).startsWith("renameNoReplace")) {
        rename = i;
      } else if (changes.get(i).startsWith("sync")) {
        synced++;
        assertEquals(-1, rename);
      }
    }
    assertEquals(3, synced);
    assertTrue(rename > 0);
  }

  @Test
  void aFailedWriteIsThrownByTheNextCallWithItsCause() throws InterruptedException {
    save(1);
    try (CheckpointWriter writer = new CheckpointWriter(files, CONFIG)) {
      faulty.failAt(faulty.changes().size() + 3, false);
      writer.save(contents(2));
      LuciolaException e = assertThrows(LuciolaException.class, writer::await);
      assertEquals(ErrorCode.NO_SPACE, e.code());
      LuciolaException cause = assertInstanceOf(LuciolaException.class, e.getCause());
      assertTrue(String.valueOf(cause.getMessage()).contains("planted"), cause.getMessage());
      writer.save(contents(3));
      writer.await();
    }
    assertEquals(List.of(1L, 3L), reader().steps());
    assertEquals(2, memory.list(ROOT).size());
    assertWhole(3);
  }

  @Test
  void aFailureIsNotLostWhenTheWriterIsClosed() throws InterruptedException {
    CheckpointWriter writer = new CheckpointWriter(files, CONFIG);
    faulty.failAt(faulty.changes().size() + 1, false);
    writer.save(contents(2));
    assertThrows(LuciolaException.class, writer::close);
  }

  @Test
  void aStepIsNotSavedOverACommittedOne() throws InterruptedException {
    save(5);
    try (CheckpointWriter writer = new CheckpointWriter(files, CONFIG)) {
      writer.save(contents(5));
      LuciolaException e = assertThrows(LuciolaException.class, writer::await);
      assertEquals(ErrorCode.EXISTS, e.code());
    }
    assertWhole(5);
  }

  @Test
  void aCrashAtAnyMomentLeavesTheOldOrTheNewCheckpointWhole() throws InterruptedException {
    save(1);
    int changesOfASave = faulty.changes().size();
    for (int crash = 0; crash <= changesOfASave; crash++) {
      MemoryFileSystem disk = new MemoryFileSystem();
      FaultyFileSystem first = new FaultyFileSystem(disk);
      try (CheckpointWriter writer = new CheckpointWriter(first.proxy(), CONFIG)) {
        writer.save(contents(1));
        writer.await();
      }
      FaultyFileSystem second = new FaultyFileSystem(disk);
      second.failAt(crash, true);
      boolean failed = false;
      try (CheckpointWriter writer = new CheckpointWriter(second.proxy(), CONFIG)) {
        writer.save(contents(2));
        writer.await();
      } catch (LuciolaException _) {
        failed = true;
      }
      CheckpointReader reader = new CheckpointReader(disk, ROOT);
      long latest = reader.latest().orElseThrow();
      Checkpoint checkpoint = reader.open(latest);
      checkpoint.verify();
      assertEquals("position " + latest, checkpoint.position());
      assertTrue(failed || latest == 2, "crash at " + crash);
      reader.open(1).verify();
      try (CheckpointWriter writer = new CheckpointWriter(disk, CONFIG)) {
        writer.save(contents(3));
        writer.await();
      }
      for (DirectoryEntry entry : disk.list(ROOT)) {
        assertFalse(entry.name().startsWith("."), "crash at " + crash + " left " + entry.name());
      }
      reader.open(3).verify();
    }
  }

  @Test
  void onlyTheLastOnesAreKept() throws InterruptedException {
    memory.mkdirs(ROOT + "/notes");
    for (int step = 1; step <= 5; step++) {
      save(step);
    }
    assertEquals(List.of(4L, 5L), reader().steps());
    assertTrue(memory.find(ROOT + "/notes").isPresent());
    reader().remove(4);
    assertEquals(List.of(5L), reader().steps());
  }

  @Test
  void oneTensorIsReadByItsRangeAlone() throws InterruptedException {
    save(1);
    FaultyFileSystem counting = new FaultyFileSystem(memory);
    CheckpointReader reader = new CheckpointReader(counting.proxy(), ROOT);
    Checkpoint checkpoint = reader.open(1);
    int before = counting.readBytes().size();
    try (Arena arena = Arena.ofShared()) {
      TensorView b = checkpoint.load(MODEL, "b", arena);
      assertArrayEquals(bias, b.data().toArray(ValueLayout.JAVA_FLOAT));
    }
    List<Long> reads = counting.readBytes();
    assertEquals(List.of(4096L, 28L), reads.subList(before, reads.size()));
  }

  private void flip(String file, long offset) {
    try (ReadableFile in = memory.openRead(file);
        WritableFile out = memory.openWrite(file, OpenOptions.EXISTING);
        Arena arena = Arena.ofShared()) {
      MemorySegment one = arena.allocate(1);
      assertEquals(1, in.read(offset, one).join());
      byte flipped = (byte) (one.get(ValueLayout.JAVA_BYTE, 0) ^ 4);
      out.write(offset, new byte[] {flipped});
    }
  }

  private static void assertCorrupt(Executable call) {
    LuciolaException e = assertThrows(LuciolaException.class, call);
    assertEquals(ErrorCode.CORRUPT_DATA, e.code(), e.getMessage());
    assertTrue(String.valueOf(e.getMessage()).contains("step-00000001"), e.getMessage());
  }

  @Test
  void aFlippedBitAnywhereIsNoticed() throws InterruptedException {
    save(1);
    String model = ROOT + "/step-00000001/" + MODEL;
    long length = memory.stat(model).length();
    for (long offset = 0; offset < length; offset += 97) {
      flip(model, offset);
      assertCorrupt(() -> reader().open(1).verify());
      flip(model, offset);
    }
    String manifest = ROOT + "/step-00000001/manifest.json";
    for (long offset = 0; offset < memory.stat(manifest).length(); offset++) {
      flip(manifest, offset);
      assertCorrupt(() -> reader().open(1));
      flip(manifest, offset);
    }
    reader().open(1).verify();
  }

  @Test
  void aDamagedTensorDoesNotHinderAnother() throws InterruptedException {
    save(1);
    flip(ROOT + "/step-00000001/" + MODEL, 4096 + 28 + 100);
    Checkpoint checkpoint = reader().open(1);
    checkpoint.load(MODEL, views().subList(1, 3));
    assertCorrupt(() -> checkpoint.load(MODEL, views().subList(0, 1)));
  }

  @Test
  void aTruncatedOrMissingFileIsNoticed() throws InterruptedException {
    save(1);
    for (String name : List.of(MODEL, "manifest.json")) {
      String path = ROOT + "/step-00000001/" + name;
      try (WritableFile file = memory.openWrite(path, OpenOptions.EXISTING)) {
        file.truncate(file.length() - 1);
      }
      assertCorrupt(() -> reader().open(1).verify());
      memory.remove(path);
      assertCorrupt(() -> reader().open(1).verify());
    }
  }

  @Test
  void aTensorOfAnotherShapeIsRefused() throws InterruptedException {
    save(1);
    Checkpoint checkpoint = reader().open(1);
    for (TensorSpec wrong :
        List.of(
            TensorSpec.ofFloats("b", 7, 1),
            new TensorSpec("b", DType.I32, List.of(7L)),
            TensorSpec.ofFloats("none", 7))) {
      TensorView view = new TensorView(wrong, MemorySegment.ofArray(new float[7]));
      LuciolaException e =
          assertThrows(LuciolaException.class, () -> checkpoint.load(MODEL, List.of(view)));
      assertEquals(ErrorCode.INVALID_ARGUMENT, e.code());
    }
    LuciolaException none = assertThrows(LuciolaException.class, () -> reader().open(2));
    assertEquals(ErrorCode.NOT_FOUND, none.code());
    assertTrue(new CheckpointReader(memory, "/nowhere").latest().isEmpty());
  }

  @Test
  void theManifestHasItsGoldenForm() {
    Manifest manifest =
        new Manifest(
            7,
            "p",
            Map.of("k", "v"),
            List.of(
                new Manifest.FileEntry(
                    MODEL,
                    4104,
                    4096,
                    0x0a0b0c0d,
                    List.of(
                        new Manifest.Box("t", 0, List.of(0L), List.of(2L), 0, 8, 0xfffefdfc)))));
    byte[] bytes = ManifestCodec.encode(manifest);
    assertEquals(
        "{\"format\":\"luciola.checkpoint\",\"version\":1,\"step\":7,\"position\":\"p\","
            + "\"metadata\":{\"k\":\"v\"},\"files\":[{\"name\":\"model.safetensors\","
            + "\"bytes\":4104,\"header_bytes\":4096,\"header_crc32c\":\"0a0b0c0d\",\"boxes\":["
            + "{\"tensor\":\"t\",\"rank\":0,\"start\":[0],\"size\":[2],\"data_offsets\":[0,8],"
            + "\"crc32c\":\"fffefdfc\"}]}]}\n{\"crc32c\":\"CRC\"}\n",
        new String(bytes, StandardCharsets.UTF_8)
            .replaceFirst("\"crc32c\":\"[0-9a-f]{8}\"}\n$", "\"crc32c\":\"CRC\"}\n"));
    assertEquals(manifest, ManifestCodec.decode(bytes, "test"));
  }
}

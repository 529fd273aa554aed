package luciola.loader.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import luciola.loader.dataset.DatasetPacker.Document;
import luciola.loader.order.EpochLedger.Verdict;
import luciola.loader.order.LastBatch;
import luciola.loader.order.OrderPlan;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class DatasetPackerTest {
  private final LuciolaFileSystem files = new MemoryFileSystem();
  private final DatasetPacker packer = new DatasetPacker(files);

  private static List<Document> documents(int count, long seed) {
    Random random = new Random(seed);
    List<Document> documents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] bytes = new byte[random.nextInt(5000)];
      random.nextBytes(bytes);
      documents.add(new Document("src/file-" + i + ".txt", bytes));
    }
    return documents;
  }

  @Test
  void packsBytesAsTokensWithAnEndAfterEachDocument() {
    List<Document> source = documents(40, 1);
    DatasetPacker.Packed packed =
        packer.packByteTokens("/corpus", source.iterator(), OptionalInt.of(0));
    assertEquals(40, packed.documents());
    byte[] tokens = Files.bytes(files, "/corpus/tokens.bin");
    int at = 0;
    for (Document document : source) {
      for (byte b : document.bytes()) {
        assertEquals(b, tokens[at++]);
      }
      assertEquals(0, tokens[at++]);
    }
    assertEquals(tokens.length, at);
    try (Dataset dataset = Dataset.open(files, "/corpus", 128);
        RecordShard names = RecordShard.open(files, "/corpus/names.rec")) {
      assertEquals(packed.fingerprint(), dataset.catalog().fingerprint());
      assertEquals((tokens.length - 1) / 128, dataset.samples());
      assertEquals("src/file-39.txt", new String(names.read(39), UTF_8));
    }
    assertTrue(new DatasetVerifier(files).verify("/corpus").clean());
  }

  @Test
  void packsRecordsIntoShardsOfASize() {
    List<Document> source = documents(300, 2);
    packer.packRecords("/records", source.iterator(), 100_000);
    try (Dataset dataset = Dataset.open(files, "/records", 1)) {
      assertTrue(dataset.catalog().shards().size() > 3);
      assertEquals(300, dataset.samples());
      RecordDataset records = (RecordDataset) dataset;
      for (int i = 0; i < 300; i += 7) {
        SampleAddress address = records.address(i);
        byte[] file = Files.bytes(files, address.file().path());
        byte[] sample = new byte[address.bytes()];
        System.arraycopy(file, (int) address.offset(), sample, 0, sample.length);
        assertArrayEquals(source.get(i).bytes(), sample);
      }
    }
    assertTrue(new DatasetVerifier(files).verify("/records").clean());
  }

  @Test
  void equalContentHasEqualFingerprints() {
    DatasetPacker.Packed one =
        packer.packByteTokens("/a", documents(5, 3).iterator(), OptionalInt.empty());
    DatasetPacker.Packed same =
        packer.packByteTokens("/b", documents(5, 3).iterator(), OptionalInt.empty());
    List<Document> changed = documents(5, 3);
    changed.get(4).bytes()[0] ^= 1;
    DatasetPacker.Packed other =
        packer.packByteTokens("/c", changed.iterator(), OptionalInt.empty());
    assertEquals(one.fingerprint(), same.fingerprint());
    assertNotEquals(one.fingerprint(), other.fingerprint());
  }

  @Test
  void theVerifierNamesTheCorruptRecord() {
    packer.packRecords("/records", documents(10, 4).iterator(), 1 << 20);
    Files.flip(files, "/records/shard-00000.rec", 70);
    DatasetVerifier.Report report = new DatasetVerifier(files).verify("/records");
    assertEquals(1, report.faults().size());
    assertTrue(
        report.faults().getFirst().contains("path=/records/shard-00000.rec sample=0 offset=64"),
        report.faults().getFirst());
  }

  @Test
  void theVerifierSeesACorruptTokenFile() {
    packer.packByteTokens("/corpus", documents(10, 4).iterator(), OptionalInt.of(0));
    Files.flip(files, "/corpus/tokens.bin", 1000);
    DatasetVerifier.Report report = new DatasetVerifier(files).verify("/corpus");
    assertFalse(report.clean());
    assertTrue(report.faults().getFirst().contains("/corpus/tokens.bin"));
  }

  @Test
  void theVerifierProvesAnEpochForAnyNumberOfRanks() {
    OrderPlan plan = new OrderPlan(12, 1237, 5);
    for (int world : new int[] {1, 2, 8, 13}) {
      assertEquals(
          new Verdict.ExactlyOnce(1237),
          DatasetVerifier.proveEpoch(plan, 3, world, 16, LastBatch.SHORT));
    }
  }

  @Test
  void aPackingThatFailsLeavesNothing() {
    Iterator<Document> failing =
        new Iterator<>() {
          private int given;

          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public Document next() {
            if (given++ == 3) {
              throw new IllegalStateException("the source went away");
            }
            return new Document("x", new byte[10]);
          }
        };
    assertThrows(
        IllegalStateException.class,
        () -> packer.packByteTokens("/corpus", failing, OptionalInt.empty()));
    assertTrue(files.list("/").isEmpty());
  }

  @Test
  void refusesAnExistingDirectoryAndAnEmptySource() {
    files.mkdir("/there");
    LuciolaException exists =
        assertThrows(
            LuciolaException.class,
            () -> packer.packByteTokens("/there", documents(1, 1).iterator(), OptionalInt.of(0)));
    assertEquals(ErrorCode.EXISTS, exists.code());
    LuciolaException empty =
        assertThrows(
            LuciolaException.class,
            () -> packer.packRecords("/new", List.<Document>of().iterator(), 10));
    assertEquals(ErrorCode.INVALID_ARGUMENT, empty.code());
    assertTrue(files.find("/new").isEmpty());
  }

  @Test
  void openSaysWhatIsWrongWithAPath() {
    files.mkdir("/bare");
    assertEquals(ErrorCode.NOT_FOUND, fault("/nowhere").code());
    assertTrue(String.valueOf(fault("/bare").getMessage()).contains("no dataset.json"));
    packer.packByteTokens("/corpus", documents(3, 1).iterator(), OptionalInt.of(0));
    Files.put(files, "/corpus/dataset.json", "{\"format\": \"luciola".getBytes(UTF_8));
    assertEquals(ErrorCode.CORRUPT_DATA, fault("/corpus").code());
    Files.put(
        files,
        "/corpus/dataset.json",
        "{\"format\": \"luciola-dataset\", \"version\": 2}".getBytes(UTF_8));
    assertEquals(ErrorCode.FORMAT_TOO_NEW, fault("/corpus").code());
  }

  private LuciolaException fault(String path) {
    return assertThrows(LuciolaException.class, () -> Dataset.open(files, path, 128).close(), path);
  }
}

package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mounts past the page cache: as POSIX has it, and what one has written another one reads. */
@Timeout(300)
final class DirectMountDeviceTest {
  private static final Pattern KERNEL = Pattern.compile("kernel=7\\.([0-9]+)");

  /** From this minor version of the protocol on, such files can be mapped and shared. */
  private static final int MAPS = 39;

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted one;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted two;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster = new MountedCluster(folder, 3);
    one = cluster.mount("one", "--direct");
    two = cluster.mount("two", "--direct", "--attribute-millis=50");
  }

  @AfterAll
  static void unmount() throws IOException {
    for (MountedCluster.Mounted mounted : new MountedCluster.Mounted[] {one, two}) {
      if (mounted != null) {
        mounted.close();
      }
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void systemCallsDoWhatTheyDoElsewhere() throws Exception {
    assumeTrue(Files.isExecutable(Path.of(PosixCases.PYTHON)), "SKIPPED-TIER device: no python3");
    PosixCases.compare(
        Files.createDirectory(one.directory().resolve("posix")),
        Files.createDirectory(folder.resolve("posix")));
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12})
  void randomStepsDoWhatALocalFileSystemDoes(long seed) throws Exception {
    Path local = Files.createDirectory(folder.resolve("local-" + seed));
    Path here = Files.createDirectory(one.directory().resolve("steps-" + seed));
    var steps = new RandomSteps(seed);
    for (int i = 0; i < 200; i++) {
      RandomSteps.Step step = steps.next();
      assertEquals(step.on(local), step.on(here), () -> "seed=" + seed + " step=" + step);
    }
    assertEquals(RandomSteps.tree(local), RandomSteps.tree(here));
  }

  /** What a file should hold. */
  private static final class Model {
    private byte[] bytes = new byte[0];

    void write(int offset, byte[] data) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length, offset + data.length));
      System.arraycopy(data, 0, bytes, offset, data.length);
    }
  }

  private static byte[] read(FileChannel file, long offset, int bytes) throws IOException {
    ByteBuffer into = ByteBuffer.allocate(bytes);
    while (into.hasRemaining() && file.read(into, offset + into.position()) > 0) {
      // Until the end.
    }
    return Arrays.copyOf(into.array(), into.position());
  }

  private static void writeFully(FileChannel file, byte[] data, long offset) throws IOException {
    ByteBuffer from = ByteBuffer.wrap(data);
    while (from.hasRemaining()) {
      var _ = file.write(from, offset + from.position());
    }
  }

  /**
   * Neither closes, syncs or asks for attributes: places and lengths that fit no page, over several
   * requests, in holes and past the end.
   */
  @Test
  void eachReadsWhatTheOtherHasJustWritten() throws IOException {
    Random random = new Random(5);
    var model = new Model();
    Path here = one.directory().resolve("shared");
    try (FileChannel first =
            FileChannel.open(
                here,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        FileChannel second =
            FileChannel.open(
                two.directory().resolve("shared"),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
      for (int i = 0; i < 120; i++) {
        byte[] data = new byte[1 + random.nextInt(i % 10 == 0 ? 2_500_000 : 20_000)];
        random.nextBytes(data);
        int offset = random.nextInt(model.bytes.length + 10_000);
        writeFully(i % 2 == 0 ? first : second, data, offset);
        model.write(offset, data);
        FileChannel other = i % 2 == 0 ? second : first;
        int from = Math.max(0, offset - random.nextInt(5000));
        int length = data.length + random.nextInt(10_000);
        assertArrayEquals(
            Arrays.copyOfRange(model.bytes, from, Math.min(model.bytes.length, from + length)),
            read(other, from, length),
            "step=" + i);
      }
      assertArrayEquals(model.bytes, read(first, 0, model.bytes.length + 1));
    }
    assertArrayEquals(model.bytes, Files.readAllBytes(two.directory().resolve("shared")));
  }

  /** A reader that never asks for the file's length follows one that appends. */
  @Test
  void whatIsAppendedIsReadAtOnce() throws IOException {
    Path here = one.directory().resolve("log");
    try (FileChannel log =
            FileChannel.open(here, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        FileChannel reader =
            FileChannel.open(two.directory().resolve("log"), StandardOpenOption.READ)) {
      long end = 0;
      for (int i = 0; i < 30; i++) {
        byte[] line = ("line " + "x".repeat(37 * i) + i + "\n").getBytes(StandardCharsets.UTF_8);
        assertEquals(line.length, log.write(ByteBuffer.wrap(line)));
        assertArrayEquals(line, read(reader, end, 10_000), "line=" + i);
        end += line.length;
      }
    }
  }

  /** A cut is known as late as other attributes are; then nothing of what was cut is read. */
  @Test
  void aCutElsewhereIsSeenByWhoHasItOpen() throws Exception {
    Path here = one.directory().resolve("cut");
    Files.write(here, new byte[300_001]);
    try (FileChannel reader =
        FileChannel.open(two.directory().resolve("cut"), StandardOpenOption.READ)) {
      assertEquals(300_001, read(reader, 0, 400_000).length);
      try (FileChannel file = FileChannel.open(here, StandardOpenOption.WRITE)) {
        var _ = file.truncate(1001);
      }
      MountedCluster.await(
          "the cut is seen",
          () -> {
            try {
              return read(reader, 0, 400_000).length == 1001;
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          });
      assertEquals(0, read(reader, 1001, 10).length);
    }
  }

  private static int protocolMinor() throws IOException {
    Matcher said = KERNEL.matcher(Files.readString(folder.resolve("one.log")));
    if (!said.find()) {
      throw new AssertionError("the mount did not say what the kernel speaks");
    }
    return Integer.parseInt(said.group(1));
  }

  /** Where the kernel can; what is synced is read by the other mount. Else mmap says ENODEV. */
  @Test
  void aSharedMappingIsWrittenBack() throws Exception {
    Path script = Files.createDirectories(folder.resolve("scripts")).resolve("map.py");
    Files.writeString(
        script,
        """
        import mmap, os, sys
        f = os.open(sys.argv[1] + "/mapped", os.O_RDWR | os.O_CREAT)
        os.pwrite(f, b"a" * 20001, 0)
        try:
            m = mmap.mmap(f, 20001)
        except OSError as e:
            print(e.errno)
            sys.exit()
        assert m[:] == b"a" * 20001
        m[5000:5003] = b"xyz"
        m.flush()
        g = os.open(sys.argv[2] + "/mapped", os.O_RDWR)
        assert os.pread(g, 5, 4999) == b"axyza", os.pread(g, 5, 4999)
        # What a write past the cache changes, the mapping of this machine shows.
        os.pwrite(f, b"w", 10)
        assert m[9:12] == b"awa"
        print("mapped", len(os.pread(g, 30000, 0)))
        """);
    String out =
        MountedCluster.sh(
            folder,
            PosixCases.PYTHON + " " + script + " " + one.directory() + " " + two.directory());
    assertEquals(protocolMinor() >= MAPS ? "mapped 20001" : "19", out.strip());
  }

  @Test
  void fioFindsWhatItWrote() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/fio")), "SKIPPED-TIER device: no fio");
    String out =
        MountedCluster.sh(
            Files.createDirectory(one.directory().resolve("fio")),
            """
            fio --minimal --name=odd --filename=one --size=4m --rw=randwrite --bsrange=3k-90k --bs_unaligned --verify=crc32c --verify_fatal=1 >/dev/null
            fio --minimal --name=queued --filename=two --size=8m --rw=randwrite --bs=64k --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 >/dev/null
            stat -c %s two
            """);
    assertEquals(8 << 20, Integer.parseInt(out.strip()));
  }
}

package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import luciola.cli.Run;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs on a mount meet a quota: EDQUOT where a file system of the machine says it. */
@Timeout(300)
final class QuotaDeviceTest {
  private static final int MIB = 1 << 20;

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted mounted;

  private final Run run = new Run();

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster = new MountedCluster(folder, 1);
    mounted = cluster.mount("mnt");
  }

  @AfterAll
  static void unmount() throws IOException {
    if (mounted != null) {
      mounted.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  private Path limited(String name, String... limits) throws IOException {
    Path directory = Files.createDirectory(mounted.directory().resolve(name));
    quota(name, limits);
    return directory;
  }

  private void quota(String name, String... limits) {
    var args = new ArrayList<>(List.of("quota", "set", "/" + name));
    args.addAll(List.of(limits));
    args.add("--cluster=" + String.join(",", cluster.fleet().metaAddresses()));
    assertEquals(0, run.command(args.toArray(String[]::new)), run.err());
    MountedCluster.await(
        "counted",
        () ->
            run.command(
                        "quota",
                        "ls",
                        "--cluster=" + String.join(",", cluster.fleet().metaAddresses()))
                    == 0
                && !run.out().contains("counting"));
  }

  /** Runs a Python program whose function {@code no} gives the error of a call that must fail. */
  private static String python(Path directory, String program)
      throws IOException, InterruptedException {
    Path script = Files.createTempFile(folder, "quota", ".py");
    Files.writeString(
        script,
        """
        import errno, os
        def no(call, *arguments):
            try:
                call(*arguments)
            except OSError as e:
                return errno.errorcode[e.errno]
            return "nothing"
        """
            + program);
    return MountedCluster.sh(directory, "python3 " + script).strip();
  }

  @Test
  void ddEndsWhereTheQuotaDoes() throws IOException, InterruptedException {
    Path team = limited("dd", "--bytes=10MiB");
    String said =
        MountedCluster.sh(team, "dd if=/dev/zero of=f bs=1M count=20 2>&1 && exit 1 || true");
    assertEquals(true, said.contains("Disk quota exceeded"), said);
    assertEquals(10L * MIB, Files.size(team.resolve("f")));
    assertEquals(
        "size=10485760 avail=0",
        MountedCluster.sh(team, "df -B1 --output=size,avail . | tail -1")
            .strip()
            .replaceAll("([0-9]+) +([0-9]+)", "size=$1 avail=$2"));
    Files.delete(team.resolve("f"));
    MountedCluster.sh(team, "dd if=/dev/zero of=g bs=1M count=10 conv=fsync 2>&1");
    assertEquals(10L * MIB, Files.size(team.resolve("g")));
  }

  @Test
  void namesLengthsAndRenamesAreRefusedWithEdquot() throws IOException, InterruptedException {
    Path team = limited("names", "--inodes=3", "--bytes=1MiB");
    Files.writeString(mounted.directory().resolve("outside"), "x");
    assertEquals(
        "EDQUOT EDQUOT EDQUOT EDQUOT EDQUOT EDQUOT nothing",
        python(
            team,
            """
            os.mkdir("d")
            f = os.open("f", os.O_CREAT | os.O_RDWR)
            os.link("f", "l")
            print(no(os.open, "g", os.O_CREAT | os.O_WRONLY), no(os.mkdir, "e"),
                  no(os.link, "f", "m"), no(os.symlink, "f", "s"),
                  no(os.rename, "../outside", "d/inside"), no(os.ftruncate, f, 600_000),
                  no(os.rename, "l", "d/l"))
            """));
  }

  @Test
  void whoIsTooLateIsRefusedAtFsync() throws IOException, InterruptedException {
    Path team = limited("late", "--bytes=6MiB");
    assertEquals(
        "EDQUOT",
        python(
            team,
            """
            a = os.open("a", os.O_CREAT | os.O_WRONLY)
            b = os.open("b", os.O_CREAT | os.O_WRONLY)
            os.write(a, bytes(4 << 20))
            os.write(b, bytes(4 << 20))
            os.fsync(a)
            refused = no(os.fsync, b)
            no(os.close, b)
            os.close(a)
            print(refused)
            """));
    assertEquals(4L * MIB, Files.size(team.resolve("a")));
    // The kernel closes a file after the program has.
    MountedCluster.await("as long as it was told", () -> team.resolve("b").toFile().length() == 0);
  }

  @Test
  void aLimitThatIsLoweredHoldsForFilesThatAreOpen() throws IOException {
    Path file = limited("lowered", "--bytes=100MiB").resolve("f");
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    channel.write(ByteBuffer.allocate(MIB));
    channel.force(true);
    quota("lowered", "--bytes=1MiB");
    channel.write(ByteBuffer.allocate(1));
    IOException refused = assertThrows(IOException.class, () -> channel.force(true));
    assertEquals("Disk quota exceeded", refused.getMessage());
    assertThrows(IOException.class, () -> channel.write(ByteBuffer.allocate(1)));
    try {
      channel.close();
    } catch (IOException again) {
      assertEquals("Disk quota exceeded", again.getMessage());
    }
    MountedCluster.await("as long as it was told", () -> file.toFile().length() == MIB);
  }
}

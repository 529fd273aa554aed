package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that know nothing of Luciola, on a mount: they do what they do anywhere else. */
@Timeout(300)
final class ProgramsDeviceTest {
  private static final Path MEMORY = Path.of("/dev/shm");
  private static final String PYTHON = "/usr/bin/python3";

  private static final List<String> CASES =
      List.of(
          "each_call_on_each_kind",
          "each_call_on_bad_paths",
          "each_call_by_others",
          "modes set_id_bits owners inherited_groups sticky_directories links directories renames"
              + " special_files opens running_programs lengths file_times symbolic_links listings");

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted mounted;

  private static int directories;

  @SuppressWarnings("NullAway.Init")
  private Path directory;

  /** Of the machine's own file system. */
  @SuppressWarnings("NullAway.Init")
  private Path local;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster = new MountedCluster(folder, 3);
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

  @BeforeEach
  void makeDirectories() throws IOException {
    String name = "of" + directories++;
    directory = Files.createDirectory(mounted.directory().resolve(name));
    local = Files.createDirectory(folder.resolve(name));
  }

  private static void needs(String... programs) {
    for (String program : programs) {
      assumeTrue(
          Stream.of("/usr/bin", "/bin", "/usr/local/bin")
              .anyMatch(where -> Files.isExecutable(Path.of(where, program))),
          "SKIPPED-TIER device: no " + program);
    }
  }

  private String sh(String script) throws IOException, InterruptedException {
    return MountedCluster.sh(
        directory,
        "D=" + directory + " L=" + local + "\nexport HOME=$L GIT_CONFIG_NOSYSTEM=1\n" + script);
  }

  /**
   * The same system calls on the machine's own file system and on the mount: the same results, the
   * same errors, the same attributes afterwards. Four programs at once, for the time it takes.
   */
  @Test
  void systemCallsDoWhatTheyDoElsewhere() throws Exception {
    needs("python3");
    Path script = local.resolve("posix_cases.py");
    try (InputStream in = ProgramsDeviceTest.class.getResourceAsStream("posix_cases.py")) {
      Files.write(script, Objects.requireNonNull(in).readAllBytes());
    }
    Path other =
        Files.isWritable(MEMORY)
            ? Files.createTempDirectory(MEMORY, "luciola-")
            : Files.createDirectory(local.resolve("other"));
    try {
      List<Steps> expected = allSteps(script, other);
      List<Steps> found = allSteps(script, directory);
      for (int i = 0; i < expected.size(); i++) {
        String steps = expected.get(i).said();
        assertTrue(steps.lines().count() > 100 && !steps.contains("broke off"), steps);
        assertEquals(steps, found.get(i).said());
      }
    } finally {
      MountedCluster.sh(folder, "rm -rf " + other);
    }
  }

  private static List<Steps> allSteps(Path script, Path where) throws IOException {
    List<Steps> all = new ArrayList<>();
    for (String cases : CASES) {
      all.add(new Steps(script, Files.createDirectory(where.resolve("part" + all.size())), cases));
    }
    return all;
  }

  /** Some of the cases on one file system, under way. */
  private static final class Steps {
    private final Process process;
    private final CompletableFuture<String> output;

    Steps(Path script, Path where, String cases) throws IOException {
      List<String> command = new ArrayList<>(List.of(PYTHON, script.toString(), where.toString()));
      command.addAll(List.of(cases.split(" ")));
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      output =
          CompletableFuture.supplyAsync(() -> {
            try {
              return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }

    String said() throws InterruptedException {
      String said = output.join();
      assertEquals(0, process.waitFor(), said);
      return said;
    }
  }

  @Test
  void gitClonesChangesAndChecks() throws Exception {
    needs("git");
    String out =
        sh(
            """
            git config --global user.name Ann && git config --global user.email ann@example.org
            git config --global init.defaultBranch main
            mkdir $L/of && cd $L/of && git init -q .
            for i in $(seq 60); do mkdir -p d$((i % 7)); seq $i $((i * 40)) > d$((i % 7))/f$i; done
            git add . && git commit -qm one
            for i in $(seq 20); do echo more >> d$((i % 7))/f$i; done
            git commit -qam two && git tag one HEAD~1
            cd $D && git clone -q --no-hardlinks $L/of clone && cd clone
            git fsck --full --strict 2>&1
            test "$(git rev-parse HEAD)" = "$(git -C $L/of rev-parse HEAD)"
            git mv d1 moved && echo new > new && git add new && git commit -qm three
            git checkout -q one && git checkout -q main && git gc -q --prune=now
            git fsck --full --strict 2>&1 && test -z "$(git status --porcelain)"
            git push -q origin HEAD:refs/heads/back && git -C $L/of rev-parse back
            git rev-parse HEAD
            """);
    List<String> heads = out.lines().filter(line -> line.matches("[0-9a-f]{40}")).toList();
    assertEquals(2, heads.size(), out);
    assertEquals(heads.get(0), heads.get(1));
  }

  /** A write-ahead log is shared memory between the programs: a mapping of a file on the mount. */
  @ParameterizedTest
  @ValueSource(strings = {"delete", "wal"})
  void aDatabaseStaysWhole(String journal) throws Exception {
    needs("python3");
    Files.writeString(
        local.resolve("db.py"),
        """
        import sqlite3, sys
        db = sqlite3.connect("db", timeout=60, isolation_level=None)
        db.execute("pragma synchronous=normal")
        if sys.argv[1] == "make":
            print(db.execute("pragma journal_mode=" + sys.argv[2]).fetchone()[0])
            db.execute("create table t (who int, n int, what blob, primary key (who, n))")
        elif sys.argv[1] == "fill":
            for n in range(25):
                db.execute("begin immediate")
                for i in range(4):
                    db.execute("insert into t values (?, ?, randomblob(2000))", (int(sys.argv[2]), 4 * n + i))
                db.execute("commit")
        else:
            print(db.execute("select count(*), sum(n) from t").fetchone())
            print(db.execute("pragma integrity_check").fetchone()[0])
        """);
    String out =
        sh(
            "python3 $L/db.py make %s\np=\nfor i in 1 2 3; do python3 $L/db.py fill $i & p=\"$p $!\"; done\n"
                    .formatted(journal)
                + "for i in $p; do wait $i; done\npython3 $L/db.py check");
    assertEquals(List.of(journal, "(300, 14850)", "ok"), out.lines().toList());
  }

  @Test
  void archivesAndCopiesAreTheSame() throws Exception {
    needs("tar", "rsync");
    String out =
        sh(
            """
            mkdir -p $L/of/deep/er/est && cd $L/of
            for i in $(seq 50); do head -c $((i * 997)) /dev/urandom > deep/f$i; done
            ln deep/f1 deep/hard && ln -s ../f2 deep/er/soft && mkfifo deep/fifo && chmod 4750 deep/f3
            truncate -s 3000000 deep/er/sparse && printf end >> deep/er/sparse
            chown -h 12:34 deep/f5 deep/er/soft && touch -d '2001-02-03 04:05:06.789' deep/f6 deep/er
            cd $D && mkdir tarred && tar -C $L/of -cf - . | tar -C tarred -xpf -
            rsync -aHS $L/of/ synced
            for i in tarred synced; do rsync -aHnic --delete $L/of/ $i/; done
            tar -C synced -cf $L/again.tar . && mkdir $L/back && tar -C $L/back -xpf $L/again.tar
            rsync -aHnic --delete $L/of/ $L/back/
            rm -rf tarred && rsync -a --delete $L/of/deep/er/ synced/ && find synced | sort
            """);
    assertEquals(
        List.of("synced", "synced/est", "synced/soft", "synced/sparse"), out.lines().toList());
  }

  @Test
  void fioFindsWhatItWrote() throws Exception {
    needs("fio");
    sh(
        """
        fio --minimal --name=buffered --filename=one --size=12m --rw=randwrite --bsrange=4k-128k --verify=crc32c --verify_fatal=1
        fio --minimal --name=direct --filename=two --size=8m --rw=randwrite --bs=64k --direct=1 --verify=crc32c --verify_fatal=1
        fio --minimal --name=mapped --filename=three --size=4m --rw=randwrite --bs=16k --ioengine=mmap --verify=crc32c --verify_fatal=1
        fio --minimal --name=shared --filename=four --size=8m --rw=randrw --bs=32k --numjobs=3 --offset_increment=8m --verify=crc32c --verify_fatal=1 --fsync=16
        """);
    assertEquals(12 << 20, Files.size(directory.resolve("one")));
    assertEquals(24 << 20, Files.size(directory.resolve("four")));
  }

  @Test
  void aParallelMakeBuildsAndKnowsWhatIsNew() throws Exception {
    needs("make", "gcc");
    String out =
        sh(
            """
            for i in $(seq 12); do echo "int f$i(void) { return $i; }" > f$i.c; done
            { for i in $(seq 12); do echo "int f$i(void);"; done; echo '#include <stdio.h>'
              echo 'int main(void) { printf("%d", 0'; for i in $(seq 12); do echo " + f$i()"; done; echo '); putchar(10); return 0; }'; } > main.c
            printf 'OBJECTS = main.o %s\\nall: program\\nprogram: $(OBJECTS)\\n\\tgcc -o $@ $(OBJECTS)\\n%%.o: %%.c\\n\\tgcc -O0 -c -o $@ $<\\n' "$(seq -f 'f%g.o' -s ' ' 12)" > Makefile
            make -s -j4 && ./program && make -q && echo nothing to do
            echo 'int f5(void) { return 105; }' > f5.c && make -j4 | grep -c gcc && ./program
            """);
    assertEquals(List.of("78", "nothing to do", "2", "178"), out.lines().toList());
  }

  @Test
  void numpyMapsArrays() throws Exception {
    assumeTrue(
        new ProcessBuilder(PYTHON, "-c", "import numpy").redirectErrorStream(true).start().waitFor()
            == 0,
        "SKIPPED-TIER device: no numpy");
    String out =
        sh(
            """
            cat > $L/map.py <<'END'
            import numpy as np, sys
            if sys.argv[1] == "write":
                a = np.memmap("array", dtype=np.float32, mode="w+", shape=(1000, 700))
                a[:] = np.arange(700000, dtype=np.float32).reshape(1000, 700)
                a.flush()
                b = np.memmap("array", dtype=np.float32, mode="r+", shape=(1000, 700))
                b[10:20] *= -1
                b.flush()
                np.save("saved.npy", b[::2])
            else:
                c = np.memmap("array", dtype=np.float32, mode="r", shape=(1000, 700))
                print(c[5, 5], c[15, 5], c[999, 699])
                print(np.array_equal(np.load("saved.npy", mmap_mode="r"), c[::2]))
            END
            /usr/bin/python3 $L/map.py write && /usr/bin/python3 $L/map.py read
            """);
    assertEquals(List.of("3505.0 -10505.0 699999.0", "True"), out.lines().toList());
  }
}

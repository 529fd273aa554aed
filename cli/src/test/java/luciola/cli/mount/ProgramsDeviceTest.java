package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    cluster = new MountedCluster(folder, 3, fleet -> fleet.withCapacityBytes(4L << 30));
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

  @Test
  void systemCallsDoWhatTheyDoElsewhere() throws Exception {
    needs("python3");
    PosixCases.compare(directory, local);
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
        fio --minimal --name=queued --filename=five --size=16m --rw=randwrite --bs=64k --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1
        fio --minimal --name=mapped --filename=three --size=4m --rw=randwrite --bs=16k --ioengine=mmap --verify=crc32c --verify_fatal=1
        fio --minimal --name=shared --filename=four --size=8m --rw=randrw --bs=32k --numjobs=3 --offset_increment=8m --verify=crc32c --verify_fatal=1 --fsync=16
        """);
    assertEquals(12 << 20, Files.size(directory.resolve("one")));
    assertEquals(24 << 20, Files.size(directory.resolve("four")));
    assertEquals(16 << 20, Files.size(directory.resolve("five")));
  }

  /** A kernel, or whoever has set it up, may refuse io_uring. */
  @Test
  void fioFindsWhatItWroteThroughRings() throws Exception {
    needs("fio");
    String uring =
        "fio --minimal --ioengine=io_uring --iodepth=16 --verify=crc32c --verify_fatal=1 --size=%s"
            + " --filename=%s --name=rings --direct=1 --rw=randwrite --bs=64k";
    assumeTrue(
        sh(uring.formatted("64k", "$L/try") + " >/dev/null 2>&1 && echo works || true")
            .contains("works"),
        "SKIPPED-TIER device: no io_uring");
    sh(uring.formatted("16m", "six"));
    assertEquals(16 << 20, Files.size(directory.resolve("six")));
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

  private static void needsPython(String module) throws Exception {
    assumeTrue(
        new ProcessBuilder(PosixCases.PYTHON, "-c", "import " + module)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor()
            == 0,
        "SKIPPED-TIER device: no " + module);
  }

  /** Checkpoints as they are saved anywhere, over others too; data that workers read. */
  @Test
  void torchSavesLoadsAndReadsByWorkers() throws Exception {
    needsPython("torch, numpy");
    Path script = PosixCases.script("torch_cases.py", local);
    String run = PosixCases.PYTHON + " " + script;
    String out = sh(run + " save $D $L && " + run + " check $D $L 2>&1");
    assertEquals(
        List.of("first 48 MiB", "over 48 MiB", "renamed 48 MiB"),
        out.lines().limit(3).toList(),
        out);
    assertEquals(
        List.of("old 24000", "shrunk 12", "workers 2", "workers 2"),
        out.lines().skip(out.lines().count() - 4).toList(),
        out);
  }

  @Test
  void numpyMapsArrays() throws Exception {
    needsPython("numpy");
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

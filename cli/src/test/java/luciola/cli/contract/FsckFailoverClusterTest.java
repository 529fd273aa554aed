package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import luciola.cli.Run;
import luciola.client.cluster.ChainChunks;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.client.cluster.GarbageCollector;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.MetaStatus;
import luciola.meta.log.Member;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code luciola fsck --repair} while the meta-server that leads is killed, under a load. */
@Timeout(300)
final class FsckFailoverClusterTest {
  private static final int FILES = 24;
  private static final int ORPHANS = 400;
  private static final int KILLS = 2;

  @TempDir Path directory;

  private final List<Member> members = new ArrayList<>();
  private final List<MetaProcess> metas = new ArrayList<>();
  private final List<StorageProcess> storages = new ArrayList<>();
  private final List<ChunkId> planted = new ArrayList<>();
  private String addresses = "";

  private void start() throws IOException {
    members.addAll(MetaProcess.members(3));
    for (Member member : members) {
      metas.add(MetaProcess.start(directory, member, members));
    }
    addresses = metas.stream().map(MetaProcess::address).collect(Collectors.joining(","));
    try (MetaConnection connection = MetaConnection.connect(MetaOptions.of(list()))) {
      await(() -> leads(connection));
    }
    for (int i = 0; i < 2; i++) {
      storages.add(StorageProcess.start(directory.resolve("storage-" + i), addresses));
    }
    try (MetaConnection connection = MetaConnection.connect(MetaOptions.of(list()))) {
      connection.createTable(CreateTableRequest.newBuilder().setReplicas(2).build());
    }
  }

  private static boolean leads(MetaConnection connection) {
    try {
      return connection.status().getMetasList().stream().anyMatch(MetaStatus::getLeads);
    } catch (LuciolaException e) {
      return false;
    }
  }

  private List<String> list() {
    return List.of(addresses.split(",", -1));
  }

  private static void await(BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(120), "not in time");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
    }
  }

  private MetaProcess leader(ClusterFileSystem files) {
    String leads =
        files.meta().status().getMetasList().stream()
            .filter(MetaStatus::getLeads)
            .map(MetaStatus::getAddress)
            .findFirst()
            .orElseThrow();
    return metas.stream().filter(meta -> meta.address().equals(leads)).findFirst().orElseThrow();
  }

  @Test
  void nothingRightIsTouchedAndWhatIsWrongIsMendedThoughTheLeaderIsKilled() throws Exception {
    try {
      start();
      try (ClusterFileSystem files = ClusterFileSystem.connect(ClusterOptions.of(list()))) {
        run(files);
      }
    } finally {
      storages.forEach(StorageProcess::close);
      metas.forEach(MetaProcess::close);
    }
  }

  private void run(ClusterFileSystem files) throws Exception {
    files.mkdirs("/kept");
    List<InodeId> kept = new ArrayList<>();
    for (int i = 0; i < FILES; i++) {
      kept.add(FsckClusterTest.write(files, "/kept/" + i, content(i)));
    }
    var stop = new AtomicBoolean();
    var steps = new AtomicInteger();
    try (ClusterFileSystem loaded = ClusterFileSystem.connect(ClusterOptions.of(list()));
        GarbageCollector _ =
            GarbageCollector.start(loaded, Duration.ofMillis(50), Duration.ofMillis(100), 16);
        ExecutorService threads = Executors.newFixedThreadPool(3)) {
      var running = new ArrayList<Future<?>>();
      for (int worker = 0; worker < 2; worker++) {
        String home = "/load" + worker;
        running.add(threads.submit(() -> FsckClusterTest.work(loaded, home, stop, steps)));
      }
      try {
        for (int kill = 0; kill < KILLS; kill++) {
          plant(files, kept);
          killedMeanwhile(files, threads);
          requireMended(files);
        }
      } finally {
        stop.set(true);
      }
      for (Future<?> each : running) {
        FsckClusterTest.finish(each);
      }
    }
    for (int i = 0; i < FILES; i++) {
      assertArrayEquals(content(i), FsckClusterTest.read(files, "/kept/" + i));
    }
  }

  private static byte[] content(int number) {
    return FsckClusterTest.bytes(1 + number * 9_973 % (3 * FsckClusterTest.CHUNK), number);
  }

  /** Chunks of nobody, on every chain, and chunks past the ends of files. */
  private void plant(ClusterFileSystem files, List<InodeId> kept) {
    planted.clear();
    ChainChunks chunks = files.chainChunks();
    List<ChainId> chains = chunks.chains();
    InodeId gone = FsckClusterTest.write(files, "/gone", new byte[1]);
    files.remove("/gone");
    new GarbageCollector(files, Duration.ZERO).collect(1_000);
    for (int i = 1; i <= ORPHANS; i++) {
      chunks.setLength(chains.get(i % chains.size()), new ChunkId(gone, i), 64);
    }
    for (InodeId file : kept) {
      var past = new ChunkId(file, 7);
      chunks.setLength(FsckClusterTest.chainOf(files, past), past, 64);
      planted.add(past);
    }
  }

  /** The check works to its end; what it could not mend then it says. */
  private void killedMeanwhile(ClusterFileSystem files, ExecutorService threads) throws Exception {
    var run = new Run();
    Future<Integer> checked =
        threads.submit(() -> run.command("fsck", "--repair", "--cluster=" + addresses));
    await(() -> run.out().contains("repaired") || checked.isDone());
    assertTrue(!checked.isDone(), "it ended before anybody was killed");
    MetaProcess killed = leader(files);
    killed.kill();
    int code = checked.get(120, TimeUnit.SECONDS);
    metas.remove(killed);
    metas.add(MetaProcess.start(directory, killed.member(), members));
    assertTrue(code == 0 || code == 1, () -> "code=" + code + " " + run.err());
    assertEquals(
        code == 1,
        !run.out().contains(", 0 left") || run.out().contains("not checked"),
        () -> run.out().lines().skip(ORPHANS).toList() + run.err());
  }

  private void requireMended(ClusterFileSystem files) {
    var run = new Run();
    assertEquals(0, run.command("fsck", "--repair", "--cluster=" + addresses), run::out);
    assertEquals(0, run.command("fsck", "--cluster=" + addresses), run::out);
    assertTrue(run.out().contains("nothing wrong"), run::out);
    for (ChunkId past : planted) {
      assertTrue(
          files.chainChunks().length(FsckClusterTest.chainOf(files, past), past).isEmpty(),
          past::toString);
    }
  }
}

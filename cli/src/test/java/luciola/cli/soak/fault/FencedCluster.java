package luciola.cli.soak.fault;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.cli.soak.load.BlockAddress;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.error.ErrorCode;

/** Three storage-servers with every chunk on all of them, one file of one chunk, and a client. */
final class FencedCluster implements AutoCloseable {
  static final int REPLICAS = 3;
  static final Duration ASK = Duration.ofSeconds(20);
  private static final String PATH = "/fenced";
  private static final int BYTES = 4096;

  final Fleet fleet;
  final ClusterTimings timings;
  final Watch watch;
  final ClusterFileSystem files;
  final ReplicaProbe probe;
  private final WritableFile writing;
  private final BlockAddress block;

  FencedCluster(Fleet fleet, ClusterTimings timings) throws IOException {
    this.fleet = fleet;
    this.timings = timings;
    this.watch = FleetStart.start(fleet, timings, REPLICAS);
    this.files = ClusterFileSystem.connect(ClusterOptions.of(fleet.metaAddresses()));
    this.probe = new ReplicaProbe(files);
    this.writing = files.openWrite(PATH, OpenOptions.CREATE_NEW);
    write((byte) 1);
    this.block = new BlockAddress(writing.inode().value(), 0, 0, 0, BYTES);
  }

  BlockAddress block() {
    return block;
  }

  /** Writes the whole block; returns when every serving replica has it. */
  void write(byte value) {
    byte[] bytes = new byte[BYTES];
    java.util.Arrays.fill(bytes, value);
    writing.write(0, bytes);
    writing.sync();
  }

  /** The block's first byte, as the client reads it. */
  byte read() {
    try (ReadableFile file = files.openRead(PATH)) {
      MemorySegment into = Arena.ofAuto().allocate(BYTES);
      file.read(0, into).join();
      return into.get(ValueLayout.JAVA_BYTE, 0);
    }
  }

  /** The replicas in chain order. */
  List<ReplicaProbe.Replica> replicas() {
    return probe.replicas(block);
  }

  /** The server that has this replica. */
  String serverOf(ReplicaProbe.Replica replica) {
    return fleet.storageServers().stream()
        .filter(name -> fleet.address(name).equals(replica.address()))
        .findFirst()
        .orElseThrow();
  }

  /** What a replica's answer proves: a refusal's code, or the value it gave. */
  static String said(ReplicaProbe.Answer answer) {
    return answer.code() == ErrorCode.OK
        ? "value " + answer.bytes().get(ValueLayout.JAVA_BYTE, 0)
        : answer.code().name();
  }

  /** Waits until the client's routing knows the replica's server no longer as serving. */
  void awaitTakeover(ReplicaProbe.Replica replica) {
    await(
        "the chain goes on without " + replica,
        () ->
            replicas().stream()
                .noneMatch(each ->
                    each.target().equals(replica.target())
                        && each.state() == luciola.protocol.routing.PublicState.SERVING));
  }

  void awaitWhole() {
    watch
        .awaitWhole(Duration.ofSeconds(90))
        .ifPresent(seen -> {
          throw new AssertionError("not whole: " + seen);
        });
    await(
        "the client hears that all serve",
        () ->
            replicas().size() == REPLICAS
                && replicas().stream()
                    .allMatch(
                        each -> each.state() == luciola.protocol.routing.PublicState.SERVING));
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("did not come true: " + what);
      }
      LockSupport.parkNanos(10_000_000);
    }
  }

  @Override
  public void close() {
    probe.close();
    files.close();
    watch.close();
  }
}

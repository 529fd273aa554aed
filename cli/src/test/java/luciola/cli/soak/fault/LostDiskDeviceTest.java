package luciola.cli.soak.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.cli.soak.load.Findings;
import luciola.cli.soak.load.LoadOptions;
import luciola.cli.soak.load.Meter;
import luciola.cli.soak.load.VerifyingLoad;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.storage.engine.TargetVerify;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One of four storage-servers has its target on a device of its own, which dies under load. */
@Timeout(300)
final class LostDiskDeviceTest {
  private static final long DISK_BYTES = 2L << 30;
  private static final String SERVER = "storage-2";

  @TempDir private Path directory;

  @Test
  void chainsGoOnWithoutATargetWhoseDiskFailsAndTakeItBackFromTheSameServerWhenItIsMended()
      throws Exception {
    String missing = LoopDisk.missing(directory);
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    FleetOptions options = FleetOptions.of(Files.createDirectory(directory.resolve("servers")), 4);
    Findings findings = new Findings(System.out::println);
    try (var fleet = ProcessFleet.prepare(options);
        var disk =
            LoopDisk.make(
                directory.resolve("disk.img"),
                fleet.targetDirectories(SERVER).getFirst(),
                DISK_BYTES);
        Watch watch = FleetStart.start(fleet, options.timings(), 3);
        var meta = MetaConnection.connect(MetaOptions.of(fleet.metaAddresses()));
        var load =
            VerifyingLoad.start(
                LoadOptions.of("/load", 41).withRate(8L << 20),
                () -> ClusterFileSystem.connect(ClusterOptions.of(fleet.metaAddresses())),
                findings)) {
      awaitOperations(load, 200);
      disk.fail();
      FencedCluster.await("the target is out of every chain", () -> out(watch, fleet));
      FencedCluster.await("its server says why", () -> reason(meta, fleet).isPresent());
      awaitOperations(load, operations(load) + 200);
      FencedCluster.await("the server has let go of the disk", disk::unmounted);
      FencedCluster.await(
          "it does not take the empty place for its target",
          () -> reason(meta, fleet).filter(why -> why.contains("has no identity")).isPresent());
      awaitOperations(load, operations(load) + 200);
      disk.mountAgain();
      assertEquals(Optional.empty(), watch.awaitWhole(Duration.ofSeconds(90)));
      assertEquals(Optional.empty(), fleet.ended(SERVER), "the same process");
      assertEquals(Optional.empty(), reason(meta, fleet));
      awaitOperations(load, operations(load) + 100);
      load.stop();
      try (var reading = ClusterFileSystem.connect(ClusterOptions.of(fleet.metaAddresses()))) {
        assertTrue(load.verifyAll(reading).blocks() > 0);
      }
      assertEquals(List.of(), findings.kept());
      assertEquals(Map.of(), load.meter().errors(), "no client hears of it");
      verified(fleet, disk);
    }
  }

  /** Stopped, the target that was away is found good as it lies. */
  private static void verified(ProcessFleet fleet, LoopDisk disk) throws Exception {
    fleet.kill(SERVER);
    Path target = fleet.targetDirectories(SERVER).getFirst();
    TargetVerify.Report report = TargetVerify.run(target, _ -> {});
    assertEquals(List.of(), report.problems());
    assertTrue(report.chunks() > 0 && report.bytes() > 0);
    FencedCluster.await("nothing of it is in use", disk::unmounted);
  }

  private static long operations(VerifyingLoad load) {
    return load.meter().rows().stream().mapToLong(Meter.Row::operations).sum();
  }

  private static void awaitOperations(VerifyingLoad load, long count) {
    FencedCluster.await("the load goes on", () -> operations(load) >= count);
  }

  /** Whether no chain has the server's target in service. */
  private static boolean out(Watch watch, Fleet fleet) {
    return watch
        .view()
        .filter(view ->
            view.nodes().stream()
                .filter(node -> node.address().equals(fleet.address(SERVER)))
                .flatMap(node -> node.targets().stream())
                .allMatch(target ->
                    view.chains().stream()
                        .flatMap(chain -> chain.members().stream())
                        .noneMatch(member -> member.equals(target.id() + ":serving"))))
        .isPresent();
  }

  private static Optional<String> reason(MetaConnection meta, Fleet fleet) {
    return meta.status().getNodesList().stream()
        .filter(node -> node.getNode().getAddress().equals(fleet.address(SERVER)))
        .flatMap(node -> node.getTargetsList().stream())
        .map(TargetReport::getError)
        .filter(error -> !error.isEmpty())
        .findFirst();
  }
}

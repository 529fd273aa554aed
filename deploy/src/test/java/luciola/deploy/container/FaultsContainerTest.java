package luciola.deploy.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import luciola.cli.soak.Soak;
import luciola.cli.soak.SoakOptions;
import luciola.cli.soak.SoakReport;
import luciola.cli.soak.fault.FaultKind;
import luciola.cli.soak.fault.FleetOptions;
import luciola.cli.soak.load.LoadOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.DockerClientFactory;

/** A meta-server and four storage-servers as containers under a load that proves what it reads. */
@Timeout(360)
final class FaultsContainerTest {
  @TempDir private Path directory;

  @Test
  void containersThatAreKilledPausedAndDisconnectedLoseNothing() throws Exception {
    assumeTrue(
        engineAnswers(),
        "SKIPPED-TIER container: no container engine answers; with podman: podman system service,"
            + " and DOCKER_HOST names its socket");
    String image = ProgramImage.build(Files.createDirectory(directory.resolve("image")));
    FleetOptions options = FleetOptions.of(Files.createDirectory(directory.resolve("servers")), 4);
    try (var fleet = new ContainerFleet(options, image)) {
      SoakReport report =
          new Soak(
                  SoakOptions.eachOnce(
                      Duration.ofMinutes(4),
                      3,
                      EnumSet.of(
                          FaultKind.KILL, FaultKind.KILL_TWO, FaultKind.PAUSE, FaultKind.CUT),
                      LoadOptions.of("/soak", 11).withRate(16L << 20)),
                  fleet,
                  options.timings(),
                  System.out::println)
              .run();
      report.print(System.out);
      assertEquals(List.of(), report.evidence());
      assertEquals(Map.of("cut", 1, "kill", 1, "kill-two", 1, "pause", 1), report.faults());
      assertTrue(report.replicasCompared() > 0, report.toString());
    } finally {
      ProgramImage.remove(image);
    }
  }

  private static boolean engineAnswers() {
    return DockerClientFactory.instance().isDockerAvailable();
  }
}

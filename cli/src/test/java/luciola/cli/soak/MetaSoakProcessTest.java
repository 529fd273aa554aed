package luciola.cli.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import luciola.cli.soak.fault.FaultKind;
import luciola.cli.soak.fault.FleetOptions;
import luciola.cli.soak.fault.ProcessFleet;
import luciola.cli.soak.load.LoadOptions;
import luciola.cli.soak.load.OperationKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three meta-servers as processes, under a load that knows what every name must be. */
@Timeout(360)
final class MetaSoakProcessTest {
  @TempDir private Path directory;

  @Test
  void aLeaderThatIsKilledPausedOrWipedLosesNoNameAndDoesNothingTwice() throws Exception {
    FleetOptions options = FleetOptions.of(directory, 1).withMetaServers(3);
    try (var fleet = ProcessFleet.prepare(options)) {
      SoakReport report =
          new Soak(
                  SoakOptions.eachOnce(
                      Duration.ofMinutes(4),
                      1,
                      EnumSet.of(
                          FaultKind.META_KILL,
                          FaultKind.META_PAUSE,
                          FaultKind.META_WIPE,
                          FaultKind.META_ROLL),
                      LoadOptions.of("/soak", 5).withSize(1, 1, 2).withRate(8L << 20)),
                  fleet,
                  options.timings(),
                  System.out::println)
              .run();
      report.print(System.out);
      assertEquals(List.of(), report.evidence());
      assertEquals(
          Map.of("meta-kill", 1, "meta-pause", 1, "meta-roll", 1, "meta-wipe", 1), report.faults());
      assertTrue(
          report.operations().stream()
              .anyMatch(row -> row.kind() == OperationKind.CHANGE_NAME && row.operations() > 100));
    }
  }
}

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(360)
final class SoakProcessTest {
  @TempDir private Path directory;

  @Test
  void serversThatAreKilledPausedAndDamagedLoseNothing() throws Exception {
    FleetOptions options = FleetOptions.of(directory, 4);
    try (var fleet = ProcessFleet.prepare(options)) {
      SoakReport report =
          new Soak(
                  SoakOptions.eachOnce(
                      Duration.ofMinutes(4),
                      3,
                      EnumSet.of(
                          FaultKind.KILL_DURING_RESYNC,
                          FaultKind.PAUSE,
                          FaultKind.META_KILL,
                          FaultKind.CORRUPT),
                      LoadOptions.of("/soak", 21).withRate(16L << 20)),
                  fleet,
                  options.timings(),
                  System.out::println)
              .run();
      report.print(System.out);
      assertEquals(List.of(), report.evidence());
      assertEquals(
          Map.of("corrupt", 1, "kill-during-resync", 1, "meta-kill", 1, "pause", 1),
          report.faults());
      assertTrue(report.replicasCompared() > 0, report.toString());
    }
  }
}

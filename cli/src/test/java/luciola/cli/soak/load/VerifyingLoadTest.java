package luciola.cli.soak.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
final class VerifyingLoadTest {
  private static final long RATE = 1L << 30;

  private final LuciolaFileSystem truth = new MemoryFileSystem();
  private final CountDownLatch found = new CountDownLatch(1);
  private final Findings findings = new Findings(_ -> found.countDown());

  private VerifyingLoad start(LyingFileSystem.Lie lie) {
    var files = new LyingFileSystem(truth, lie);
    return VerifyingLoad.start(LoadOptions.of("/load", 5).withRate(RATE), () -> files, findings);
  }

  private static long operations(VerifyingLoad load) {
    return load.meter().rows().stream().mapToLong(Meter.Row::operations).sum();
  }

  @Test
  void aRightFileSystemHasNoViolations() {
    try (VerifyingLoad load = start(LyingFileSystem.Lie.NONE)) {
      while (operations(load) < 20_000
          || load.meter().rows().size() < OperationKind.values().length) {
        LockSupport.parkNanos(1_000_000);
      }
      load.stop();
      VerifyingLoad.Verified verified = load.verifyAll(truth);
      assertEquals(java.util.List.of(), findings.kept());
      assertEquals(0, verified.doubtful());
      assertTrue(verified.blocks() > 100, verified.toString());
      assertEquals(java.util.Map.of(), load.meter().errors());
      assertEquals(
          EnumSet.allOf(OperationKind.class),
          load.meter().rows().stream()
              .map(Meter.Row::kind)
              .collect(Collectors.toCollection(() -> EnumSet.noneOf(OperationKind.class))));
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void everyLieIsFound(LyingFileSystem.Lie lie) throws InterruptedException {
    try (VerifyingLoad load = start(lie)) {
      assertTrue(found.await(60, TimeUnit.SECONDS), () -> "not found: " + load.meter().rows());
    }
    String rule = findings.kept().getFirst().rule();
    Set<String> rules =
        switch (lie) {
          case FORGETS_A_FILE -> Set.of("a made file is there");
          case DOES_A_RENAME_TWICE -> Set.of("a change is done once");
          case LOSES_A_LINK ->
              Set.of(
                  "a change is done once",
                  "a change is refused as it must be",
                  "a name is what its last change made it");
          case SHOWS_AN_OLD_LIST ->
              Set.of("a list is not old", "a name is what its last change made it");
          default -> Set.of("reads are linearizable");
        };
    assertTrue(rules.contains(rule), rule);
  }
}

package luciola.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Nobody who decides about leases, failures, timeouts or retries asks what time of day it is: a
 * wall clock that is set forward or back on any machine changes none of it.
 */
final class WallClockTest {
  /** Those who may, and why a clock that is set does no harm there. */
  private static final Set<String> MAY =
      Set.of(
          // Times of files: never go back, whatever the clock of a leader says.
          "luciola.meta.log.MetaLog",
          // When tokens and tickets expire: a set clock makes them good for longer or shorter.
          "luciola.protocol.control.WallTime",
          // When the next look over a disk is due: early if the clock was set back.
          "luciola.storage.scrub.TargetScrub",
          // What programs see of a file they are writing, until the meta-server has set its time.
          "luciola.client.mount.WallNanos",
          // What is printed.
          "luciola.cli.soak.Soak",
          "luciola.cli.soak.load.Findings",
          // A file system of one process, for tests.
          "luciola.client.memory.MemoryFileSystem");

  private static final Set<String> WALL_CLOCKS =
      Set.of(
          "java.lang.System.currentTimeMillis",
          "java.time.Instant.now",
          "java.time.Clock.systemUTC",
          "java.time.Clock.systemDefaultZone",
          "java.time.Clock.system",
          "java.time.LocalDateTime.now",
          "java.time.LocalTime.now",
          "java.time.ZonedDateTime.now",
          "java.time.OffsetDateTime.now",
          "java.util.Date.<init>",
          "java.util.Calendar.getInstance");

  private static Set<String> askers(JavaClasses classes) {
    return classes.stream()
        .flatMap(each -> each.getAccessesFromSelf().stream())
        .filter(WallClockTest::asks)
        .map(access -> outermost(access.getOriginOwner()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static boolean asks(JavaAccess<?> access) {
    return WALL_CLOCKS.contains(
        access.getTarget().getOwner().getName() + "." + access.getTarget().getName());
  }

  private static String outermost(JavaClass from) {
    return from.getEnclosingClass().map(WallClockTest::outermost).orElse(from.getName());
  }

  @Test
  void onlyThoseAskForTheTimeOfDayWhomItDoesNoHarm() {
    assertEquals(new TreeSet<>(MAY), askers(Classes.ALL));
  }

  @Test
  void theRuleFindsOneWhoAsks() {
    assertEquals(
        Set.of(WallClockTest.class.getName()),
        askers(new ClassFileImporter().importClasses(Late.class)));
  }

  /** Asks. */
  static final class Late {
    Instant now() {
      return Instant.now();
    }
  }
}

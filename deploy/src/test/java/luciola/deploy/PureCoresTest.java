package luciola.deploy;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The classes that decide touch nothing that a simulator could not stand in for: no clock, thread,
 * file, socket, random number, server library or log.
 */
class PureCoresTest {
  /** Packages of pure cores. */
  static final List<String> CORES =
      List.of(
          "luciola.storage.chain",
          "luciola.storage.resync",
          "luciola.meta.cluster",
          "luciola.meta.namespace",
          "luciola.meta.access",
          "luciola.protocol.access",
          "luciola.protocol.router",
          "luciola.protocol.layout",
          "luciola.protocol.id",
          "luciola.protocol.routing",
          "luciola.loader.order");

  private static final List<String> FORBIDDEN_PACKAGES =
      List.of(
          "java.io.",
          "java.net.",
          "java.nio.channels.",
          "java.nio.file.",
          "java.util.concurrent.locks.",
          "java.util.random.",
          "io.netty.",
          "io.grpc.",
          "org.rocksdb.",
          "org.apache.ratis.",
          "org.slf4j.",
          "ch.qos.logback.");

  private static final Set<String> FORBIDDEN_CLASSES =
      Set.of(
          "java.lang.Thread",
          "java.lang.ProcessBuilder",
          "java.lang.Runtime",
          "java.security.SecureRandom",
          "java.time.Clock",
          "java.time.Instant",
          "java.util.Random",
          "java.util.SplittableRandom",
          "java.util.Timer",
          "java.util.concurrent.CompletableFuture",
          "java.util.concurrent.Executor",
          "java.util.concurrent.ExecutorService",
          "java.util.concurrent.Executors",
          "java.util.concurrent.ForkJoinPool",
          "java.util.concurrent.Future",
          "java.util.concurrent.ScheduledExecutorService",
          "java.util.concurrent.ThreadLocalRandom");

  /** Allowed although their package is not: values without a world behind them. */
  private static final Set<String> ALLOWED =
      Set.of("java.io.Serializable", "java.io.UncheckedIOException", "java.io.PrintStream");

  private static final Set<String> FORBIDDEN_CALLS =
      Set.of(
          "java.lang.System.nanoTime",
          "java.lang.System.currentTimeMillis",
          "java.lang.System.getenv",
          "java.lang.System.getProperty",
          "java.lang.System.exit",
          "java.lang.Math.random",
          "java.util.UUID.randomUUID");

  @TestFactory
  List<DynamicTest> everyCoreIsPure() {
    return CORES.stream()
        .map(core -> DynamicTest.dynamicTest(core, () -> rule(core).check(Classes.ALL)))
        .toList();
  }

  @Test
  void theRuleFindsAClockAndARandomNumber() {
    JavaClasses impure = new ClassFileImporter().importClasses(Impure.class);
    assertThrows(AssertionError.class, () -> rule("luciola.deploy").check(impure));
    JavaClasses clock = new ClassFileImporter().importClasses(Clocked.class);
    assertThrows(AssertionError.class, () -> rule("luciola.deploy").check(clock));
  }

  private static ArchRule rule(String core) {
    return noClasses()
        .that()
        .resideInAPackage(core + "..")
        .should()
        .dependOnClassesThat(impure())
        .orShould()
        .accessTargetWhere(call())
        .allowEmptyShould(true);
  }

  private static DescribedPredicate<JavaClass> impure() {
    return describe(
        "that touch the world",
        used -> {
          String name = used.getBaseComponentType().getName();
          return !ALLOWED.contains(name)
              && (FORBIDDEN_CLASSES.contains(name)
                  || FORBIDDEN_PACKAGES.stream().anyMatch(name::startsWith)
                  || (name.startsWith("luciola.grpc.") && name.endsWith("Grpc")));
        });
  }

  private static DescribedPredicate<JavaAccess<?>> call() {
    return describe(
        "reads a clock, the environment or a random number",
        access -> {
          AccessTarget target = access.getTarget();
          return FORBIDDEN_CALLS.contains(target.getOwner().getName() + "." + target.getName());
        });
  }

  /** Draws a random number. */
  static final class Impure {
    UUID id() {
      return UUID.randomUUID();
    }
  }

  /** Reads a clock. */
  static final class Clocked {
    long now() {
      return System.nanoTime();
    }
  }
}

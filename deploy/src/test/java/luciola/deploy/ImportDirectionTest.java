package luciola.deploy;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Imports between modules run one way only. */
class ImportDirectionTest {
  /** What the classes of each module may import of the others. */
  private static final Map<String, List<String>> MAY_IMPORT =
      Map.of(
          "luciola.grpc", List.of(),
          "luciola.protocol", List.of("luciola.grpc"),
          "luciola.meta", List.of("luciola.grpc", "luciola.protocol"),
          "luciola.storage", List.of("luciola.grpc", "luciola.protocol"),
          "luciola.client", List.of("luciola.grpc", "luciola.protocol"),
          "luciola.loader", List.of("luciola.grpc", "luciola.protocol", "luciola.client"),
          "luciola.simulation",
              List.of("luciola.grpc", "luciola.protocol", "luciola.meta", "luciola.storage"));

  @TestFactory
  List<DynamicTest> everyModuleImportsOnlyWhatIsBelowIt() {
    return MAY_IMPORT.entrySet().stream()
        .map(entry ->
            DynamicTest.dynamicTest(entry.getKey(), () -> check(entry.getKey(), entry.getValue())))
        .toList();
  }

  private static void check(String module, List<String> allowed) {
    noClasses()
        .that()
        .resideInAPackage(module + "..")
        .should()
        .dependOnClassesThat(
            describe("of a module it must not import", other -> forbidden(module, allowed, other)))
        .allowEmptyShould(true)
        .check(Classes.ALL);
  }

  private static boolean forbidden(String module, List<String> allowed, JavaClass other) {
    String name = other.getPackageName() + ".";
    return name.startsWith("luciola.")
        && !name.startsWith(module + ".")
        && allowed.stream().noneMatch(prefix -> name.startsWith(prefix + "."));
  }

  /**
   * Beside the cores, what takes its threads, clock, disk and connections from outside: the chunk
   * engine, the host of a server's replicas, and the search for layouts and moves.
   */
  static final List<String> DRIVEN =
      List.of(
          "luciola.storage.engine",
          "luciola.storage.index",
          "luciola.storage.disk",
          "luciola.storage.host",
          "luciola.storage.peer",
          "luciola.storage.replica",
          "luciola.meta.placement");

  @Test
  void simulationTouchesOnlyPureCoresOfTheServersAndWhatItDrives() {
    noClasses()
        .that()
        .resideInAPackage("luciola.simulation..")
        .should()
        .dependOnClassesThat(serverClassesOutsideTheCores())
        .allowEmptyShould(true)
        .check(Classes.ALL);
  }

  private static DescribedPredicate<JavaClass> serverClassesOutsideTheCores() {
    return describe(
        "of a server outside its pure cores",
        other -> {
          String name = other.getPackageName();
          return (name.startsWith("luciola.meta") || name.startsWith("luciola.storage"))
              && DRIVEN.stream().noneMatch(name::equals)
              && PureCoresTest.CORES.stream()
                  .noneMatch(core -> name.equals(core) || name.startsWith(core + "."));
        });
  }

  @Test
  void everyModuleIsSeen() {
    var seen =
        Classes.ALL.stream()
            .map(JavaClass::getPackageName)
            .map(name -> name.split("\\."))
            .filter(parts -> parts.length > 1)
            .map(parts -> parts[1])
            .collect(Collectors.toSet());
    assertTrue(
        seen.containsAll(List.of("protocol", "grpc", "client", "loader", "cli")), seen::toString);
  }
}

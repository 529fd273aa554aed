package luciola.deploy;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What the simulation runs goes the same way in every process. The unmodifiable sets and maps of
 * the Java library have another order in each of them: a seed that fails here would pass there.
 */
class SameOrderTest {
  private static final Set<String> SHUFFLED = Set.of("java.util.Map", "java.util.Set");

  @TestFactory
  List<DynamicTest> nothingIsKeptInAnOrderOfThisProcess() {
    return Stream.of(
            PureCoresTest.CORES.stream(),
            ImportDirectionTest.DRIVEN.stream(),
            Stream.of("luciola.simulation"))
        .flatMap(packages -> packages)
        .map(name -> DynamicTest.dynamicTest(name, () -> rule(name).check(Classes.ALL)))
        .toList();
  }

  @Test
  void theRuleFindsACopy() {
    var copying = new ClassFileImporter().importClasses(Copying.class);
    assertThrows(AssertionError.class, () -> rule("luciola.deploy").check(copying));
  }

  private static ArchRule rule(String name) {
    return noClasses()
        .that()
        .resideInAPackage(name + "..")
        .should()
        .accessTargetWhere(shuffles())
        .allowEmptyShould(true);
  }

  private static DescribedPredicate<JavaAccess<?>> shuffles() {
    return describe(
        "makes a set or a map whose order is that of this process",
        access -> {
          AccessTarget target = access.getTarget();
          return (SHUFFLED.contains(target.getOwner().getName())
                  && (target.getName().equals("copyOf") || target.getName().equals("ofEntries")))
              || (target.getOwner().getName().equals("java.util.stream.Collectors")
                  && target.getName().startsWith("toUnmodifiable")
                  && !target.getName().endsWith("List"));
        });
  }

  /** Copies a set. */
  static final class Copying {
    Set<Long> copy(Set<Long> numbers) {
      return Set.copyOf(numbers);
    }
  }
}

package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** {@code docs/cli.md} names every command and option that there is, and none that there is not. */
class CommandReferenceTest {
  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z-]+");

  /** Options of other programs that the page speaks of, and those that every command has. */
  private static final Set<String> ELSEWHERE = Set.of("--help", "--version", "--verbose");

  private final String page = page();
  private final CommandLine root =
      Commands.all(new Run().invocation(), _ -> new MemoryFileSystem());

  private static String page() {
    try {
      return Files.readString(Path.of("..", "docs", "cli.md"));
    } catch (IOException missing) {
      throw new IllegalStateException("the page is read from the module's folder", missing);
    }
  }

  private static Stream<CommandLine> visible(CommandLine command) {
    return Stream.concat(
        Stream.of(command),
        command.getSubcommands().values().stream()
            .filter(each -> !each.getCommandSpec().usageMessage().hidden())
            .flatMap(CommandReferenceTest::visible));
  }

  private static List<String> names(OptionSpec option) {
    return List.of(option.names());
  }

  @Test
  void everyCommandIsOnThePage() {
    var missing = new TreeSet<String>();
    visible(root)
        .map(command -> command.getCommandSpec().qualifiedName(" "))
        .filter(name -> name.startsWith("luciola "))
        .map(name -> name.substring("luciola ".length()))
        .filter(name -> !page.contains("`" + name))
        .forEach(missing::add);
    assertEquals(Set.of(), missing);
  }

  @Test
  void everyOptionIsOnThePage() {
    var missing = new TreeSet<String>();
    visible(root)
        .forEach(command ->
            command.getCommandSpec().options().stream()
                .filter(option -> !option.hidden())
                .filter(option -> names(option).stream().noneMatch(this::mentions))
                .forEach(option ->
                    missing.add(
                        command.getCommandSpec().qualifiedName(" ") + " " + option.longestName())));
    assertEquals(Set.of(), missing);
  }

  private boolean mentions(String name) {
    return Pattern.compile("(?<![\\w-])" + Pattern.quote(name) + "(?![\\w-])").matcher(page).find();
  }

  @Test
  void everyOptionOfThePageExists() {
    var known = new TreeSet<>(ELSEWHERE);
    visible(root)
        .flatMap(command -> command.getCommandSpec().options().stream())
        .forEach(option -> known.addAll(names(option)));
    var strange = new TreeSet<String>();
    OPTION.matcher(page).results().map(found -> found.group()).forEach(strange::add);
    strange.removeAll(known);
    assertEquals(Set.of(), strange);
  }
}

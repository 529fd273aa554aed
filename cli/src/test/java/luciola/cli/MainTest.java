package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.Test;

class MainTest {
  private final Run run = new Run();

  @Test
  void anUnknownCommandIsOneLineWithTheNearestOneAndExitCode2() {
    assertEquals(2, run.command("versoin"));
    assertEquals(
        "luciola: unknown command versoin; did you mean version? see luciola --help\n", run.err());
  }

  @Test
  void anUnknownOptionIsOneLineAndExitCode2() {
    assertEquals(2, run.command("version", "--nonsense"));
    assertEquals(
        "luciola version: unknown option --nonsense; see luciola version --help\n", run.err());
  }

  @Test
  void withoutACommandTheHelpIsPrinted() {
    assertEquals(0, run.command());
    assertTrue(run.out().startsWith("Usage: luciola"), run.out());
  }

  @Test
  void everyCommandHasHelp() {
    Commands.all(run.invocation(), _ -> new MemoryFileSystem())
        .getSubcommands()
        .forEach((name, _) -> {
          var one = new Run();
          assertEquals(0, one.command(name, "--help"), name);
          assertTrue(one.out().startsWith("Usage: luciola " + name), one.out());
        });
  }
}

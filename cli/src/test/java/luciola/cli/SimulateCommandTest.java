package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class SimulateCommandTest {
  private final Run run = new Run();

  @Test
  void someSeedsAreGreen() throws IOException {
    assertEquals(
        0, run.command("simulate", "cluster", "--seeds", "6", "--ops", "100", "--json"), run.out());
    assertEquals(6, new JsonMapper().readTree(run.out()).path("seeds").asInt());
  }

  @Test
  void theTableOfCoverageNamesWhatWasReachedAndWhatWasNot() {
    assertEquals(
        0, run.command("simulate", "cluster", "--seeds", "2", "--ops", "60", "--coverage"));
    assertTrue(run.out().contains("pending-read-at-middle"), run.out());
    assertTrue(run.out().contains(" probes reached"), run.out());
  }

  @Test
  void aPlantedBugIsCaughtAndItsReplayIsPrinted() {
    assertEquals(
        1,
        run.command("simulate", "cluster", "--seeds", "200", "--bug", "ack-before-durable"),
        run.out());
    assertTrue(run.out().contains("replay: ./luciola simulate cluster --seed"), run.out());
    assertTrue(run.out().contains("the planted bug was caught"), run.out());
  }

  @Test
  void anUnknownBugIsWrongUse() {
    assertEquals(2, run.command("simulate", "cluster", "--bug", "cosmic-rays"));
    assertTrue(run.err().contains("ack-before-durable"), run.err());
  }
}

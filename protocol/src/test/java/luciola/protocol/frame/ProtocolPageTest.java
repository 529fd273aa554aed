package luciola.protocol.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.layout.StripeOrder;
import org.junit.jupiter.api.Test;

/** docs/protocol.md says what the code does. */
class ProtocolPageTest {
  private final List<String> lines = page();

  private static List<String> page() {
    try {
      return Files.readAllLines(Path.of("..", "docs", "protocol.md"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private List<String> rowsStarting(String start) {
    return lines.stream().filter(line -> line.startsWith(start)).toList();
  }

  @Test
  void everyFrameIsThereWithItsNumber() {
    for (FrameType type : FrameType.values()) {
      assertEquals(
          1, rowsStarting("| " + type.number() + " | " + type + " |").size(), type::toString);
    }
  }

  @Test
  void everyErrorIsThereWithItsNumberAndAction() {
    for (ErrorCode code : ErrorCode.values()) {
      List<String> rows = rowsStarting("| " + code.number() + " | " + code + " |");
      assertEquals(1, rows.size(), code::toString);
      assertTrue(rows.getFirst().endsWith("| " + code.action() + " |"), rows::toString);
    }
  }

  @Test
  void theLayoutVectorsHold() {
    int from = lines.indexOf("| n | stripe | start | seed | order |");
    assertTrue(from > 0);
    List<String> rows = lines.subList(from + 2, lines.size());
    assertTrue(rows.size() >= 7);
    for (String row : rows) {
      List<String> cells =
          Arrays.stream(row.split("\\|", -1)).map(String::strip).collect(Collectors.toList());
      int[] order =
          StripeOrder.indices(
              Integer.parseInt(cells.get(1)),
              Integer.parseInt(cells.get(2)),
              Integer.parseInt(cells.get(3)),
              Long.parseLong(cells.get(4)));
      assertEquals(
          cells.get(5),
          Arrays.stream(order).mapToObj(Integer::toString).collect(Collectors.joining(" ")));
    }
  }
}

package luciola.protocol.connection.bench;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LoopbackBenchTest {
  @Test
  @Timeout(120)
  void measuresEveryShapeAndTheStreamBesideIt() throws Exception {
    var out = new ByteArrayOutputStream();
    List<Measurement> measured =
        new LoopbackBench(Duration.ofMillis(20), 0)
            .run(new PrintStream(out, true, StandardCharsets.UTF_8));
    assertTrue(measured.size() > 5);
    for (Measurement each : measured) {
      assertTrue(each.bytes() > 0 && each.nanos() > 0, each::toString);
      boolean large = each.name().matches("(64|1024|4096) KiB.*");
      assertFalse(large && each.name().contains("copied"), each::name);
    }
    assertTrue(out.toString(StandardCharsets.UTF_8).contains("of the stream"));
  }
}

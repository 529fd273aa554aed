package luciola.cli.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigFileTest {
  @TempDir Path folder;

  /** Times. */
  public record Times(long leaseNanos, int retriesMax) {
    public Times {
      if (retriesMax < 1) {
        throw new IllegalArgumentException("retriesMax must be positive: retriesMax=" + retriesMax);
      }
    }
  }

  /** As a server has it. */
  public record Sample(
      String address, Path data, List<String> peers, Map<String, String> labels, Times times) {}

  private static final Sample DEFAULTS =
      new Sample(
          "127.0.0.1:1", Path.of("/data"), List.of(), Map.of(), new Times(5_000_000_000L, 3));

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("server.toml"), text);
  }

  @Test
  void whatIsLeftOutKeepsItsDefault() throws IOException {
    Sample read =
        ConfigFile.read(
            file("data = \"/elsewhere\"\npeers = [\"a:1\", \"b:2\"]\n[times]\nretriesMax = 9\n"),
            DEFAULTS);
    assertEquals(
        new Sample(
            "127.0.0.1:1",
            Path.of("/elsewhere"),
            List.of("a:1", "b:2"),
            Map.of(),
            new Times(5_000_000_000L, 9)),
        read);
  }

  /** The largest is the default of a target's capacity: cut to ten digits it was 6.38 GiB. */
  @ParameterizedTest
  @ValueSource(
      longs = {
        0,
        -1,
        999_999_999_999_999_999L,
        -999_999_999_999_999_999L,
        1_000_000_000_000_000_000L,
        Long.MAX_VALUE - 1,
        Long.MAX_VALUE
      })
  void aNumberThatIsWrittenIsRead(long number) throws IOException {
    Path file = folder.resolve("written.toml");
    var written = new Sample("a:1", Path.of("/data"), List.of(), Map.of(), new Times(number, 3));
    ConfigFile.write(file, written);
    assertEquals(written, ConfigFile.read(file, DEFAULTS));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[times]\nleaseNanos = 9223372036854775807\n",
        "times.leaseNanos=1_000_000_000_000_000_000 # long",
        "times = { leaseNanos = -9223372036854775808, retriesMax = 3 }"
      })
  void aNumberThatWouldBeCutIsRefused(String text) {
    var refused = assertThrows(CommandFailure.class, () -> ConfigFile.read(file(text), DEFAULTS));
    assertTrue(String.valueOf(refused.getMessage()).contains("more than 18 digits"));
  }

  @Test
  void hexadecimalDigitsMayBeAsManyAsFit() throws IOException {
    assertEquals(
        new Times(Long.MAX_VALUE, 3),
        ConfigFile.read(
                file(
                    "# was 9223372036854775807 = 1234567890123456789\n"
                        + "times.leaseNanos = 0x7fffffffffffffff"),
                DEFAULTS)
            .times());
  }

  @Test
  void aMapTakesAnyKey() throws IOException {
    assertEquals(
        Map.of("zone", "a"), ConfigFile.read(file("[labels]\nzone = \"a\"\n"), DEFAULTS).labels());
  }

  @Test
  void writtenAndReadBackItIsTheSame() throws IOException {
    Path file = folder.resolve("written.toml");
    ConfigFile.write(file, DEFAULTS);
    assertEquals(DEFAULTS, ConfigFile.read(file, DEFAULTS));
  }

  @Test
  void anUnknownKeyIsNamedWithItsFile() throws IOException {
    refused("adress = \"x\"\n", "unknown key adress", "server.toml");
    refused("[times]\nleaseMillis = 5\n", "unknown key times.leaseMillis", "times.leaseNanos");
  }

  @Test
  void aValueOutOfBoundsIsRefusedByTheRecordsOwnWords() throws IOException {
    refused("[times]\nretriesMax = 0\n", "retriesMax must be positive: retriesMax=0");
  }

  @Test
  void whatIsNotTomlIsRefusedWithItsLine() throws IOException {
    refused("address = \"x\"\nnonsense\n", "line 2 is not TOML");
    refused("[times]\nretriesMax = \"many\"\n", "server.toml");
  }

  @Test
  void aMissingFileIsNamed() {
    CommandFailure failure =
        assertThrows(
            CommandFailure.class, () -> ConfigFile.read(folder.resolve("nothere"), DEFAULTS));
    assertTrue(String.valueOf(failure.getMessage()).contains("nothere"));
  }

  @Test
  void oneLineHoldsEveryValue() {
    assertEquals(
        "address=127.0.0.1:1 data=/data labels={} peers=[] times.leaseNanos=5000000000"
            + " times.retriesMax=3",
        ConfigFile.line(DEFAULTS));
  }

  private void refused(String text, String... words) throws IOException {
    Path file = file(text);
    CommandFailure failure =
        assertThrows(CommandFailure.class, () -> ConfigFile.read(file, DEFAULTS));
    assertEquals(ExitCode.WRONG_USE, failure.exitCode());
    for (String word : words) {
      assertTrue(String.valueOf(failure.getMessage()).contains(word), failure::getMessage);
    }
    assertEquals(1, String.valueOf(failure.getMessage()).lines().count());
  }
}

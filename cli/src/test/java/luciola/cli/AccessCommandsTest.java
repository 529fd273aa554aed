package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import luciola.cli.server.ConfigFile;
import luciola.cli.terminal.ExitCode;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.control.SecuritySettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster that asks who one is, from its first secret to a user's files. */
class AccessCommandsTest {
  @TempDir Path directory;

  @Test
  void fromTheClustersSecretToAUsersToken() throws Exception {
    var run = new Run().in(directory);
    assertEquals(ExitCode.DONE, run.command("token", "cluster-secret", "secret"), run.err());
    assertEquals(ExitCode.FAILED, run.command("token", "cluster-secret", "secret"));
    Path file = directory.resolve("meta.toml");
    Files.writeString(
        file,
        """
        directory = "%s"
        port = 0
        [security]
        required = true
        secret = "%s"
        """
            .formatted(directory.resolve("meta"), directory.resolve("secret")));
    MetaServerConfig config =
        ConfigFile.read(file, MetaServerConfig.of(directory.resolve("none")), "directory");
    assertEquals(SecuritySettings.required(directory.resolve("secret")), config.security());
    try (MetaServer server = MetaServer.start(config)) {
      String at = "--cluster=127.0.0.1:" + server.port();
      assertEquals(ExitCode.FAILED, run.command("ls", at));
      assertTrue(run.err().contains("UNAUTHENTICATED"), run.err());

      var operator = run.with("LUCIOLA_TOKEN_FILE", "secret");
      assertEquals(
          ExitCode.DONE,
          operator.command("user", "create", "ann", "--uid=1000", "--groups=5,6", at),
          run.err());
      assertEquals(
          ExitCode.DONE,
          operator.command("token", "create", "ann", "--expires=1h", "--out=ann.token", at),
          run.err());
      assertTrue(run.out().contains("ann"), run.out());
      assertEquals(ExitCode.DONE, operator.command("user", "ls", "--json", at));
      assertTrue(run.out().contains("\"groups\":[5,6]"), run.out());
      assertEquals(ExitCode.DONE, operator.command("token", "create", "ann", at), run.err());
      String shown = run.out().strip();
      assertTrue(shown.startsWith("lt1.2."), shown);
      assertEquals(ExitCode.DONE, operator.command("token", "ls", at));
      assertFalse(run.out().contains(shown.substring(6)), run.out());

      String ann = "--token-file=ann.token";
      assertEquals(ExitCode.DONE, run.command("mkdir", "/of-ann", ann, at), run.err());
      assertEquals(ExitCode.DONE, run.command("ls", "-l", "/", ann, at), run.err());
      assertTrue(run.out().contains("1000"), run.out());
      assertEquals(ExitCode.FAILED, run.command("user", "ls", ann, at));
      assertTrue(run.err().contains("PERMISSION_DENIED"), run.err());
      assertEquals(ExitCode.DONE, operator.command("token", "revoke", "1", at), run.err());
      assertEquals(ExitCode.FAILED, run.command("ls", "/", ann, at));
      assertTrue(run.err().contains("UNAUTHENTICATED"), run.err());
      assertEquals(ExitCode.DONE, operator.command("user", "remove", "ann", at), run.err());
      assertEquals(ExitCode.FAILED, operator.command("user", "remove", "ann", at));
    }
  }
}

package luciola.protocol.connection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.certificate.TestAuthority;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.UpdateReply;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TlsTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir static Path directory;
  private static TestAuthority authority;
  private static TestAuthority.Issued own;
  private static EventLoops loops;

  @BeforeAll
  static void issue() throws IOException, InterruptedException {
    authority = new TestAuthority(directory, "own");
    own = authority.issue("server");
    loops = EventLoops.start("tls-test");
  }

  @AfterAll
  static void stop() {
    loops.close();
  }

  private static CompletableFuture<DataClient> connect(PatternServer server, Tls tls) {
    return DataClient.connect(
        loops,
        DataClientOptions.DEFAULTS,
        "127.0.0.1",
        server.server.port(),
        PatternServer.hello(),
        Tickets.NONE,
        tls);
  }

  @Test
  void bytesPassBothWays() throws IOException {
    Tls serving = Tls.ofServer(own.certificate(), own.key());
    Tls calling = Tls.ofCaller(authority.certificate());
    try (Arena arena = Arena.ofShared();
        var server = new PatternServer(loops, DataServerOptions.DEFAULTS, serving);
        DataClient client = connect(server, calling).join()) {
      for (int round = 0; round < 5; round++) {
        List<MemorySegment> into = List.of(arena.allocate(3 << 20), arena.allocate(777));
        client
            .call(
                PatternServer.read(3, 12345, 3 << 20, 4, 99, 777),
                ReadReply.class,
                List.of(),
                ReplyPayload.scatter(into),
                LONG)
            .join();
        assertEquals(-1, into.get(0).mismatch(server.bytes(3, 12345, 3 << 20)));
        assertEquals(-1, into.get(1).mismatch(server.bytes(4, 99, 777)));

        MemorySegment data = server.bytes(round, 4096, 2 << 20);
        UpdateReply written =
            client
                .call(
                    PatternServer.update(round, 4096, data),
                    UpdateReply.class,
                    List.of(data),
                    ReplyPayload.NONE,
                    LONG)
                .join();
        assertEquals(ErrorCode.OK, written.code());
      }
    }
  }

  @Test
  void believesNobodyElse() throws Exception {
    Path others = new TestAuthority(directory, "other").certificate();
    TestAuthority.Issued elsewhere = authority.issue("elsewhere", "-ext", "san=ip:127.0.0.9");
    Tls calling = Tls.ofCaller(authority.certificate());
    try (var server =
        new PatternServer(
            loops, DataServerOptions.DEFAULTS, Tls.ofServer(own.certificate(), own.key()))) {
      assertEquals(
          ErrorCode.CONNECTION_LOST,
          ConnectionTest.failureOf(connect(server, Tls.ofCaller(others))));
    }
    try (var server =
        new PatternServer(
            loops,
            DataServerOptions.DEFAULTS,
            Tls.ofServer(elsewhere.certificate(), elsewhere.key()))) {
      assertEquals(ErrorCode.CONNECTION_LOST, ConnectionTest.failureOf(connect(server, calling)));
    }
  }

  @Test
  void refusesFilesThatAreNone() throws IOException {
    Path empty = Files.write(directory.resolve("empty"), new byte[0]);
    Path none = directory.resolve("none");
    for (Path bad : List.of(empty, none)) {
      assertRefused(() -> Tls.ofServer(bad, own.key()));
      assertRefused(() -> Tls.ofServer(own.certificate(), bad));
      assertRefused(() -> Tls.ofCaller(bad));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC", "Ed25519"})
  void refusesAKeyOfAnotherCertificate(String algorithm) throws Exception {
    TestAuthority.Issued one = authority.issue("one-" + algorithm, "-keyalg", algorithm);
    TestAuthority.Issued two = authority.issue("two-" + algorithm, "-keyalg", algorithm);
    Path chain = directory.resolve("chain-" + algorithm + ".pem");
    TestAuthority.together(chain, one.certificate(), authority.certificate());
    CertificatePair.check(chain, one.key());
    var refused = assertThrows(LuciolaException.class, () -> Tls.ofServer(chain, two.key()));
    assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
    assertTrue(refused.toString().contains(two.key().toString()), refused.toString());
    String other = algorithm.equals("EC") ? "RSA" : "EC";
    TestAuthority.Issued three = authority.issue("three-" + algorithm, "-keyalg", other);
    assertRefused(() -> CertificatePair.check(chain, three.key()));
  }

  private static void assertRefused(Runnable use) {
    assertEquals(ErrorCode.INVALID_ARGUMENT, assertThrows(LuciolaException.class, use::run).code());
  }
}

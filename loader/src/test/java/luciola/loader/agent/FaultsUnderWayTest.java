package luciola.loader.agent;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadRange;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads that fail, and reads that are not done when their trainer goes. */
class FaultsUnderWayTest {
  @TempDir Path directory;
  private AgentFixture fixture;

  @BeforeEach
  void start() {
    fixture = new AgentFixture(directory);
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  @FunctionalInterface
  private interface BatchRead {
    CompletableFuture<Void> read(List<ReadRange> ranges);
  }

  /** The fixture's files with other reads of many ranges. */
  @SuppressWarnings("unchecked")
  private LuciolaFileSystem reading(BatchRead read) {
    return (LuciolaFileSystem)
        Proxy.newProxyInstance(
            LuciolaFileSystem.class.getClassLoader(),
            new Class<?>[] {LuciolaFileSystem.class},
            (_, method, arguments) -> {
              if (method.getName().equals("read")) {
                return read.read((List<ReadRange>) arguments[0]);
              }
              try {
                return method.invoke(fixture.files, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private LoaderAgent agent(BatchRead read) {
    return LoaderAgent.start(
        AgentConfiguration.of(directory.resolve("faulty.sock")), reading(read));
  }

  private static DatasetRequest request(int slots) {
    return DatasetRequest.of("/corpus", 32, 4, 9).withSlots(slots);
  }

  private static LuciolaException noReplica() {
    return new LuciolaException(
        ErrorCode.NO_SERVING_REPLICA, "read: path=/corpus/tokens.bin chain=3");
  }

  @Test
  void theBatchesBeforeAFaultAreDeliveredAndThenItsCause() throws InterruptedException {
    AtomicInteger reads = new AtomicInteger();
    BatchRead failing =
        ranges ->
            reads.incrementAndGet() <= 3
                ? fixture.files.read(ranges)
                : CompletableFuture.failedFuture(noReplica());
    try (LoaderAgent agent = agent(failing);
        AgentClient client = AgentClient.open(agent.socket(), request(8))) {
      for (int i = 0; i < 3; i++) {
        client.next().orElseThrow().close();
      }
      LuciolaException fault = assertThrows(LuciolaException.class, client::next);
      assertEquals(ErrorCode.NO_SERVING_REPLICA, fault.code());
      assertTrue(
          String.valueOf(fault.getMessage()).contains("path=/corpus/tokens.bin chain=3"),
          fault.getMessage());
    }
  }

  @Test
  void aReadThatCannotEvenStartIsTold() throws InterruptedException {
    BatchRead failing =
        _ -> {
          throw noReplica();
        };
    try (LoaderAgent agent = agent(failing);
        AgentClient client = AgentClient.open(agent.socket(), request(2))) {
      LuciolaException fault = assertThrows(LuciolaException.class, client::next);
      assertEquals(ErrorCode.NO_SERVING_REPLICA, fault.code());
    }
  }

  @Test
  void aReadUnderWayKeepsItsMemoryWhenTheTrainerDies() throws InterruptedException {
    CompletableFuture<Void> gate = new CompletableFuture<>();
    LinkedBlockingQueue<List<ReadRange>> started = new LinkedBlockingQueue<>();
    BatchRead waiting =
        ranges -> {
          started.add(ranges);
          return gate;
        };
    try (LoaderAgent agent = agent(waiting)) {
      AgentClient client = AgentClient.open(agent.socket(), request(2));
      List<ReadRange> ranges = started.poll(60, TimeUnit.SECONDS);
      assertTrue(ranges != null, "no read was started");
      client.close();
      // The bytes arrive after the trainer has gone: their place must still be there.
      ranges.forEach(range -> range.into().fill((byte) 1));
      assertTrue(agent.regionBytes() > 0);
      gate.complete(null);
      AgentFixture.await("the memory is back", () -> agent.regionBytes() == 0);
      assertThrows(IllegalStateException.class, () -> ranges.getFirst().into().get(JAVA_BYTE, 0));
    }
  }
}

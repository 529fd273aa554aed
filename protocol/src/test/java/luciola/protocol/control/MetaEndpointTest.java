package luciola.protocol.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClusterId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class MetaEndpointTest {
  private static final long LONG = TimeUnit.SECONDS.toNanos(30);

  private final CountDownLatch opening = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private FakeMeta meta;
  private MetaEndpoint endpoint;

  @BeforeEach
  void start() throws IOException {
    meta = new FakeMeta(7);
    endpoint = new MetaEndpoint(meta.address(), ClientAccess.NONE);
  }

  @AfterEach
  void stop() throws Exception {
    goOn.countDown();
    threads.close();
    endpoint.close();
    meta.close();
  }

  private void await(String address, ClusterId cluster) {
    opening.countDown();
    try {
      goOn.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(address + " " + cluster, e);
    }
  }

  @Test
  void whoComesWhileAnotherOneOpensWaitsForItsOwnTimeOnly() throws Exception {
    Future<NamespaceStream> first = threads.submit(() -> endpoint.stream(LONG, this::await, false));
    opening.await();
    LuciolaException late =
        assertThrows(
            LuciolaException.class,
            () -> endpoint.stream(TimeUnit.MILLISECONDS.toNanos(20), this::await, false));
    assertEquals(ErrorCode.TIMED_OUT, late.code());
    Future<NamespaceStream> patient =
        threads.submit(() -> endpoint.stream(LONG, this::await, false));
    goOn.countDown();
    assertSame(first.get(), patient.get());
  }

  @Test
  void oneThatCouldNotBeOpenedIsTriedAgain() {
    LuciolaException refused =
        assertThrows(
            LuciolaException.class,
            () ->
                endpoint.stream(
                    LONG,
                    (address, cluster) -> {
                      throw new LuciolaException(ErrorCode.WRONG_CLUSTER, address);
                    },
                    false));
    assertEquals(ErrorCode.WRONG_CLUSTER, refused.code());
    goOn.countDown();
    assertTrue(endpoint.stream(LONG, this::await, false).usable());
  }
}

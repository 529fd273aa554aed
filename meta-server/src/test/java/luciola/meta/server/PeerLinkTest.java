package luciola.meta.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.ConfirmReply;
import luciola.grpc.v1.ConfirmRequest;
import luciola.protocol.access.ClientAccess;
import org.junit.jupiter.api.Test;

/** Questions reach a member again whenever it is there again. */
class PeerLinkTest {
  private final Set<Long> answered = ConcurrentHashMap.newKeySet();
  private long round;

  @Test
  void aMemberThatWasAwayIsAskedAgain() throws Exception {
    int port = freePort();
    var listener =
        new PeerLink.Listener() {
          @Override
          public void confirmed(long confirmedRound, long term, long index) {
            answered.add(confirmedRound);
          }

          @Override
          public void indexed(long indexedRound, long index, long term) {}
        };
    try (var link = new PeerLink("127.0.0.1", port, ClientAccess.NONE, listener)) {
      for (int life = 0; life < 3; life++) {
        // Longer than the pause between two attempts to open a stream, several times.
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(600);
        while (System.nanoTime() - until < 0) {
          ask(link);
        }
        answered.clear();
        Server server = member(port);
        try {
          awaitAnswer(link);
        } finally {
          server.shutdownNow();
          assertTrue(server.awaitTermination(20, TimeUnit.SECONDS));
        }
      }
    }
  }

  private void ask(PeerLink link) {
    link.confirm(++round);
    LockSupport.parkNanos(5_000_000);
  }

  private void awaitAnswer(PeerLink link) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (answered.isEmpty()) {
      assertTrue(System.nanoTime() - deadline < 0, "it is there and is not asked");
      ask(link);
    }
  }

  private static Server member(int port) throws IOException {
    return NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
        .addService(
            new ClusterGrpc.ClusterImplBase() {
              @Override
              public StreamObserver<ConfirmRequest> confirm(StreamObserver<ConfirmReply> replies) {
                return new Asked<>(
                    replies,
                    (request, answers) ->
                        answers.onNext(
                            ConfirmReply.newBuilder()
                                .setRound(request.getRound())
                                .setTerm(1)
                                .build()));
              }
            })
        .build()
        .start();
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return probe.getLocalPort();
    }
  }
}

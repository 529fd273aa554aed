package luciola.protocol.connection;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The answering end on TCP sockets: one {@link ServerConnection} for each caller. */
final class SocketDataServer implements DataServer {
  private static final int BACKLOG = 1024;

  private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition fewer = lock.newCondition();
  private final Channel listener;
  private volatile boolean closing;

  private SocketDataServer(
      EventLoops loops,
      DataServerOptions options,
      InetSocketAddress address,
      PayloadPool pool,
      HelloVerifier verifier,
      RequestGate.Factory gates,
      @Nullable Tls tls,
      DataHandler handler)
      throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loops.group())
            .channel(loops.serverChannelType())
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel accepted) {
                    var peer = (InetSocketAddress) accepted.remoteAddress();
                    Sockets.configure(accepted, peer.getAddress(), options.socketBufferBytes());
                    Tls.accept(tls, accepted);
                    accept(
                        new ServerConnection(
                            accepted,
                            options,
                            pool,
                            verifier,
                            gates.forPeer(peer.toString()),
                            handler,
                            SocketDataServer.this::forget));
                  }
                })
            .bind(address)
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(
          "bind: cannot listen: address=" + address + " cause=" + reason(bound.cause()),
          bound.cause());
    }
    listener = bound.channel();
  }

  static DataServer bind(
      EventLoops loops,
      DataServerOptions options,
      String host,
      int port,
      PayloadPool pool,
      HelloVerifier verifier,
      RequestGate.Factory gates,
      @Nullable Tls tls,
      DataHandler handler)
      throws IOException {
    var address = new InetSocketAddress(InetAddress.getByName(host), port);
    return new SocketDataServer(loops, options, address, pool, verifier, gates, tls, handler);
  }

  private static String reason(@Nullable Throwable cause) {
    return cause == null ? "unknown" : String.valueOf(cause.getMessage());
  }

  private void accept(ServerConnection connection) {
    connections.add(connection);
    connection.start();
    if (closing) {
      connection.finish();
    }
  }

  private void forget(ServerConnection connection) {
    connections.remove(connection);
    lock.lock();
    try {
      fewer.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int port() {
    return ((InetSocketAddress) listener.localAddress()).getPort();
  }

  @Override
  public int connections() {
    return connections.size();
  }

  @Override
  public void close(Duration grace) {
    closing = true;
    listener.close().awaitUninterruptibly();
    connections.forEach(ServerConnection::finish);
    awaitNone(grace);
    connections.forEach(ServerConnection::cut);
    awaitNone(Duration.ofSeconds(5));
  }

  private void awaitNone(Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    lock.lock();
    try {
      while (!connections.isEmpty()) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return;
        }
        long _ = fewer.awaitNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }
}

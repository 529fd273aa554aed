package luciola.protocol.connection;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that move frames: epoll where the platform has it, else java.nio. One instance serves
 * all connections of a process. Close it after everything that uses it.
 */
public final class EventLoops implements AutoCloseable {
  /** Threads that suffice for several GB/s. */
  public static final int THREADS_DEFAULT = 2;

  private static final Logger LOG = LoggerFactory.getLogger(EventLoops.class);
  private static final long STOP_MILLIS = 5_000;

  private final EventLoopGroup group;
  private final boolean epoll;

  private EventLoops(int threads, String name, boolean epoll) {
    this.epoll = epoll;
    this.group =
        new MultiThreadIoEventLoopGroup(
            threads,
            new DefaultThreadFactory(name, true),
            epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  }

  /** Starts with {@link #THREADS_DEFAULT} threads. */
  public static EventLoops start(String name) {
    return start(name, THREADS_DEFAULT);
  }

  /** Starts daemon threads named {@code name-…}. */
  public static EventLoops start(String name, int threads) {
    boolean epoll = Epoll.isAvailable();
    LOG.debug("event loops: name={} threads={} epoll={}", name, threads, epoll);
    return new EventLoops(threads, name, epoll);
  }

  /** Starts on java.nio whatever the platform offers. */
  static EventLoops startNio(String name, int threads) {
    return new EventLoops(threads, name, false);
  }

  EventLoopGroup group() {
    return group;
  }

  Class<? extends Channel> channelType() {
    return epoll ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  Class<? extends ServerChannel> serverChannelType() {
    return epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  /** Stops the threads; connections that are still open break. */
  @Override
  public void close() {
    if (!group
        .shutdownGracefully(0, STOP_MILLIS, TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(STOP_MILLIS + 1_000)) {
      LOG.warn("event loops did not stop: waitedMillis={}", STOP_MILLIS + 1_000);
    }
  }
}

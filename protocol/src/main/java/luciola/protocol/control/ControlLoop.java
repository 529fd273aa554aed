package luciola.protocol.control;

import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.ScheduledExecutorService;

/**
 * The one thread that moves the calls of all connections to meta-servers in this process, for as
 * long as the process lives. What is done on it must not block.
 */
final class ControlLoop {
  private static final boolean EPOLL = Epoll.isAvailable();
  private static final EventLoopGroup GROUP =
      new MultiThreadIoEventLoopGroup(
          1,
          new DefaultThreadFactory("luciola-control", true),
          EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

  private ControlLoop() {}

  /** Has a channel use the thread. */
  static void use(NettyChannelBuilder builder) {
    builder
        .eventLoopGroup(GROUP)
        .channelType(EPOLL ? EpollSocketChannel.class : NioSocketChannel.class);
  }

  /** Does on the thread what it is given, after what has come in meanwhile, or at its time. */
  static ScheduledExecutorService executor() {
    return GROUP;
  }
}

package luciola.protocol.connection;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.RawUnixChannelOption;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Options of the sockets on both ends. */
final class Sockets {
  private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);
  private static final int IPPROTO_TCP = 6;
  private static final int TCP_CONGESTION = 13;
  private static final String LOOPBACK_CONGESTION = "reno";

  /** A peer that takes nothing and acknowledges nothing for so long is gone. */
  private static final int UNACKNOWLEDGED_MILLIS_MAX = 60_000;

  private static final RawUnixChannelOption CONGESTION =
      new RawUnixChannelOption(
          "TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, LOOPBACK_CONGESTION.length());

  private Sockets() {}

  /**
   * Sets the options of a connection.
   *
   * @param bufferBytes 0 leaves the sizes of the socket's buffers to the kernel
   */
  static void configure(Channel channel, InetAddress peer, int bufferBytes) {
    channel.config().setOption(ChannelOption.TCP_NODELAY, true);
    channel.config().setOption(ChannelOption.SO_KEEPALIVE, true);
    if (bufferBytes > 0) {
      channel.config().setOption(ChannelOption.SO_RCVBUF, bufferBytes);
      channel.config().setOption(ChannelOption.SO_SNDBUF, bufferBytes);
    }
    if (channel instanceof EpollSocketChannel) {
      channel.config().setOption(EpollChannelOption.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLIS_MAX);
      if (peer.isLoopbackAddress()) {
        chooseCongestionControl(channel);
      }
    }
  }

  /** Closes without waiting; the pipeline hears of the end. */
  static void close(Channel channel) {
    var _ = channel.close();
  }

  /** Congestion control that paces (BBR, a common default) halves what loopback can do. */
  private static void chooseCongestionControl(Channel channel) {
    ByteBuffer name = ByteBuffer.allocateDirect(LOOPBACK_CONGESTION.length());
    name.put(LOOPBACK_CONGESTION.getBytes(StandardCharsets.US_ASCII)).flip();
    try {
      channel.config().setOption(CONGESTION, name);
    } catch (ChannelException e) {
      LOG.debug("congestion control kept: wanted={} cause={}", LOOPBACK_CONGESTION, e.toString());
    }
  }
}

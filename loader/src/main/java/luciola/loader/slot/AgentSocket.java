package luciola.loader.slot;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * One end of a connection between agent and trainer. Any thread may send; one thread receives.
 * Closing it from another thread ends a waiting receive.
 */
public final class AgentSocket implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;

  private final SocketChannel channel;
  private final ReentrantLock sending = new ReentrantLock();
  private ByteBuffer received =
      ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).flip();

  public AgentSocket(SocketChannel channel) {
    this.channel = channel;
  }

  /** Connects to an agent; CONNECTION_LOST says that there is none. */
  @SuppressWarnings("AddressSelection")
  public static AgentSocket connect(Path socket) {
    try {
      SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
        return new AgentSocket(channel);
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.CONNECTION_LOST,
          "connect to the agent: no agent listens there: socket="
              + socket
              + " cause="
              + e.getMessage(),
          e);
    }
  }

  /** Sends a whole message. */
  public void send(AgentMessage message) {
    ByteBuffer frame = AgentMessage.encode(message);
    sending.lock();
    try {
      while (frame.hasRemaining()) {
        channel.write(frame);
      }
    } catch (IOException e) {
      throw lost("send", e);
    } finally {
      sending.unlock();
    }
  }

  /**
   * Waits for the next message; empty when the other side has closed.
   *
   * @throws InterruptedException when this thread is interrupted; the connection is then closed
   * @throws LuciolaException MALFORMED_FRAME, or CONNECTION_LOST if it ended inside a message
   */
  public Optional<AgentMessage> receive() throws InterruptedException {
    try {
      if (!fill(AgentMessage.HEADER_BYTES)) {
        return Optional.empty();
      }
      int kind = received.getInt();
      int length = AgentMessage.bodyBytes(kind, received.getInt());
      if (!fill(length)) {
        throw new LuciolaException(
            ErrorCode.CONNECTION_LOST, "receive: the connection ended inside a message");
      }
      ByteBuffer body = received.slice(received.position(), length).order(ByteOrder.LITTLE_ENDIAN);
      received.position(received.position() + length);
      return Optional.of(AgentMessage.decode(kind, body));
    } catch (java.nio.channels.ClosedByInterruptException e) {
      Thread.interrupted();
      InterruptedException interrupted =
          new InterruptedException("receive from the agent's socket");
      interrupted.initCause(e);
      throw interrupted;
    } catch (java.nio.channels.ClosedChannelException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw lost("receive", e);
    }
  }

  /** Makes that many bytes available; false at a clean end before the first of them. */
  private boolean fill(int bytes) throws IOException {
    if (received.remaining() >= bytes) {
      return true;
    }
    if (received.capacity() < bytes) {
      received = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN).put(received).flip();
    }
    received.compact();
    try {
      while (received.position() < bytes) {
        if (channel.read(received) < 0) {
          if (received.position() == 0) {
            return false;
          }
          throw new java.io.EOFException("the other side closed inside a message");
        }
      }
    } finally {
      received.flip();
    }
    return true;
  }

  private static LuciolaException lost(String operation, IOException cause) {
    return new LuciolaException(
        ErrorCode.CONNECTION_LOST,
        operation + " on the agent's socket: cause=" + cause.getMessage(),
        cause);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw lost("close", e);
    }
  }
}

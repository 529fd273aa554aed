package luciola.cli.fuzz;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** A way to a port. */
interface Lines {
  int CONNECT_MILLIS = 10_000;
  int ANSWER_MILLIS = 5;

  /** A new connection; fails if nobody listens. */
  Line open() throws IOException;

  /** A connection. */
  interface Line extends Closeable {
    void send(byte[] bytes) throws IOException;

    /** Waits a moment for something to be said; -1 at the end. */
    int hear(byte[] into) throws IOException;
  }

  /** To a port of loopback. */
  static Lines to(int port) {
    return () -> new OfSocket(connected(port));
  }

  /** The same, within TLS. */
  static Lines within(SSLContext encryption, int port) {
    return () -> {
      Socket plain = connected(port);
      plain.setSoTimeout(CONNECT_MILLIS);
      return new OfSocket(encrypted(encryption, plain, port));
    };
  }

  /** To a Unix socket. */
  static Lines to(Path socket) {
    return () -> {
      SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
        channel.configureBlocking(false);
        return new OfChannel(channel);
      } catch (IOException e) {
        channel.close();
        throw e;
      }
    };
  }

  private static Socket connected(int port) throws IOException {
    var socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
      socket.setSoTimeout(ANSWER_MILLIS);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Shakes hands with the first bytes. */
  private static Socket encrypted(SSLContext encryption, Socket plain, int port)
      throws IOException {
    try {
      var socket =
          (SSLSocket) encryption.getSocketFactory().createSocket(plain, "127.0.0.1", port, true);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {"h2"});
      socket.setSSLParameters(parameters);
      return socket;
    } catch (IOException e) {
      plain.close();
      throw e;
    }
  }

  /** Of TCP. */
  record OfSocket(Socket socket) implements Line {
    /** The handshake has more time than an answer. */
    private void shake() throws IOException {
      if (socket instanceof SSLSocket encrypted && encrypted.getSoTimeout() != ANSWER_MILLIS) {
        encrypted.startHandshake();
        encrypted.setSoTimeout(ANSWER_MILLIS);
      }
    }

    @Override
    public void send(byte[] bytes) throws IOException {
      shake();
      socket.getOutputStream().write(bytes);
      socket.getOutputStream().flush();
    }

    @Override
    public int hear(byte[] into) throws IOException {
      shake();
      return socket.getInputStream().read(into);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  /** Of a Unix socket, which has no timeouts of its own. */
  record OfChannel(SocketChannel channel) implements Line {
    private static final long PAUSE_NANOS = 100_000;

    @Override
    public void send(byte[] bytes) throws IOException {
      ByteBuffer left = ByteBuffer.wrap(bytes);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
      while (left.hasRemaining()) {
        if (channel.write(left) == 0) {
          if (System.nanoTime() - deadline > 0) {
            throw new IOException("nobody takes it");
          }
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      }
    }

    @Override
    public int hear(byte[] into) throws IOException {
      long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ANSWER_MILLIS);
      while (true) {
        int read = channel.read(ByteBuffer.wrap(into));
        if (read != 0) {
          return read;
        }
        if (System.nanoTime() - deadline > 0) {
          throw new IOException("nothing is said");
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}

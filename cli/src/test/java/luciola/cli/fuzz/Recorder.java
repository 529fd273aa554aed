package luciola.cli.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Stands between a caller and a port and keeps what the caller sends, a piece for each read. */
final class Recorder implements AutoCloseable {
  private static final int BYTES_MAX = 256 << 10;

  private final ServerSocket listener;
  private final int port;
  private final List<byte[]> pieces = new ArrayList<>();
  private int bytes;

  Recorder(int port) throws IOException {
    this.port = port;
    this.listener = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /** Where to call instead. */
  int port() {
    return listener.getLocalPort();
  }

  /** What was sent so far. */
  synchronized List<byte[]> pieces() {
    return List.copyOf(pieces);
  }

  private void accept() {
    try {
      while (true) {
        Socket from = listener.accept();
        Socket to = new Socket(InetAddress.getLoopbackAddress(), port);
        Thread.ofVirtual().start(() -> copy(from, to, true));
        Thread.ofVirtual().start(() -> copy(to, from, false));
      }
    } catch (IOException closed) {
      // The end.
    }
  }

  private void copy(Socket from, Socket to, boolean kept) {
    try (from;
        to;
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      byte[] buffer = new byte[64 << 10];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (kept) {
          keep(buffer, read);
        }
        out.write(buffer, 0, read);
        out.flush();
      }
    } catch (IOException closed) {
      // One of them is gone.
    }
  }

  private synchronized void keep(byte[] buffer, int count) {
    if (count > 0 && bytes + count <= BYTES_MAX) {
      var piece = new ByteArrayOutputStream();
      piece.write(buffer, 0, count);
      pieces.add(piece.toByteArray());
      bytes += count;
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}

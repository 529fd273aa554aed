package luciola.protocol.connection;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import luciola.protocol.frame.Frame;
import luciola.protocol.frame.FrameCodec;
import luciola.protocol.frame.FramePrefix;

/** A peer on a plain blocking socket, which can also say what no real one says. */
final class RawPeer implements AutoCloseable {
  private final Socket socket;
  private byte[] payload = {};

  RawPeer(int port) throws IOException {
    this(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  RawPeer(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(30_000);
  }

  void send(long requestId, Frame frame) throws IOException {
    send(bytes(requestId, frame));
  }

  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  static byte[] bytes(long requestId, Frame frame) {
    ByteBuffer encoded = FrameCodec.encode(requestId, frame);
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    return bytes;
  }

  Frame receive() throws IOException {
    FramePrefix prefix = FramePrefix.decode(ByteBuffer.wrap(exactly(FramePrefix.BYTES)));
    Frame frame = FrameCodec.decode(prefix, ByteBuffer.wrap(exactly(prefix.bodyBytes())));
    payload = exactly(prefix.payloadBytes());
    return frame;
  }

  /** Payload of the frame received last. */
  byte[] payload() {
    return payload;
  }

  /** Whether the other side closes; anything it still says is skipped. */
  boolean seesTheEnd() throws IOException {
    byte[] skipped = new byte[4096];
    try {
      while (socket.getInputStream().read(skipped) >= 0) {
        // until the end
      }
    } catch (java.net.SocketException _) {
      return true; // reset: it closed with bytes of ours unread
    }
    return true;
  }

  private byte[] exactly(int bytes) throws IOException {
    byte[] read = socket.getInputStream().readNBytes(bytes);
    if (read.length != bytes) {
      throw new EOFException("wanted=" + bytes + " got=" + read.length);
    }
    return read;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}

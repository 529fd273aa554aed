package luciola.cli.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;

/**
 * Sends a port random bytes, and what a correct caller sends cut short, with flipped bits, with
 * other numbers in it, twice, in another order, and endlessly. A seed gives the same bytes again.
 */
final class PortFuzzer {
  private static final int PREFIX_BYTES = 32;
  private static final int CHECKSUM_AT = 28;
  private static final int ENDLESS_BYTES = 4 << 20;
  private static final int ANSWER_MILLIS = 5;

  /** What is sent. */
  enum Kind {
    RANDOM,
    TRUNCATED,
    FLIPPED,
    NUMBERS,
    REPEATED,
    SHUFFLED,
    ENDLESS,
    SILENT
  }

  private final InetSocketAddress port;
  private final Random random;

  /** Conversations of correct callers: what each sends, in pieces. */
  private final List<List<byte[]>> genuine;

  private final Map<Kind, Integer> sent = new EnumMap<>(Kind.class);
  private long bytes;

  PortFuzzer(int port, long seed, List<List<byte[]>> genuine) {
    this.port = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    this.random = new Random(seed);
    this.genuine = genuine;
  }

  /** Goes on until that time of the monotonic clock; fails if nobody listens any more. */
  void run(long untilNanos) throws IOException {
    while (System.nanoTime() - untilNanos < 0) {
      Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
      try (var socket = new Socket()) {
        socket.connect(port, 10_000);
        socket.setSoTimeout(ANSWER_MILLIS);
        talk(socket, kind);
      }
      sent.merge(kind, 1, Integer::sum);
    }
  }

  /** Connections of each kind, and bytes. */
  String report() {
    return "connections=" + sent + " bytes=" + bytes;
  }

  int connections() {
    return sent.values().stream().mapToInt(Integer::intValue).sum();
  }

  private void talk(Socket socket, Kind kind) throws IOException {
    try {
      OutputStream out = socket.getOutputStream();
      switch (kind) {
        case RANDOM -> send(out, noise(1 + random.nextInt(64 << 10)));
        case TRUNCATED -> {
          byte[] all = joined(conversation());
          send(out, java.util.Arrays.copyOf(all, random.nextInt(all.length)));
        }
        case FLIPPED -> {
          byte[] all = joined(conversation());
          for (int flips = 1 + random.nextInt(8); flips > 0; flips--) {
            all[random.nextInt(all.length)] ^= (byte) (1 << random.nextInt(8));
          }
          send(out, all);
        }
        case NUMBERS -> {
          for (byte[] piece : conversation()) {
            send(out, renumbered(piece.clone()));
          }
        }
        case REPEATED -> {
          byte[] all = joined(conversation());
          for (int times = 1 + random.nextInt(20); times > 0; times--) {
            send(out, all);
          }
        }
        case SHUFFLED -> {
          for (int pieces = 1 + random.nextInt(6); pieces > 0; pieces--) {
            List<byte[]> some = conversation();
            send(out, some.get(random.nextInt(some.size())));
          }
        }
        case ENDLESS -> {
          send(out, joined(conversation()));
          byte[] noise = noise(64 << 10);
          for (int left = ENDLESS_BYTES; left > 0; left -= noise.length) {
            send(out, noise);
          }
        }
        case SILENT -> {}
      }
      out.flush();
      InputStream in = socket.getInputStream();
      byte[] answer = new byte[4096];
      for (int reads = 0; reads < 8 && in.read(answer) >= 0; reads++) {
        // whatever it says
      }
    } catch (IOException refused) {
      // Cut off, or nothing was answered: both are fine.
      return;
    }
  }

  private List<byte[]> conversation() {
    return genuine.get(random.nextInt(genuine.size()));
  }

  private void send(OutputStream out, byte[] some) throws IOException {
    out.write(some);
    bytes += some.length;
  }

  private byte[] noise(int count) {
    byte[] noise = new byte[count];
    random.nextBytes(noise);
    return noise;
  }

  private static byte[] joined(List<byte[]> pieces) {
    ByteBuffer all = ByteBuffer.allocate(pieces.stream().mapToInt(piece -> piece.length).sum());
    pieces.forEach(all::put);
    return all.array();
  }

  /** Writes a telling number somewhere; a frame of the data plane gets fitting checksums again. */
  private byte[] renumbered(byte[] piece) {
    if (piece.length < Integer.BYTES) {
      return piece;
    }
    int[] telling = {
      0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 0xffff, 1 << 24, random.nextInt()
    };
    ByteBuffer into = ByteBuffer.wrap(piece).order(ByteOrder.LITTLE_ENDIAN);
    into.putInt(
        random.nextInt(piece.length - Integer.BYTES + 1), telling[random.nextInt(telling.length)]);
    if (piece.length >= PREFIX_BYTES && piece[0] == 'L' && piece[1] == 'C') {
      int body = Math.min(Math.max(0, into.getInt(16)), piece.length - PREFIX_BYTES);
      into.putInt(24, crc(into, PREFIX_BYTES, body));
      into.putInt(CHECKSUM_AT, crc(into, 0, CHECKSUM_AT));
    }
    return piece;
  }

  private static int crc(ByteBuffer bytes, int from, int count) {
    var crc = new CRC32C();
    crc.update(bytes.slice(from, count));
    return (int) crc.getValue();
  }
}

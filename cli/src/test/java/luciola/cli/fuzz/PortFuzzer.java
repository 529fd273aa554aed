package luciola.cli.fuzz;

import java.io.IOException;
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

  private final List<Lines> lines;
  private final Random random;

  /** Conversations of correct callers: what each sends, in pieces. */
  private final List<List<byte[]>> genuine;

  private final Map<Kind, Integer> sent = new EnumMap<>(Kind.class);
  private long bytes;

  /**
   * Of a port.
   *
   * @param lines ways to it, each of which is taken as often as the others
   */
  PortFuzzer(List<Lines> lines, long seed, List<List<byte[]>> genuine) {
    this.lines = lines;
    this.random = new Random(seed);
    this.genuine = genuine;
  }

  /** Goes on until that time of the monotonic clock; fails if nobody listens any more. */
  void run(long untilNanos) throws IOException {
    while (System.nanoTime() - untilNanos < 0) {
      Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
      try (Lines.Line line = lines.get(random.nextInt(lines.size())).open()) {
        talk(line, kind);
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

  private void talk(Lines.Line out, Kind kind) {
    try {
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
      byte[] answer = new byte[4096];
      for (int reads = 0; reads < 8 && out.hear(answer) >= 0; reads++) {
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

  private void send(Lines.Line out, byte[] some) throws IOException {
    out.send(some);
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

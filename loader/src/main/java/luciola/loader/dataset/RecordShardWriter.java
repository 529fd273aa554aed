package luciola.loader.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;
import luciola.client.LuciolaFileSystem;

/**
 * Writes one record shard in one pass. The index is kept in memory (8 bytes a sample). For one
 * thread.
 */
public final class RecordShardWriter implements AutoCloseable {
  private static final int PIECE_ENTRIES = 1 << 16;

  private final SequentialOutput out;
  private int[] lengths = new int[1024];
  private int[] crcs = new int[1024];
  private int samples;

  /** What was written. */
  public record Written(long samples, long bytes, int indexCrc32c) {}

  /** Creates the file; EXISTS if it is there. */
  public RecordShardWriter(LuciolaFileSystem files, String path) {
    this.out = new SequentialOutput(files, path);
    out.write(RecordLayout.encodeHeader());
  }

  /** Adds a sample; its number in this shard is the count of those before it. */
  public void add(byte[] sample) {
    if (samples == lengths.length) {
      lengths = Arrays.copyOf(lengths, samples * 2);
      crcs = Arrays.copyOf(crcs, samples * 2);
    }
    CRC32C crc = new CRC32C();
    crc.update(sample, 0, sample.length);
    lengths[samples] = sample.length;
    crcs[samples++] = (int) crc.getValue();
    out.write(sample);
  }

  /** Bytes of the file so far, without index and footer. */
  public long bytes() {
    return out.position();
  }

  public int samples() {
    return samples;
  }

  /** Writes index and footer and makes the shard durable. */
  public Written finish() {
    long indexOffset = out.position();
    long offset = RecordLayout.HEADER_BYTES;
    CRC32C indexCrc = new CRC32C();
    for (int first = 0; first < samples; first += PIECE_ENTRIES) {
      int count = Math.min(PIECE_ENTRIES, samples - first);
      ByteBuffer piece =
          ByteBuffer.allocate(count * RecordLayout.ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = first; i < first + count; i++) {
        piece.putLong(offset).putInt(lengths[i]).putInt(crcs[i]);
        offset += lengths[i];
      }
      indexCrc.update(piece.array(), 0, piece.capacity());
      out.write(piece.array());
    }
    int crc = (int) indexCrc.getValue();
    out.write(RecordLayout.encodeFooter(new RecordLayout.Footer(samples, indexOffset, crc)));
    out.finish();
    return new Written(samples, out.position(), crc);
  }

  /** Closes the file; without {@link #finish} it has no footer and no reader takes it. */
  @Override
  public void close() {
    out.close();
  }
}

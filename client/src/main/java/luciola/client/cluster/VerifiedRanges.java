package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.util.List;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.Reply;

/**
 * Where the ranges of one request go. Their bytes are verified as they arrive, while they are in
 * the processor's cache: that is four times as fast as once all of them have come and the first are
 * out of it again.
 *
 * <p>Of the event loop until the call's future completes, then of whom that is told.
 */
final class VerifiedRanges implements ReplyPayload {
  private final List<ChunkRange> ranges;
  private final ReplyPayload places;

  /** Of each range: pieces that were found right, from the first on. */
  private final int[] right;

  /** The range whose bytes come now, and bytes of those before it. */
  private int present;

  private int before;

  VerifiedRanges(List<ChunkRange> ranges) {
    this.ranges = List.copyOf(ranges);
    this.places = ReplyPayload.scatter(ranges.stream().map(ChunkRange::into).toList());
    this.right = new int[ranges.size()];
  }

  @Override
  public List<MemorySegment> place(Reply reply, int payloadBytes) {
    return places.place(reply, payloadBytes);
  }

  @Override
  public void arrived(Reply reply, int bytes) {
    if (!(reply instanceof ReadReply read) || read.results().size() != ranges.size()) {
      return;
    }
    while (present < ranges.size()) {
      ReadReply.Result result = read.results().get(present);
      int here = bytes - before;
      verify(present, result, Math.min(here, result.dataBytes()));
      if (here < result.dataBytes()) {
        return;
      }
      before += result.dataBytes();
      present++;
    }
  }

  /**
   * Index of the first piece of a range whose checksum is not the expected one, or -1. All of the
   * reply has come.
   */
  int firstMismatch(int range, ReadReply.Result result) {
    int pieces = Granules.count(ranges.get(range).offset(), result.dataBytes());
    if (result.checksums().length != pieces) {
      return 0;
    }
    verify(range, result, result.dataBytes());
    return right[range] == pieces ? -1 : right[range];
  }

  /** Verifies what is whole of the first bytes of a range, and was not yet found right. */
  private void verify(int range, ReadReply.Result result, int bytes) {
    int offset = ranges.get(range).offset();
    MemorySegment into = ranges.get(range).into();
    int[] sums = result.checksums();
    int pieces = Math.min(sums.length, Granules.count(offset, result.dataBytes()));
    int piece = right[range];
    while (piece < pieces) {
      int from = Granules.pieceOffset(offset, piece);
      int length = Granules.pieceBytes(offset, result.dataBytes(), piece);
      if (from + length > bytes || Granules.crc(into.asSlice(from, length)) != sums[piece]) {
        break;
      }
      piece++;
    }
    right[range] = piece;
  }
}

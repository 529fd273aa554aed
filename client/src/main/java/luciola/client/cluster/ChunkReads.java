package luciola.client.cluster;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.id.NodeId;
import luciola.protocol.router.Route;
import luciola.protocol.router.Step;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads ranges of chunks: grouped into requests per server, bounded in bytes under way, each range
 * on its own route, every checksum verified before the range counts as read. Bytes are received in
 * their destinations; nothing here copies them.
 */
final class ChunkReads {
  private static final Logger LOG = LoggerFactory.getLogger(ChunkReads.class);

  private final DataPlane plane;
  private final long bytesMax;
  private final int batchBytesMax;
  private final int batchRangesMax;
  private final ArrayDeque<Piece> waiting = new ArrayDeque<>();
  private long inFlightBytes;

  ChunkReads(DataPlane plane, long bytesMax, int batchBytesMax, int batchRangesMax) {
    this.plane = plane;
    this.bytesMax = bytesMax;
    this.batchBytesMax = batchBytesMax;
    this.batchRangesMax = batchRangesMax;
  }

  /** Longest range worth one request. */
  int pieceBytesMax() {
    return batchBytesMax;
  }

  /**
   * Fills all destinations. Completes, well or not, only when none of them is written any more;
   * usually on an event loop.
   */
  CompletableFuture<Void> read(String path, List<ChunkRange> ranges) {
    return readEach(List.of(new Wanted(path, ranges))).getFirst();
  }

  /** Ranges with one outcome. */
  record Wanted(String path, List<ChunkRange> ranges) {}

  /** Like {@link #read} for each of them; all travel together. */
  List<CompletableFuture<Void>> readEach(List<Wanted> all) {
    List<CompletableFuture<Void>> outcomes = new ArrayList<>(all.size());
    List<Piece> pieces = new ArrayList<>();
    for (Wanted wanted : all) {
      if (wanted.ranges().isEmpty()) {
        outcomes.add(CompletableFuture.completedFuture(null));
        continue;
      }
      Group group = new Group(wanted.path(), wanted.ranges().size());
      wanted.ranges().forEach(range -> pieces.add(new Piece(range, group)));
      outcomes.add(group.done);
    }
    synchronized (this) {
      waiting.addAll(pieces);
    }
    admit();
    return outcomes;
  }

  /** Ranges that one caller waits for. */
  private static final class Group {
    final CompletableFuture<Void> done = new CompletableFuture<>();
    final String path;
    private final AtomicInteger left;
    private final AtomicReference<@Nullable LuciolaException> fault = new AtomicReference<>();

    Group(String path, int pieces) {
      this.path = path;
      this.left = new AtomicInteger(pieces);
    }

    void ended(@Nullable LuciolaException error) {
      if (error != null) {
        fault.compareAndSet(null, error);
      }
      if (left.decrementAndGet() == 0) {
        LuciolaException first = fault.get();
        if (first == null) {
          done.complete(null);
        } else {
          done.completeExceptionally(first);
        }
      }
    }
  }

  /** One range on its way. */
  private static final class Piece {
    final ChunkRange range;
    final Group group;
    @Nullable Route route;

    Piece(ChunkRange range, Group group) {
      this.range = range;
      this.group = group;
    }

    Route route() {
      Route made = route;
      if (made == null) {
        throw new IllegalStateException("not admitted yet");
      }
      return made;
    }
  }

  private void admit() {
    List<Piece> admitted = new ArrayList<>();
    synchronized (this) {
      Piece first = waiting.peek();
      while (first != null
          && (inFlightBytes == 0 || inFlightBytes + first.range.bytes() <= bytesMax)) {
        inFlightBytes += first.range.bytes();
        admitted.add(waiting.remove());
        first = waiting.peek();
      }
    }
    if (!admitted.isEmpty()) {
      for (Piece piece : admitted) {
        piece.route =
            plane.readRoute(piece.range.chain(), piece.range.chunk(), piece.range.bytes());
      }
      start(admitted);
    }
  }

  private void start(List<Piece> pieces) {
    Round round = new Round();
    pieces.forEach(piece -> round.follow(piece, plane.next(piece.route())));
    round.go();
  }

  private void ended(Piece piece, @Nullable LuciolaException error) {
    synchronized (this) {
      inFlightBytes -= piece.range.bytes();
    }
    piece.group.ended(error);
  }

  /** What the next steps of several pieces come to: requests by server, and who has to wait. */
  private final class Round {
    private final Map<NodeId, Batch> batches = new HashMap<>();
    private final List<Batch> full = new ArrayList<>();
    private final List<Piece> paused = new ArrayList<>();
    private @Nullable Step pause;
    private boolean room;

    void follow(Piece piece, Step step) {
      switch (step) {
        case Step.Send send -> add(piece, send);
        case Step.WaitUntil _, Step.RefreshRouting _ -> {
          paused.add(piece);
          pause = step;
        }
        case Step.GiveUp end -> {
          ended(
              piece, end.fault("read: path=" + piece.group.path + " chunk=" + piece.range.chunk()));
          room = true;
        }
      }
    }

    void succeeded(Piece piece) {
      plane.succeeded(piece.route());
      ended(piece, null);
      room = true;
    }

    private void add(Piece piece, Step.Send send) {
      NodeId node = send.node().id();
      Batch batch = batches.computeIfAbsent(node, _ -> new Batch());
      if (batch.bytes + piece.range.bytes() > batchBytesMax && !batch.pieces.isEmpty()) {
        full.add(batch);
        batch = new Batch();
        batches.put(node, batch);
      }
      batch.add(piece, send);
      if (batch.pieces.size() >= batchRangesMax) {
        full.add(batch);
        batches.remove(node);
      }
    }

    void go() {
      full.forEach(Batch::send);
      batches.values().forEach(Batch::send);
      switch (pause) {
        case Step.WaitUntil wait -> plane.later(wait, () -> start(paused));
        case Step.RefreshRouting refresh -> plane.later(refresh, () -> start(paused));
        case null, default -> {}
      }
      if (room) {
        admit();
      }
    }
  }

  /** One request. */
  private final class Batch {
    private final List<Piece> pieces = new ArrayList<>();
    private final List<Step.Send> sends = new ArrayList<>();
    private long bytes;

    void add(Piece piece, Step.Send send) {
      pieces.add(piece);
      sends.add(send);
      bytes += piece.range.bytes();
    }

    void send() {
      List<ReadRequest.Range> ranges = new ArrayList<>(pieces.size());
      for (int i = 0; i < pieces.size(); i++) {
        ChunkRange range = pieces.get(i).range;
        Step.Send send = sends.get(i);
        ranges.add(
            new ReadRequest.Range(
                send.chain(),
                send.chainVersion(),
                send.target(),
                range.chunk(),
                range.offset(),
                range.bytes()));
      }
      var into = new VerifiedRanges(pieces.stream().map(piece -> piece.range).toList());
      var _ =
          plane
              .send(sends.getFirst(), new ReadRequest(ranges), ReadReply.class, List.of(), into)
              .whenComplete((reply, error) -> answered(into, reply, error));
    }

    private void answered(
        VerifiedRanges into, @Nullable ReadReply reply, @Nullable Throwable error) {
      ErrorCode whole = codeOf(reply, error);
      Round round = new Round();
      for (int i = 0; i < pieces.size(); i++) {
        Piece piece = pieces.get(i);
        ErrorCode code =
            whole != ErrorCode.OK || reply == null
                ? whole
                : accepted(into, i, reply.results().get(i));
        if (code == ErrorCode.OK) {
          round.succeeded(piece);
        } else {
          round.follow(piece, plane.failed(piece.route(), code));
        }
      }
      round.go();
    }

    private ErrorCode codeOf(@Nullable ReadReply reply, @Nullable Throwable error) {
      if (error != null) {
        return DataPlane.codeOf(error);
      }
      if (reply == null
          || (reply.code() == ErrorCode.OK && reply.results().size() != pieces.size())) {
        return ErrorCode.MALFORMED_FRAME;
      }
      return reply.code();
    }

    /** Verifies what came for one range and completes it with zeros. */
    private ErrorCode accepted(VerifiedRanges into, int at, ReadReply.Result result) {
      Piece piece = pieces.get(at);
      Step.Send send = sends.get(at);
      ChunkRange range = piece.range;
      if (result.code() == ErrorCode.CHUNK_NOT_FOUND) {
        range.into().fill((byte) 0);
        return ErrorCode.OK;
      }
      if (result.code() != ErrorCode.OK) {
        return result.code();
      }
      if (result.dataBytes() < 0 || result.dataBytes() > range.bytes()) {
        return ErrorCode.MALFORMED_FRAME;
      }
      int bad = into.firstMismatch(at, result);
      if (bad >= 0) {
        LOG.warn(
            "checksum mismatch: path={} chunk={} offset={} piece={} target={} node={} version={}",
            piece.group.path,
            range.chunk(),
            range.offset(),
            bad,
            send.target(),
            send.node().id(),
            result.version());
        complain(send, range, bad);
        return ErrorCode.CHECKSUM_MISMATCH;
      }
      range.into().asSlice(result.dataBytes()).fill((byte) 0);
      return ErrorCode.OK;
    }

    /**
     * Makes the server look at its bad granule: short reads are verified there, and what is bad is
     * repaired from another replica. Nobody waits for it.
     */
    private void complain(Step.Send send, ChunkRange range, int bad) {
      int offset = range.offset() + Granules.pieceOffset(range.offset(), bad);
      var one =
          new ReadRequest.Range(
              send.chain(), send.chainVersion(), send.target(), range.chunk(), offset, 1);
      ReplyPayload into = ReplyPayload.scatter(List.of(Arena.ofAuto().allocate(1)));
      var _ = plane.send(send, new ReadRequest(List.of(one)), ReadReply.class, List.of(), into);
    }
  }
}

package luciola.protocol.connection;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.UncheckedBooleanSupplier;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Frame;
import luciola.protocol.frame.FrameCodec;
import luciola.protocol.frame.FramePrefix;
import org.jspecify.annotations.Nullable;

/**
 * Reads frames off a channel, payloads straight from the socket into their destination.
 *
 * <p>The channel asks its receive-buffer handle where to read to before each read. This one answers
 * with exactly the bytes that are still missing of the prefix, of the body, or of the present piece
 * of the destination; so no payload byte is ever read anywhere else. After several frames in a row
 * with little or no payload it reads ahead into the header buffer instead: then one system call
 * brings many small frames, and their few payload bytes are copied (and counted by {@link
 * CopyCounter}); the first large payload ends that.
 *
 * <pre>
 *   PREFIX --32 bytes--> BODY --all of it--> PLACE --sink gave memory--> PAYLOAD --full--> PREFIX
 *                          |                   | sink has none yet: paused, asked again on resume
 *                          +--no payload--> PREFIX
 * </pre>
 *
 * Runs on the channel's event loop alone.
 */
final class FrameReceiver extends ChannelInboundHandlerAdapter {
  /** Whom the frames are for. All methods run on the event loop. */
  interface Sink {
    /**
     * Where a payload goes, asked once its header is known.
     *
     * @return segments of the payload's length together; none to throw the payload away; null if
     *     there is no memory now: the sink has paused the receiver and is asked again on resume
     */
    @Nullable List<MemorySegment> place(FramePrefix prefix, Frame frame);

    /** The prefix of a frame has come; throws a LuciolaException to end the connection. */
    default void announced(FramePrefix prefix) {}

    /** So many bytes of the payload, from its beginning, lie where they belong. */
    default void arrived(FramePrefix prefix, Frame frame, int bytes) {}

    /** A frame and its payload are complete. */
    void received(FramePrefix prefix, Frame frame);

    /** Nothing more can be read; the sink closes the channel. */
    void broken(Throwable cause);

    /** The channel is gone. */
    void gone();
  }

  private enum State {
    PREFIX,
    BODY,
    PLACE,
    PAYLOAD,
    CLOSED
  }

  private static final int SCRATCH_BYTES = 256 << 10;
  private static final int READS_MAX = 16;

  /** Most bytes of one read, so that they are in the processor's cache when the sink is told. */
  private static final int PAYLOAD_READ_BYTES = 512 << 10;

  private static final int SCATTER_PIECE_BYTES = 64 << 10;
  private static final int SMALL_PAYLOAD_BYTES = 16 << 10;
  private static final int SMALL_FRAMES_BEFORE_AHEAD = 4;

  private final Sink sink;
  private final Handle handle = new Handle();

  private final HeaderBuffer header = new HeaderBuffer();
  private @Nullable ByteBuffer scratch;

  private State state = State.PREFIX;
  private boolean paused;
  private boolean parsing;
  private int smallFrames;
  private @Nullable FramePrefix prefix;
  private @Nullable Frame frame;
  private List<SealedTicket> tickets = List.of();
  private List<MemorySegment> pieces = List.of();
  private int piece;
  private long pieceFilled;
  private int payloadLeft;
  private @Nullable ChannelHandlerContext context;
  private @Nullable ScatterRead scatterRead;

  /** Decrypted bytes that have not been taken yet; only with TLS. */
  private final ArrayDeque<ByteBuf> decrypted = new ArrayDeque<>();

  private boolean isDecrypted;
  private boolean taking;

  FrameReceiver(Sink sink) {
    this.sink = sink;
  }

  /** Reads nothing more until {@link #resume}. */
  void pause() {
    paused = true;
    if (context != null) {
      context.channel().config().setAutoRead(false);
    }
  }

  boolean isPaused() {
    return paused;
  }

  /** Goes on where it was paused. */
  void resume() {
    if (!paused || state == State.CLOSED) {
      return;
    }
    paused = false;
    parse();
    takeDecrypted();
    if (!paused && context != null) {
      context.channel().config().setAutoRead(true);
    }
  }

  /** What was shown with the frame that the sink is being told of. */
  List<SealedTicket> tickets() {
    return tickets;
  }

  /** Throws away what is still to come of the payload that is being received for this request. */
  void abandonPayload(long requestId) {
    if (state == State.PAYLOAD && prefix != null && prefix.requestId() == requestId) {
      pieces = List.of();
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    isDecrypted = Tls.isOn(ctx.channel());
    if (isDecrypted) {
      if (paused) {
        ctx.channel().config().setAutoRead(false);
      }
      return;
    }
    RecvByteBufAllocator allocator = () -> handle;
    scatterRead = ScatterRead.of(ctx.channel()).orElse(null);
    ctx.channel().config().setOption(ChannelOption.RECVBUF_ALLOCATOR, allocator);
    if (paused) {
      ctx.channel().config().setAutoRead(false);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (isDecrypted) {
      decrypted.add((ByteBuf) message);
      takeDecrypted();
      return;
    }
    int bytes = ((ByteBuf) message).writerIndex();
    ReferenceCountUtil.release(message);
    handle.drained = false;
    if (state == State.PAYLOAD) {
      payloadArrived(bytes);
    } else {
      header.received(bytes);
    }
    parse();
  }

  /** Copies decrypted bytes to where they belong, as far as they are wanted now. */
  private void takeDecrypted() {
    if (taking) {
      return; // resumed from within a call of ours: that loop goes on
    }
    taking = true;
    try {
      while (!paused && state != State.CLOSED && !decrypted.isEmpty()) {
        ByteBuf from = decrypted.peek();
        ByteBuffer space = space();
        int bytes = Math.min(space.remaining(), from.readableBytes());
        from.readBytes(space.limit(space.position() + bytes));
        if (!from.isReadable()) {
          decrypted.remove().release();
        }
        if (state == State.PAYLOAD) {
          CopyCounter.copied(bytes);
          payloadArrived(bytes);
        } else {
          header.received(bytes);
        }
        parse();
      }
    } finally {
      taking = false;
    }
    if (state == State.CLOSED) {
      decrypted.forEach(ByteBuf::release);
      decrypted.clear();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    close();
    sink.gone();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail(cause);
  }

  private void fail(Throwable cause) {
    if (state != State.CLOSED) {
      close();
      sink.broken(cause);
    }
  }

  private void close() {
    state = State.CLOSED;
    pieces = List.of();
    takeDecrypted();
  }

  private void parse() {
    if (parsing) {
      return; // the sink resumed us from within a call of ours: that loop goes on
    }
    parsing = true;
    try {
      while (!paused && step()) {
        // each step consumes a part of a frame
      }
    } catch (LuciolaException e) {
      fail(e);
    } catch (RuntimeException e) {
      fail(new LuciolaException(ErrorCode.INTERNAL, "receive frame: " + e, e));
    } finally {
      parsing = false;
    }
  }

  /** Takes one step; false if it needs more bytes or memory. */
  private boolean step() {
    return switch (state) {
      case PREFIX -> parsePrefix();
      case BODY -> parseBody();
      case PLACE -> placePayload();
      case PAYLOAD -> takePayload();
      case CLOSED -> false;
    };
  }

  private boolean parsePrefix() {
    if (header.bytes() < FramePrefix.BYTES) {
      return false;
    }
    prefix = FramePrefix.decode(header.peek(FramePrefix.BYTES));
    sink.announced(prefix);
    header.parsed(FramePrefix.BYTES);
    state = State.BODY;
    return true;
  }

  private boolean parseBody() {
    FramePrefix now = present();
    if (header.bytes() < now.bodyBytes()) {
      return false;
    }
    frame = FrameCodec.decode(now, header.peek(now.bodyBytes()));
    tickets = FrameCodec.tickets(now, header.peek(now.bodyBytes()));
    header.parsed(now.bodyBytes());
    header.shrink();
    payloadLeft = now.payloadBytes();
    smallFrames = payloadLeft > SMALL_PAYLOAD_BYTES ? 0 : smallFrames + 1;
    if (payloadLeft == 0) {
      deliver();
    } else {
      state = State.PLACE;
    }
    return true;
  }

  private boolean placePayload() {
    List<MemorySegment> given = sink.place(present(), presentFrame());
    if (given == null || state != State.PLACE) {
      return false;
    }
    pieces = given;
    piece = 0;
    pieceFilled = 0;
    while (piece < pieces.size() && pieces.get(piece).byteSize() == 0) {
      piece++;
    }
    state = State.PAYLOAD;
    return true;
  }

  /** Takes what was read ahead of the payload; false if there is nothing of it. */
  private boolean takePayload() {
    if (payloadLeft == 0) {
      deliver();
      return true;
    }
    int ahead = Math.min(header.bytes(), payloadLeft);
    if (ahead == 0) {
      return scatter();
    }
    while (ahead > 0) {
      int part = ahead;
      if (!pieces.isEmpty()) {
        MemorySegment target = presentPiece();
        part = (int) Math.min(ahead, target.byteSize());
        MemorySegment.copy(MemorySegment.ofBuffer(header.peek(part)), 0, target, 0, part);
        CopyCounter.copied(part);
      }
      header.parsed(part);
      ahead -= part;
      payloadArrived(part);
    }
    return true;
  }

  /** Reads several pieces at once where the present one is small; false if there is no more. */
  private boolean scatter() {
    if (scatterRead == null
        || context == null
        || !context.channel().isOpen() // its descriptor may already be somebody else's
        || piece + 1 >= pieces.size()
        || pieces.get(piece).byteSize() > SCATTER_PIECE_BYTES) {
      return false;
    }
    long bytes = scatterRead.read(pieces, piece, pieceFilled);
    payloadArrived((int) bytes);
    // Less than all of it: the socket is empty, the next read may wait for its readiness.
    handle.drained = payloadLeft > 0;
    return payloadLeft == 0;
  }

  private void payloadArrived(int bytes) {
    payloadLeft -= bytes;
    if (pieces.isEmpty()) {
      return;
    }
    CopyCounter.delivered(bytes);
    pieceFilled += bytes;
    while (piece < pieces.size() && pieceFilled >= pieces.get(piece).byteSize()) {
      pieceFilled -= pieces.get(piece).byteSize();
      piece++;
    }
    sink.arrived(present(), presentFrame(), present().payloadBytes() - payloadLeft);
  }

  private void deliver() {
    FramePrefix donePrefix = present();
    Frame doneFrame = presentFrame();
    prefix = null;
    frame = null;
    pieces = List.of();
    state = State.PREFIX;
    sink.received(donePrefix, doneFrame);
  }

  private MemorySegment presentPiece() {
    return pieces.get(piece).asSlice(pieceFilled);
  }

  private FramePrefix present() {
    if (prefix == null) {
      throw new IllegalStateException("no frame is being received: state=" + state);
    }
    return prefix;
  }

  private Frame presentFrame() {
    if (frame == null) {
      throw new IllegalStateException("no frame is being received: state=" + state);
    }
    return frame;
  }

  /** What the next read may fill. */
  private ByteBuffer space() {
    return switch (state) {
      case PREFIX -> headerSpace(FramePrefix.BYTES);
      case BODY -> headerSpace(present().bodyBytes());
      case PAYLOAD -> pieces.isEmpty() ? scratchSpace() : payloadSpace();
      case PLACE -> header.pausedSpace();
      case CLOSED -> header.peek(0);
    };
  }

  private ByteBuffer payloadSpace() {
    MemorySegment left = presentPiece();
    return left.asSlice(0, Math.min(left.byteSize(), PAYLOAD_READ_BYTES)).asByteBuffer();
  }

  private ByteBuffer headerSpace(int wanted) {
    return paused
        ? header.pausedSpace()
        : header.space(wanted, smallFrames >= SMALL_FRAMES_BEFORE_AHEAD);
  }

  private ByteBuffer scratchSpace() {
    if (scratch == null) {
      scratch = ByteBuffer.allocateDirect(SCRATCH_BYTES);
    }
    return scratch.slice(0, Math.min(SCRATCH_BYTES, payloadLeft));
  }

  /** The channel's receive-buffer handle. */
  private final class Handle implements RecvByteBufAllocator.ExtendedHandle {
    private int attempted;
    private int last;
    private int reads;
    private boolean drained;

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
      return Unpooled.wrappedBuffer(space()).clear();
    }

    @Override
    public int guess() {
      return FramePrefix.BYTES;
    }

    @Override
    public void reset(ChannelConfig config) {
      reads = 0;
    }

    @Override
    public void incMessagesRead(int count) {
      reads += count;
    }

    @Override
    public void lastBytesRead(int bytes) {
      last = bytes;
    }

    @Override
    public int lastBytesRead() {
      return last;
    }

    @Override
    public void attemptedBytesRead(int bytes) {
      attempted = bytes;
    }

    @Override
    public int attemptedBytesRead() {
      return attempted;
    }

    @Override
    public boolean continueReading() {
      return !paused
          && !drained
          && state != State.CLOSED
          && last == attempted
          && last > 0
          && reads < READS_MAX;
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreDataSupplier) {
      return continueReading();
    }

    @Override
    public void readComplete() {
      // nothing to learn from
    }
  }
}

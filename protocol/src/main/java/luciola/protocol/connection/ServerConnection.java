package luciola.protocol.connection;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.util.concurrent.Future;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Frame;
import luciola.protocol.frame.FrameCodec;
import luciola.protocol.frame.FramePrefix;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One caller of a server. State is of the channel's event loop; replies come from any thread
 * through a queue.
 *
 * <p>It reads on only while all of these hold: fewer than {@code callsMax} calls wait for their
 * reply, at most {@code replyBytesMax} bytes of replies wait for the socket, the payload that comes
 * next has memory, and the server is not closing.
 */
final class ServerConnection implements FrameReceiver.Sink {
  private static final Logger LOG = LoggerFactory.getLogger(ServerConnection.class);
  private static final int HELLO_BYTES_MAX = 1024;

  private final Channel channel;
  private final DataServerOptions options;
  private final PayloadPool pool;
  private final HelloVerifier verifier;
  private final RequestGate gate;
  private final DataHandler handler;
  private final Consumer<ServerConnection> onGone;
  private final FrameReceiver receiver = new FrameReceiver(this);
  private final ConcurrentLinkedQueue<Answer> answers = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean sending = new AtomicBoolean();
  private final AtomicLong replyBytesUnsent = new AtomicLong();

  private volatile @Nullable Hello hello;
  private int callsUnanswered;
  private int answersUnsent;
  private PayloadBuffer incoming = PayloadBuffer.empty();
  private boolean memoryWanted;
  private boolean memoryMissing;
  private boolean memoryRefused;

  /** What the gate said of the request that is being received; null: not asked yet. */
  private @Nullable ErrorCode admitted;

  private @Nullable Future<?> memoryDeadline;
  private boolean finishing;

  ServerConnection(
      Channel channel,
      DataServerOptions options,
      PayloadPool pool,
      HelloVerifier verifier,
      RequestGate gate,
      DataHandler handler,
      Consumer<ServerConnection> onGone) {
    this.channel = channel;
    this.options = options;
    this.pool = pool;
    this.verifier = verifier;
    this.gate = gate;
    this.handler = handler;
    this.onGone = onGone;
  }

  void start() {
    channel.pipeline().addLast(receiver);
    Future<?> _ =
        channel
            .eventLoop()
            .schedule(this::expectHello, options.helloTimeout().toNanos(), TimeUnit.NANOSECONDS);
  }

  private void expectHello() {
    if (hello == null && channel.isActive()) {
      LOG.info("connection closed: reason=\"no hello\" peer={}", channel.remoteAddress());
      Sockets.close(channel);
    }
  }

  /** Reads no more; closes when everything is answered and sent. */
  void finish() {
    onLoop(() -> {
      finishing = true;
      regulate();
      closeIfFinished();
    });
  }

  /** Closes now. */
  void cut() {
    Sockets.close(channel);
  }

  @Override
  public @Nullable List<MemorySegment> place(FramePrefix prefix, Frame frame) {
    Request request = checkedRequest(frame);
    if (memoryRefused || admitted(request) != ErrorCode.OK) {
      return List.of();
    }
    Optional<PayloadBuffer> buffer = memoryFor(request, prefix.payloadBytes());
    if (buffer.isEmpty()) {
      if (!memoryWanted) {
        memoryWanted = true;
        memoryDeadline =
            channel
                .eventLoop()
                .schedule(
                    this::refuseMemory, options.payloadWait().toNanos(), TimeUnit.NANOSECONDS);
      }
      pool.whenFreed(() -> onLoop(this::memoryFreed));
      buffer = memoryFor(request, prefix.payloadBytes()); // it may have come back in between
    }
    if (buffer.isEmpty()) {
      memoryMissing = true;
      regulate();
      return null;
    }
    memoryGiven();
    incoming = buffer.get();
    return List.of(incoming.segment());
  }

  /** Nobody unknown makes this server hold memory for what it promises to send. */
  @Override
  public void announced(FramePrefix prefix) {
    if (hello == null && prefix.bodyBytes() + prefix.payloadBytes() > HELLO_BYTES_MAX) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "receive request: no hello: peer="
              + channel.remoteAddress()
              + " bytes="
              + prefix.bodyBytes());
    }
  }

  private ErrorCode admitted(Request request) {
    ErrorCode known = admitted;
    if (known == null) {
      known = gate.admit(request, receiver.tickets());
      admitted = known;
    }
    return known;
  }

  private Optional<PayloadBuffer> memoryFor(Request request, int bytes) {
    long reserve =
        request instanceof ForwardRequest
            ? 0
            : pool.capacityBytes() / 100 * (100 - options.updatesPercent());
    return pool.tryAcquire(bytes, reserve);
  }

  private void memoryFreed() {
    memoryMissing = false;
    regulate(); // the receiver asks place() again
  }

  private void refuseMemory() {
    if (memoryWanted) {
      memoryGiven();
      memoryRefused = true;
      regulate();
    }
  }

  private void memoryGiven() {
    memoryWanted = false;
    memoryMissing = false;
    if (memoryDeadline != null) {
      memoryDeadline.cancel(false);
      memoryDeadline = null;
    }
  }

  @Override
  public void received(FramePrefix prefix, Frame frame) {
    Request request = checkedRequest(frame);
    PayloadBuffer payload = incoming;
    incoming = PayloadBuffer.empty();
    var call = new SocketCall(prefix.requestId(), request, payload);
    callsUnanswered++;
    ErrorCode verdict = admitted(request);
    admitted = null;
    if (request instanceof Hello first) {
      greet(call, first, verdict);
    } else if (verdict != ErrorCode.OK) {
      memoryRefused = false;
      call.fail(verdict);
    } else if (memoryRefused) {
      memoryRefused = false;
      call.fail(ErrorCode.OVERLOADED);
    } else {
      dispatch(call);
    }
    regulate();
  }

  private Request checkedRequest(Frame frame) {
    if (!(frame instanceof Request request)) {
      throw malformed("a reply where a request was due", frame);
    }
    if ((hello == null) != (request instanceof Hello)) {
      throw malformed(hello == null ? "no hello" : "a second hello", frame);
    }
    return request;
  }

  private LuciolaException malformed(String what, Frame frame) {
    return new LuciolaException(
        ErrorCode.MALFORMED_FRAME,
        "receive request: "
            + what
            + ": peer="
            + channel.remoteAddress()
            + " frame="
            + frame.getClass().getSimpleName());
  }

  private void greet(SocketCall call, Hello first, ErrorCode verdict) {
    HelloReply asked = verifier.verify(first);
    HelloReply reply =
        verdict == ErrorCode.OK || asked.code() != ErrorCode.OK
            ? asked
            : new HelloReply(verdict, 0, 0);
    hello = first;
    if (reply.code() != ErrorCode.OK) {
      LOG.info(
          "connection refused: code={} peer={} caller={}",
          reply.code(),
          channel.remoteAddress(),
          first.caller());
      finishing = true;
    }
    call.reply(reply);
  }

  private void dispatch(SocketCall call) {
    try {
      handler.handle(call);
    } catch (RuntimeException e) {
      LOG.error("handler failed: request={}", call.request(), e);
      call.failIfUnanswered();
    }
  }

  private void onLoop(Runnable task) {
    try {
      channel.eventLoop().execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("event loop is closed: peer={}", channel.remoteAddress(), e);
    }
  }

  /** Reads on or not, as the limits say. */
  private void regulate() {
    boolean stop =
        memoryMissing
            || finishing
            || callsUnanswered >= options.callsMax()
            || replyBytesUnsent.get() > options.replyBytesMax();
    if (stop && !receiver.isPaused()) {
      receiver.pause();
    } else if (!stop && receiver.isPaused()) {
      receiver.resume();
    }
  }

  private void enqueue(Answer answer) {
    replyBytesUnsent.addAndGet(answer.body.bytes());
    answers.add(answer);
    if (sending.compareAndSet(false, true)) {
      try {
        channel.eventLoop().execute(this::send);
      } catch (RejectedExecutionException e) {
        LOG.debug("event loop is closed: peer={}", channel.remoteAddress(), e);
        for (Answer lost = answers.poll(); lost != null; lost = answers.poll()) {
          lost.body.release().run();
        }
      }
    }
  }

  private void send() {
    sending.set(false);
    for (Answer answer = answers.poll(); answer != null; answer = answers.poll()) {
      callsUnanswered--;
      ReplyBody body = answer.body;
      long bytes = body.bytes();
      answersUnsent++;
      ChannelFuture written = Outbox.write(channel, answer.head, body.parts());
      written.addListener((Future<? super Void> _) -> {
        replyBytesUnsent.addAndGet(-bytes);
        answersUnsent--;
        body.release().run();
        regulate();
        closeIfFinished();
      });
    }
    channel.flush();
    regulate();
    closeIfFinished();
  }

  private void closeIfFinished() {
    if (finishing && callsUnanswered == 0 && answersUnsent == 0) {
      Sockets.close(channel);
    }
  }

  @Override
  public void broken(Throwable cause) {
    LOG.info("connection closed: peer={} cause=\"{}\"", channel.remoteAddress(), cause.toString());
    Sockets.close(channel);
  }

  @Override
  public void gone() {
    memoryGiven();
    incoming.release();
    incoming = PayloadBuffer.empty();
    onGone.accept(this);
  }

  private record Answer(ByteBuffer head, ReplyBody body) {}

  /** A request of this connection. */
  private final class SocketCall implements Call {
    private final long requestId;
    private final Request request;
    private final PayloadBuffer payload;
    private final AtomicBoolean answered = new AtomicBoolean();

    SocketCall(long requestId, Request request, PayloadBuffer payload) {
      this.requestId = requestId;
      this.request = request;
      this.payload = payload;
    }

    @Override
    public Request request() {
      return request;
    }

    @Override
    public PayloadBuffer payload() {
      return payload;
    }

    @Override
    public long caller() {
      Hello known = hello;
      return known == null ? 0 : known.caller();
    }

    @Override
    public boolean isOpen() {
      return channel.isActive();
    }

    @Override
    public void reply(Reply reply, ReplyBody body) {
      ByteBuffer head;
      try {
        head = encode(reply, body);
      } catch (RuntimeException e) {
        body.release().run();
        throw e;
      }
      if (!answered.compareAndSet(false, true)) {
        body.release().run();
        throw new IllegalStateException("answered twice: request=" + request);
      }
      payload.release();
      enqueue(new Answer(head, body));
    }

    private ByteBuffer encode(Reply reply, ReplyBody body) {
      if (!Reply.kindFor(request).isInstance(reply)
          || FrameCodec.payloadBytes(reply) != body.bytes()) {
        throw new IllegalArgumentException(
            "reply does not fit: request="
                + request
                + " reply="
                + reply
                + " bodyBytes="
                + body.bytes());
      }
      return FrameCodec.encode(requestId, reply);
    }

    void failIfUnanswered() {
      if (!answered.get()) {
        fail(ErrorCode.INTERNAL);
      }
    }
  }
}

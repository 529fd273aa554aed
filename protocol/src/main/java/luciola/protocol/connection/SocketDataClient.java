package luciola.protocol.connection;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.util.collection.LongObjectHashMap;
import io.netty.util.concurrent.Future;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Frame;
import luciola.protocol.frame.FrameCodec;
import luciola.protocol.frame.FramePrefix;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import org.jspecify.annotations.Nullable;

/**
 * The calling end on a TCP socket. Callers encode on their own threads and put the call on a queue;
 * everything after that happens on the channel's event loop, which owns the calls in flight.
 */
final class SocketDataClient implements DataClient, FrameReceiver.Sink {
  private static final long TICK_MILLIS = 20;

  private final String address;
  private final DataClientOptions options;
  private final Tickets tickets;
  private final FrameReceiver receiver = new FrameReceiver(this);
  private final ConcurrentLinkedQueue<CallInFlight<?>> unsent = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean sending = new AtomicBoolean();
  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicLong nextId = new AtomicLong(1);
  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  // Of the event loop:
  private final LongObjectHashMap<CallInFlight<?>> calls = new LongObjectHashMap<>();
  private @Nullable LuciolaException broken;
  private boolean ticking;

  private volatile @Nullable Channel channel;
  private volatile @Nullable HelloReply peer;
  private volatile boolean open = true;

  private SocketDataClient(String address, DataClientOptions options, Tickets tickets) {
    this.address = address;
    this.options = options;
    this.tickets = tickets;
  }

  static CompletableFuture<DataClient> connect(
      EventLoops loops,
      DataClientOptions options,
      String host,
      int port,
      Hello hello,
      Tickets tickets,
      @Nullable Tls tls) {
    var client = new SocketDataClient(host + ":" + port, options, tickets);
    long deadline = System.nanoTime() + options.connectTimeout().toNanos();
    return CompletableFuture.supplyAsync(
            () -> client.resolve(host, port), task -> Thread.startVirtualThread(task))
        .thenCompose(resolved -> client.open(loops, resolved, tls, host, port))
        .thenCompose(_ -> client.greet(hello, deadline));
  }

  private InetSocketAddress resolve(String host, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (UnknownHostException e) {
      throw lost("unknown host", e);
    }
  }

  private CompletableFuture<Void> open(
      EventLoops loops, InetSocketAddress resolved, @Nullable Tls tls, String host, int port) {
    var connected = new CompletableFuture<Void>();
    ChannelFuture connecting =
        new Bootstrap()
            .group(loops.group())
            .channel(loops.channelType())
            .option(
                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                Math.toIntExact(options.connectTimeout().toMillis()))
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel made) {
                    Sockets.configure(made, resolved.getAddress(), options.socketBufferBytes());
                    Tls.connect(tls, made, host, port);
                    made.pipeline().addLast(receiver);
                  }
                })
            .connect(resolved);
    channel = connecting.channel();
    connecting.addListener((Future<? super Void> done) -> {
      if (done.isSuccess()) {
        connected.complete(null);
      } else {
        connected.completeExceptionally(lost("cannot connect", done.cause()));
      }
    });
    return connected;
  }

  private CompletableFuture<DataClient> greet(Hello hello, long deadline) {
    Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
    return call(hello, HelloReply.class, left)
        .handle((reply, failure) -> {
          if (failure != null) {
            close();
            throw failure instanceof LuciolaException known ? known : lost("hello", failure);
          }
          if (reply.code() != ErrorCode.OK) {
            close();
            throw new LuciolaException(
                reply.code(), "connect: refused by server: address=" + address);
          }
          peer = reply;
          return this;
        });
  }

  @Override
  public <R extends Reply> CompletableFuture<R> call(
      Request request,
      Class<R> replyType,
      List<MemorySegment> payload,
      ReplyPayload destination,
      Duration timeout) {
    List<ReplyBody.Part> parts = checkedParts(request, payload);
    if (!Reply.kindFor(request).equals(replyType)) {
      throw new IllegalArgumentException(
          "call: wrong reply: request=" + request + " reply=" + replyType);
    }
    if (inFlight.incrementAndGet() > options.callsMax()) {
      inFlight.decrementAndGet();
      return CompletableFuture.failedFuture(
          new LuciolaException(
              ErrorCode.OVERLOADED,
              "call: too many in flight: address=" + address + " callsMax=" + options.callsMax()));
    }
    long id = nextId.getAndIncrement();
    ByteBuffer head;
    try {
      head = FrameCodec.encode(id, request, tickets.of(request));
    } catch (LuciolaException e) {
      inFlight.decrementAndGet();
      throw e;
    }
    var call =
        new CallInFlight<>(
            id, replyType, head, parts, destination, System.nanoTime() + timeout.toNanos());
    unsent.add(call);
    wake();
    return call.future;
  }

  private static List<ReplyBody.Part> checkedParts(Request request, List<MemorySegment> payload) {
    var parts = new ArrayList<ReplyBody.Part>(payload.size());
    long bytes = 0;
    for (MemorySegment segment : payload) {
      parts.add(new ReplyBody.Memory(segment));
      bytes += segment.byteSize();
    }
    if (bytes != FrameCodec.payloadBytes(request)) {
      throw new IllegalArgumentException(
          "call: payload does not fit the request: bytes=" + bytes + " request=" + request);
    }
    return parts;
  }

  private void wake() {
    if (!sending.compareAndSet(false, true)) {
      return;
    }
    Channel to = channel;
    try {
      if (to == null) {
        throw new RejectedExecutionException("not connected");
      }
      to.eventLoop().execute(this::send);
    } catch (RejectedExecutionException e) {
      sending.set(false);
      for (CallInFlight<?> call = unsent.poll(); call != null; call = unsent.poll()) {
        finish(call, null, lost("event loops are closed", e));
      }
    }
  }

  private void send() {
    sending.set(false);
    Channel to = channel;
    boolean written = false;
    for (CallInFlight<?> call = unsent.poll(); call != null; call = unsent.poll()) {
      if (to == null || broken != null || !to.isActive()) {
        finish(call, null, lostFor(call));
        continue;
      }
      calls.put(call.id, call);
      CallInFlight<?> sent = call;
      Outbox.write(to, call.head, call.payload)
          .addListener((Future<? super Void> done) -> sent.isSent = done.isSuccess());
      written = true;
    }
    if (written && to != null) {
      to.flush();
      tickLater(to);
    }
  }

  private void tickLater(Channel to) {
    if (!ticking && !calls.isEmpty()) {
      ticking = true;
      Future<?> _ = to.eventLoop().schedule(this::tick, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** Fails what is past its time. */
  private void tick() {
    ticking = false;
    long now = System.nanoTime();
    var late = new ArrayList<CallInFlight<?>>();
    for (CallInFlight<?> call : calls.values()) {
      if (now - call.deadlineNanos >= 0) {
        late.add(call);
      }
    }
    for (CallInFlight<?> call : late) {
      expire(call);
    }
    Channel to = channel;
    if (to != null) {
      tickLater(to);
    }
  }

  private void expire(CallInFlight<?> call) {
    if (calls.remove(call.id) == null) {
      return; // failed with the connection a moment ago
    }
    var timedOut =
        new LuciolaException(
            ErrorCode.TIMED_OUT,
            "call: no reply in time: address=" + address + " requestId=" + call.id);
    if (call.isSent) {
      receiver.abandonPayload(call.id);
    } else {
      // Its payload is still in the channel's queue and the caller wants that memory back.
      breakOff(lost("a request could not be sent in time", null));
    }
    finish(call, null, timedOut);
  }

  @Override
  public List<MemorySegment> place(FramePrefix prefix, Frame frame) {
    CallInFlight<?> call = calls.get(prefix.requestId());
    if (call == null) {
      return List.of();
    }
    Reply reply = checkedReply(call, frame);
    List<MemorySegment> places = call.destination.place(reply, prefix.payloadBytes());
    long bytes = 0;
    for (MemorySegment place : places) {
      if (!place.isNative() || place.isReadOnly()) {
        throw new LuciolaException(
            ErrorCode.INVALID_ARGUMENT, "receive reply: destination is not writable native memory");
      }
      bytes += place.byteSize();
    }
    if (bytes != prefix.payloadBytes()) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "receive reply: payload does not fit its destination: address="
              + address
              + " requestId="
              + prefix.requestId()
              + " payloadBytes="
              + prefix.payloadBytes()
              + " destinationBytes="
              + bytes);
    }
    return places;
  }

  @Override
  public void arrived(FramePrefix prefix, Frame frame, int bytes) {
    CallInFlight<?> call = calls.get(prefix.requestId());
    if (call != null && frame instanceof Reply reply) {
      call.destination.arrived(reply, bytes);
    }
  }

  @Override
  public void received(FramePrefix prefix, Frame frame) {
    CallInFlight<?> call = calls.get(prefix.requestId());
    if (call != null) {
      Reply reply = checkedReply(call, frame);
      calls.remove(prefix.requestId());
      finish(call, reply, null);
    } else if (prefix.requestId() <= 0 || prefix.requestId() >= nextId.get()) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "receive reply: never asked: address=" + address + " requestId=" + prefix.requestId());
    }
  }

  private Reply checkedReply(CallInFlight<?> call, Frame frame) {
    if (!call.replyType.isInstance(frame)) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "receive reply: of another kind than asked: address="
              + address
              + " requestId="
              + call.id
              + " wanted="
              + call.replyType.getSimpleName()
              + " got="
              + frame.getClass().getSimpleName());
    }
    return (Reply) frame;
  }

  @Override
  public void broken(Throwable cause) {
    breakOff(
        cause instanceof LuciolaException known && known.code() == ErrorCode.MALFORMED_FRAME
            ? known
            : lost("receive", cause));
  }

  @Override
  public void gone() {
    breakOff(lost("closed", null));
  }

  /** Closes the channel and fails everything, on the event loop. */
  private void breakOff(LuciolaException cause) {
    if (broken == null) {
      broken = cause;
    }
    open = false;
    Channel to = channel;
    if (to != null) {
      Sockets.close(to);
    }
    var lost = new ArrayList<>(calls.values());
    calls.clear();
    for (CallInFlight<?> call : lost) {
      finish(call, null, lostFor(call));
    }
    wake();
    closed.complete(null);
  }

  private <R extends Reply> void finish(
      CallInFlight<R> call, @Nullable Reply reply, @Nullable LuciolaException failure) {
    inFlight.decrementAndGet();
    if (failure != null) {
      call.future.completeExceptionally(failure);
    } else {
      call.future.complete(call.replyType.cast(reply));
    }
  }

  private LuciolaException lostFor(CallInFlight<?> call) {
    LuciolaException cause = broken;
    ErrorCode code = cause == null ? ErrorCode.CONNECTION_LOST : cause.code();
    return new LuciolaException(code, "call: address=" + address + " requestId=" + call.id, cause);
  }

  private LuciolaException lost(String what, @Nullable Throwable cause) {
    String why = cause == null ? "" : " cause=" + cause.getMessage();
    return new LuciolaException(
        ErrorCode.CONNECTION_LOST, "connection: " + what + ": address=" + address + why, cause);
  }

  @Override
  public HelloReply peer() {
    HelloReply known = peer;
    if (known == null) {
      throw new IllegalStateException("no hello yet: address=" + address);
    }
    return known;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public int callsInFlight() {
    return inFlight.get();
  }

  @Override
  public CompletableFuture<Void> closed() {
    return closed.copy();
  }

  @Override
  public void close() {
    open = false;
    Channel to = channel;
    if (to != null) {
      Sockets.close(to);
    }
  }

  @Override
  public String toString() {
    return "DataClient[address=" + address + " open=" + open + "]";
  }

  /** One call; all but the future is of the event loop once it was sent. */
  private static final class CallInFlight<R extends Reply> {
    final long id;
    final Class<R> replyType;
    final ByteBuffer head;
    final List<ReplyBody.Part> payload;
    final ReplyPayload destination;
    final long deadlineNanos;
    final CompletableFuture<R> future = new CompletableFuture<>();
    boolean isSent;

    CallInFlight(
        long id,
        Class<R> replyType,
        ByteBuffer head,
        List<ReplyBody.Part> payload,
        ReplyPayload destination,
        long deadlineNanos) {
      this.id = id;
      this.replyType = replyType;
      this.head = head;
      this.payload = payload;
      this.destination = destination;
      this.deadlineNanos = deadlineNanos;
    }
  }
}

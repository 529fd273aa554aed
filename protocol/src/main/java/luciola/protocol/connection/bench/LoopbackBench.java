package luciola.protocol.connection.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.CopyCounter;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.DataClientOptions;
import luciola.protocol.connection.DataServer;
import luciola.protocol.connection.DataServerOptions;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.HelloVerifier;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.connection.ReplyBody;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;

/**
 * Reads over loopback through {@link DataClient} and {@link DataServer}, out of memory into memory,
 * beside a plain socket stream of the same machine and moment. Both ends are in this process, on
 * event loops of their own.
 */
public final class LoopbackBench {
  private static final ClusterId CLUSTER = new ClusterId(1);
  private static final int SOURCE_BYTES = 8 << 20;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Hello HELLO = new Hello(CLUSTER, Hello.PROTOCOL_VERSION, 1);

  private final long nanosEach;
  private final int socketBufferBytes;

  /**
   * Prepares a run.
   *
   * @param each duration of each measurement, after as long a warm-up
   * @param socketBufferBytes as in {@link DataClientOptions}
   */
  public LoopbackBench(Duration each, int socketBufferBytes) {
    this.nanosEach = each.toNanos();
    this.socketBufferBytes = socketBufferBytes;
  }

  /**
   * Prints the figures.
   *
   * @param args milliseconds of each measurement (default 1000), bytes of the sockets' buffers
   *     (default 0: the kernel's choice)
   */
  public static void main(String[] args) throws Exception {
    int millis = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
    int buffers = args.length > 1 ? Integer.parseInt(args[1]) : 0;
    new LoopbackBench(Duration.ofMillis(millis), buffers).run(System.out);
  }

  /** Measures everything and prints a line for each. */
  public List<Measurement> run(PrintStream out) throws IOException, InterruptedException {
    var results = new ArrayList<Measurement>();
    out.printf(
        "load average %.2f, %d processors%n",
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
        Runtime.getRuntime().availableProcessors());
    Measurement limit = plainStream();
    results.add(limit);
    out.println(limit.line(limit));
    try (EventLoops serving = EventLoops.start("bench-server", 1);
        EventLoops calling = EventLoops.start("bench-client", 1);
        Arena arena = Arena.ofShared();
        PayloadPool pool = new PayloadPool(PayloadPool.BLOCK_BYTES_MAX);
        DataServer server = serve(serving, pool, arena.allocate(SOURCE_BYTES, 4096));
        DataClient client = connect(calling, server.port())) {
      for (Shape shape : Shape.ALL) {
        Measurement measured = measure(client, shape);
        results.add(measured);
        out.println(measured.line(limit));
      }
    }
    Measurement after = plainStream();
    results.add(after);
    out.println(after.line(limit));
    return results;
  }

  private Measurement plainStream() throws IOException {
    var stream = new PlainStream();
    Measurement _ = stream.measure("reno", 1 << 20, nanosEach / 2);
    return stream.measure("reno", 1 << 20, nanosEach);
  }

  static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  private DataServer serve(EventLoops loops, PayloadPool pool, MemorySegment source)
      throws IOException {
    DataServerOptions defaults = DataServerOptions.DEFAULTS;
    var options =
        new DataServerOptions(
            defaults.callsMax(),
            defaults.replyBytesMax(),
            defaults.payloadWait(),
            defaults.updatesPercent(),
            defaults.helloTimeout(),
            socketBufferBytes);
    source.fill((byte) 1);
    int[] checksums = Granules.checksums(0, source);
    return DataServer.bind(
        loops,
        options,
        "127.0.0.1",
        0,
        pool,
        HelloVerifier.ofCluster(CLUSTER, 1, 1),
        call -> answer(call, source, checksums));
  }

  /** Checksums are those kept with the chunk, as a storage-server has them. */
  private static void answer(Call call, MemorySegment source, int[] checksums) {
    if (!(call.request() instanceof ReadRequest read)) {
      call.reply(Reply.failure(call.request(), ErrorCode.UNSUPPORTED));
      return;
    }
    var results = new ArrayList<ReadReply.Result>(read.ranges().size());
    var parts = new ArrayList<MemorySegment>(read.ranges().size());
    for (ReadRequest.Range range : read.ranges()) {
      int length = range.length();
      int[] sums = new int[Granules.count(range.offset(), length)];
      System.arraycopy(checksums, range.offset() / Granules.BYTES, sums, 0, sums.length);
      results.add(
          new ReadReply.Result(ErrorCode.OK, new ChunkVersion(1), SOURCE_BYTES, length, sums));
      parts.add(source.asSlice(range.offset(), length));
    }
    call.reply(new ReadReply(ErrorCode.OK, results), ReplyBody.memory(parts, () -> {}));
  }

  private DataClient connect(EventLoops loops, int port) {
    DataClientOptions defaults = DataClientOptions.DEFAULTS;
    var options =
        new DataClientOptions(
            defaults.connectTimeout(),
            defaults.callsMax(),
            defaults.connectionsPerServer(),
            defaults.backoffMin(),
            defaults.backoffMax(),
            socketBufferBytes);
    return DataClient.connect(loops, options, "127.0.0.1", port, HELLO).join();
  }

  private Measurement measure(DataClient client, Shape shape) throws InterruptedException {
    Measurement _ = readFor(client, shape, nanosEach);
    return readFor(client, shape, nanosEach);
  }

  private static Measurement readFor(DataClient client, Shape shape, long nanos)
      throws InterruptedException {
    try (Arena arena = Arena.ofShared()) {
      ReadRequest request = shape.request();
      var destinations = new ArrayList<ReplyPayload>();
      for (int i = 0; i < shape.inFlight; i++) {
        destinations.add(ReplyPayload.scatter(shape.destinations(arena)));
      }
      var free = new java.util.concurrent.ArrayBlockingQueue<>(shape.inFlight, false, destinations);
      var failure = new AtomicReference<Throwable>();
      var done = new Semaphore(0);
      long copied = CopyCounter.copiedBytes();
      long cpu = cpuNanos();
      long start = System.nanoTime();
      int begun = 0;
      while (System.nanoTime() - start < nanos && failure.get() == null) {
        ReplyPayload destination = free.take();
        begun++;
        var _ =
            client
                .call(request, ReadReply.class, List.of(), destination, TIMEOUT)
                .whenComplete((_, thrown) -> {
                  if (thrown != null) {
                    failure.set(thrown);
                  }
                  free.add(destination);
                  done.release();
                });
      }
      if (!done.tryAcquire(begun, TIMEOUT.toSeconds(), TimeUnit.SECONDS) || failure.get() != null) {
        throw new IllegalStateException("bench read failed: shape=" + shape, failure.get());
      }
      long bytes = (long) begun * shape.bytes * shape.ranges;
      String copies = CopyCounter.copiedBytes() == copied ? "" : " (copied)";
      return new Measurement(
          shape.name() + copies,
          (long) begun * shape.ranges,
          bytes,
          System.nanoTime() - start,
          cpuNanos() - cpu);
    }
  }

  /** Reads of so many ranges of so many bytes, so many in flight. */
  private record Shape(int bytes, int ranges, int inFlight) {
    static final List<Shape> ALL =
        List.of(
            new Shape(4 << 20, 1, 1),
            new Shape(4 << 20, 1, 4),
            new Shape(1 << 20, 1, 1),
            new Shape(1 << 20, 1, 4),
            new Shape(1 << 20, 1, 16),
            new Shape(64 << 10, 1, 16),
            new Shape(4 << 10, 1, 1),
            new Shape(4 << 10, 1, 16),
            new Shape(4 << 10, 256, 4));

    String name() {
      String batch = ranges == 1 ? "" : " x " + ranges;
      return (bytes >> 10) + " KiB" + batch + ", " + inFlight + " in flight";
    }

    ReadRequest request() {
      var all = new ArrayList<ReadRequest.Range>();
      for (int i = 0; i < ranges; i++) {
        all.add(
            new ReadRequest.Range(
                new ChainId(1),
                new ChainVersion(1),
                new TargetId(1),
                new ChunkId(new InodeId(1), 0),
                i * bytes % SOURCE_BYTES,
                bytes));
      }
      return new ReadRequest(all);
    }

    List<MemorySegment> destinations(Arena arena) {
      var all = new ArrayList<MemorySegment>();
      for (int i = 0; i < ranges; i++) {
        all.add(arena.allocate(bytes, 4096));
      }
      return all;
    }
  }
}

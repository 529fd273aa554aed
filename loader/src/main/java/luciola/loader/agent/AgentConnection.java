package luciola.loader.agent;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.loader.dataset.Dataset;
import luciola.loader.dataset.TokenDataset;
import luciola.loader.order.LoaderPosition;
import luciola.loader.order.OrderPlan;
import luciola.loader.order.SampleOrder;
import luciola.loader.ring.RingLayout;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.BatchMessage;
import luciola.loader.slot.Fields;
import luciola.loader.slot.Replies;
import luciola.loader.slot.SharedRegion;
import luciola.loader.slot.SlotPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's side of one trainer. One thread receives and owns this object; it opens one region,
 * for a dataset, for file reads or for a ring, and gives everything back when the trainer closes,
 * dies or sends nonsense.
 *
 * <pre>
 *   new ── open ──► offered ── mapped ──► streaming
 *    ├─── attach ─► offered ── mapped ──► reading files
 *    └─── ring ───► offered ── mapped ──► serving a ring
 * </pre>
 */
final class AgentConnection {
  private static final Logger LOG = LoggerFactory.getLogger(AgentConnection.class);
  private static final int LIST_MAX = 4096;

  private final AgentConfiguration configuration;
  private final LuciolaFileSystem files;
  private final RegionBudget budget;
  private final AgentSocket socket;
  private final Transfers transfers = new Transfers();

  private @Nullable Feed feed;
  private @Nullable RingRequests ring;

  /** What a connection has once it has a region. */
  private static final class Feed {
    final SharedRegion region;
    final SlotPool slots;
    final long slotBytes;
    final @Nullable Dataset dataset;
    final @Nullable BatchPump pump;
    final @Nullable FileReads reads;
    boolean mapped;

    Feed(
        SharedRegion region,
        SlotPool slots,
        long slotBytes,
        @Nullable Dataset dataset,
        @Nullable BatchPump pump,
        @Nullable FileReads reads) {
      this.region = region;
      this.slots = slots;
      this.slotBytes = slotBytes;
      this.dataset = dataset;
      this.pump = pump;
      this.reads = reads;
    }
  }

  AgentConnection(
      AgentConfiguration configuration,
      LuciolaFileSystem files,
      RegionBudget budget,
      AgentSocket socket) {
    this.configuration = configuration;
    this.files = files;
    this.budget = budget;
    this.socket = socket;
  }

  TransferReport report() {
    return transfers.report();
  }

  /** Serves until the trainer is gone or {@link #close} is called. */
  void run() {
    try {
      Optional<AgentMessage> message = socket.receive();
      while (message.isPresent()) {
        handle(message.get());
        message = socket.receive();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (LuciolaException e) {
      LOG.info("trainer lost cause={}", e.getMessage());
      tellQuietly(e);
    } finally {
      giveBack();
    }
  }

  /** Ends {@link #run} from another thread. */
  void close() {
    socket.close();
  }

  private void tellQuietly(LuciolaException fault) {
    if (fault.code() == ErrorCode.CONNECTION_LOST) {
      return;
    }
    try {
      socket.send(new AgentMessage.Control(Replies.errorEvent(fault)));
    } catch (LuciolaException e) {
      LOG.debug("trainer is gone cause={}", e.getMessage());
    }
  }

  private void handle(AgentMessage message) {
    switch (message) {
      case AgentMessage.Control(ObjectNode request) -> control(request);
      case AgentMessage.Release(int slot, long sequence) -> release(slot, sequence);
      case BatchMessage _ ->
          throw new LuciolaException(
              ErrorCode.MALFORMED_FRAME, "receive: a trainer sends no batches");
    }
  }

  private void release(int slot, long sequence) {
    if (feed == null || !feed.slots.giveBack(slot, sequence)) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "release: the slot is not lent under that sequence: slot="
              + slot
              + " sequence="
              + sequence);
    }
  }

  private void control(ObjectNode request) {
    try {
      switch (Fields.text(request, "op")) {
        case "open" -> open(request);
        case "attach" -> attach(request);
        case "ring" -> ring(request);
        case "open-file", "close-file" -> ring().start(request);
        case "mapped" -> mapped();
        case "read-file" -> readFile(request);
        case "stat" -> stat(request);
        case "list" -> list(request);
        case "report" -> report(request);
        default ->
            throw new IllegalArgumentException(
                "unknown operation: op=" + request.path("op").asText());
      }
    } catch (LuciolaException | IllegalArgumentException e) {
      LOG.info("request refused op={} cause={}", request.path("op").asText(), e.getMessage());
      reply(Replies.failed(request, e));
    } catch (RuntimeException e) {
      LOG.warn("request failed op={}", request.path("op").asText(), e);
      reply(Replies.failed(request, e));
    }
  }

  private void reply(ObjectNode body) {
    socket.send(new AgentMessage.Control(body));
  }

  private void open(ObjectNode request) {
    requireFresh(request);
    DatasetRequest wanted = DatasetRequest.decode(request);
    Dataset dataset = Dataset.open(files, wanted.path(), wanted.sequenceTokens());
    try {
      open(request, wanted, dataset);
    } catch (RuntimeException e) {
      if (feed == null) {
        dataset.close();
      }
      throw e;
    }
  }

  private void open(ObjectNode request, DatasetRequest wanted, Dataset dataset) {
    if (dataset.samples() == 0) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "open dataset: it has no sample of this length: path="
              + wanted.path()
              + " tokens="
              + dataset.catalog().tokens()
              + " sequenceTokens="
              + wanted.sequenceTokens());
    }
    OrderPlan plan = new OrderPlan(dataset.fingerprint(), dataset.samples(), wanted.seed());
    SampleOrder order = new SampleOrder(plan, wanted.share());
    LoaderPosition from =
        order.resume(wanted.position().map(LoaderPosition::parse).orElse(plan.start()));
    SlotLayout layout = SlotLayout.of(dataset, wanted.batch(), configuration.slotBytesMax());
    SlotPool slots = slots(wanted.slots());
    SharedRegion region = region(layout.slotBytes(), wanted.slots());
    BatchPump pump =
        new BatchPump(
            files,
            dataset,
            order,
            from,
            wanted.epochs(),
            layout,
            region.memory(),
            slots,
            socket,
            transfers);
    feed = new Feed(region, slots, layout.slotBytes(), dataset, pump, null);
    ObjectNode body = offer(request, feed);
    body.put("kind", dataset.catalog().kind().label());
    body.put("type", dataset.catalog().type().label());
    body.put("samples", dataset.samples());
    body.put("rowElements", dataset instanceof TokenDataset tokens ? tokens.windowTokens() : 0);
    body.put("stepsPerEpoch", order.stepsPerEpoch());
    body.put("fingerprint", "%016x".formatted(dataset.fingerprint()));
    body.put("plan", "%016x".formatted(plan.fingerprint()));
    body.put("seed", plan.seed()).put("position", from.text());
    reply(body);
  }

  private void attach(ObjectNode request) {
    requireFresh(request);
    int count = Fields.integer(request, "slots", 4);
    long slotBytes = Fields.number(request, "slotBytes", 4 << 20);
    if (slotBytes < 4096 || slotBytes > configuration.slotBytesMax() || slotBytes % 4096 != 0) {
      throw new IllegalArgumentException(
          "slotBytes must be whole pages of 4096 up to "
              + configuration.slotBytesMax()
              + ": slotBytes="
              + slotBytes);
    }
    SlotPool slots = slots(count);
    SharedRegion region = region(slotBytes, count);
    FileReads reads =
        new FileReads(
            files,
            region.memory(),
            slots,
            slotBytes,
            configuration.requestsMax(),
            socket,
            transfers);
    feed = new Feed(region, slots, slotBytes, null, null, reads);
    reply(offer(request, feed));
  }

  private void requireFresh(ObjectNode request) {
    long protocol = Fields.number(request, "protocol");
    if (protocol != AgentMessage.PROTOCOL) {
      throw new LuciolaException(
          ErrorCode.UNSUPPORTED,
          "open: agent and trainer are of different versions: agent.protocol="
              + AgentMessage.PROTOCOL
              + " trainer.protocol="
              + protocol);
    }
    if (feed != null || ring != null) {
      throw new IllegalArgumentException("one connection opens one dataset; open another one");
    }
  }

  private SlotPool slots(int count) {
    if (count < 1 || count > configuration.slotsMax()) {
      throw new IllegalArgumentException(
          "slots must be 1 … " + configuration.slotsMax() + ": slots=" + count);
    }
    return new SlotPool(count);
  }

  private void ring(ObjectNode request) {
    requireFresh(request);
    RingLayout layout = RingRequests.layout(request, configuration.rings());
    SharedRegion region = region(layout.regionBytes());
    try {
      ring = new RingRequests(configuration.rings(), files, region, layout, socket, transfers);
    } catch (RuntimeException e) {
      region.close();
      budget.giveBack(layout.regionBytes());
      throw e;
    }
    reply(ring.offer(request));
  }

  private RingRequests ring() {
    if (ring == null) {
      throw new IllegalArgumentException("files are opened on a connection that has a ring");
    }
    return ring;
  }

  private SharedRegion region(long slotBytes, int slots) {
    return region(slotBytes * slots);
  }

  private SharedRegion region(long bytes) {
    budget.take(bytes);
    try {
      return SharedRegion.create(configuration.sharedMemory(), bytes);
    } catch (RuntimeException e) {
      budget.giveBack(bytes);
      throw e;
    }
  }

  private static ObjectNode offer(ObjectNode request, Feed feed) {
    ObjectNode body = Replies.ok(request);
    body.put("region", feed.region.path().toString());
    body.put("regionBytes", feed.region.memory().byteSize());
    body.put("slots", feed.slots.slots()).put("slotBytes", feed.slotBytes);
    return body;
  }

  private void mapped() {
    if (ring != null) {
      ring.mapped();
      return;
    }
    if (feed == null || feed.mapped) {
      throw new IllegalArgumentException("nothing is waiting to be mapped");
    }
    feed.mapped = true;
    feed.region.unlink();
    if (feed.pump != null) {
      feed.pump.start();
    }
  }

  private void readFile(ObjectNode request) {
    if (feed == null || !feed.mapped || feed.reads == null) {
      throw new IllegalArgumentException("files are read on a connection that has attached");
    }
    feed.reads.start(request);
  }

  private void stat(ObjectNode request) {
    FileStat stat = files.stat(Fields.text(request, "path"));
    ObjectNode body = Replies.ok(request);
    describe(body, stat);
    reply(body);
  }

  private void list(ObjectNode request) {
    List<DirectoryEntry> entries = files.list(Fields.text(request, "path"));
    String after = request.path("after").asText("");
    ObjectNode body = Replies.ok(request);
    ArrayNode names = body.putArray("entries");
    for (DirectoryEntry entry : entries) {
      // By bytes of the name, as the listing is ordered.
      if (!after.isEmpty() && compareBytes(entry.name(), after) <= 0) {
        continue;
      }
      if (names.size() == LIST_MAX) {
        body.put("more", true);
        break;
      }
      ObjectNode row = names.addObject().put("name", entry.name());
      describe(row, entry.stat());
    }
    reply(body);
  }

  private static int compareBytes(String left, String right) {
    return java.util.Arrays.compareUnsigned(
        left.getBytes(java.nio.charset.StandardCharsets.UTF_8),
        right.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static void describe(ObjectNode body, FileStat stat) {
    body.put("type", stat.type().name().toLowerCase(java.util.Locale.ROOT));
    body.put("length", stat.length()).put("mode", stat.mode());
    body.put("modifiedNanos", stat.modifiedNanos());
  }

  private void report(ObjectNode request) {
    TransferReport report = transfers.report();
    ObjectNode body = Replies.ok(request);
    body.put("batches", report.batches()).put("batchBytes", report.batchBytes());
    body.put("readNanos", report.readNanos()).put("slotWaitNanos", report.slotWaitNanos());
    body.put("fileBytes", report.fileBytes());
    reply(body);
  }

  private void giveBack() {
    socket.close();
    if (ring != null) {
      long bytes = ring.close();
      budget.giveBack(bytes);
      LOG.info("owner of a ring gone regionBytes={} {}", bytes, transfers.report());
    }
    if (feed == null) {
      return;
    }
    Feed had = feed;
    had.slots.close();
    boolean quiet = waitUntilQuiet(had);
    long bytes = had.region.memory().byteSize();
    if (quiet) {
      had.region.close();
      budget.giveBack(bytes);
    } else {
      had.region.unlink(); // something may still write to it: keep the memory and the debt
    }
    if (had.dataset != null) {
      had.dataset.close();
    }
    LOG.info(
        "trainer gone dataset={} regionBytes={} {}",
        had.dataset == null ? "none" : had.dataset.path(),
        bytes,
        transfers.report());
  }

  private static boolean waitUntilQuiet(Feed feed) {
    try {
      if (feed.pump != null && feed.mapped) {
        feed.pump.join();
      }
      if (feed.reads != null) {
        feed.reads.join();
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}

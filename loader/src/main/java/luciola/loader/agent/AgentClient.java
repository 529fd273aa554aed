package luciola.loader.agent;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import luciola.loader.order.LoaderPosition;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.BatchMessage;
import luciola.loader.slot.Replies;
import luciola.loader.slot.SharedRegion;
import luciola.loader.train.BatchSource;
import luciola.loader.train.TokenBatch;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * A trainer's side of the agent's socket: batches in shared memory, in the order of the plan. One
 * thread takes batches; any thread may close them.
 */
public final class AgentClient implements BatchSource {
  private final AgentSocket socket;
  private final SharedRegion region;
  private final long samples;
  private final long stepsPerEpoch;
  private final long planFingerprint;
  private final long seed;
  private final String startPosition;
  private final Deque<BatchMessage> early = new ArrayDeque<>();
  private final Set<AgentBatch> held = ConcurrentHashMap.newKeySet();
  private long waitNanos;
  private long requests;
  private boolean ended;
  private volatile boolean closed;

  private AgentClient(AgentSocket socket, SharedRegion region, ObjectNode opened) {
    this.socket = socket;
    this.region = region;
    this.samples = opened.path("samples").asLong();
    this.stepsPerEpoch = opened.path("stepsPerEpoch").asLong();
    this.planFingerprint = Long.parseUnsignedLong(opened.path("plan").asText(), 16);
    this.seed = opened.path("seed").asLong();
    this.startPosition = opened.path("position").asText();
  }

  /**
   * Opens a dataset at an agent. The agent starts to read ahead at once.
   *
   * @throws LuciolaException CONNECTION_LOST if no agent listens; what the agent found wrong with
   *     the request otherwise (NOT_FOUND, WRONG_POSITION, CORRUPT_DATA …)
   */
  public static AgentClient open(Path agentSocket, DatasetRequest request)
      throws InterruptedException {
    AgentSocket socket = AgentSocket.connect(agentSocket);
    try {
      ObjectNode body = request.encode();
      body.put("op", "open").put("id", 0).put("protocol", AgentMessage.PROTOCOL);
      socket.send(new AgentMessage.Control(body));
      ObjectNode opened = reply(socket);
      SharedRegion region =
          SharedRegion.open(
              Path.of(opened.path("region").asText()), opened.path("regionBytes").asLong());
      AgentClient client = new AgentClient(socket, region, opened);
      client.mapped();
      return client;
    } catch (RuntimeException | InterruptedException e) {
      socket.close();
      throw e;
    }
  }

  private void mapped() {
    try {
      socket.send(new AgentMessage.Control(AgentMessage.json().put("op", "mapped")));
    } catch (LuciolaException e) {
      region.close();
      throw e;
    }
  }

  private static ObjectNode reply(AgentSocket socket) throws InterruptedException {
    AgentMessage message = socket.receive().orElseThrow(AgentClient::gone);
    if (!(message instanceof AgentMessage.Control(ObjectNode body))) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME, "open dataset: the agent answered with something else");
    }
    if (!body.path("ok").asBoolean()) {
      throw Replies.fault(body);
    }
    return body;
  }

  private static LuciolaException gone() {
    return new LuciolaException(
        ErrorCode.CONNECTION_LOST, "next batch: the agent has closed the connection");
  }

  /** Samples of an epoch. */
  public long samples() {
    return samples;
  }

  /** Steps of a whole epoch with this number of ranks. */
  public long stepsPerEpoch() {
    return stepsPerEpoch;
  }

  /** The position at which this source started. */
  public String startPosition() {
    return startPosition;
  }

  /** Time that {@link #next} has waited for data so far. */
  public long waitNanos() {
    return waitNanos;
  }

  @Override
  public Optional<TokenBatch> next() throws InterruptedException {
    long started = System.nanoTime();
    try {
      return nextMessage().map(this::batch);
    } finally {
      waitNanos += System.nanoTime() - started;
    }
  }

  private Optional<BatchMessage> nextMessage() throws InterruptedException {
    if (!early.isEmpty()) {
      return Optional.of(early.remove());
    }
    while (!ended) {
      Optional<BatchMessage> batch = receive(socket.receive().orElseThrow(AgentClient::gone));
      if (batch.isPresent()) {
        return batch;
      }
    }
    return Optional.empty();
  }

  /** A batch, or empty for an event that was dealt with. */
  private Optional<BatchMessage> receive(AgentMessage message) {
    return switch (message) {
      case BatchMessage batch -> {
        batch.requireInside(region.memory().byteSize());
        yield Optional.of(batch);
      }
      case AgentMessage.Control(ObjectNode body) -> {
        switch (body.path("event").asText()) {
          case "end" -> ended = true;
          case "error" -> throw Replies.fault(body);
          default -> {
            // An event of a newer agent: not for us.
          }
        }
        yield Optional.empty();
      }
      case AgentMessage.Release _ ->
          throw new LuciolaException(
              ErrorCode.MALFORMED_FRAME, "receive: an agent releases nothing");
    };
  }

  private TokenBatch batch(BatchMessage message) {
    LoaderPosition after =
        new LoaderPosition(planFingerprint, seed, message.epochAfter(), message.samplesAfter());
    AgentBatch batch = new AgentBatch(message, region.memory(), after, this::release);
    held.add(batch);
    return batch;
  }

  private void release(AgentBatch batch) {
    held.remove(batch);
    if (!closed) {
      socket.send(new AgentMessage.Release(batch.message().slot(), batch.message().sequence()));
    }
  }

  /** Asks the agent what it has delivered to this trainer. */
  public TransferReport report() throws InterruptedException {
    long id = ++requests;
    ObjectNode request = AgentMessage.json().put("op", "report").put("id", id);
    socket.send(new AgentMessage.Control(request));
    while (true) {
      AgentMessage message = socket.receive().orElseThrow(AgentClient::gone);
      if (message instanceof AgentMessage.Control(ObjectNode body)
          && body.path("id").asLong(-1) == id) {
        return new TransferReport(
            body.path("batches").asLong(),
            body.path("batchBytes").asLong(),
            body.path("readNanos").asLong(),
            body.path("slotWaitNanos").asLong(),
            body.path("fileBytes").asLong());
      }
      receive(message).ifPresent(early::add);
    }
  }

  /** Ends the stream; the agent has the slots back. Batches not yet closed become invalid. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    ended = true;
    socket.close();
    // Their memory must end before the region's does: a late use then throws.
    held.forEach(AgentBatch::close);
    region.close();
  }
}

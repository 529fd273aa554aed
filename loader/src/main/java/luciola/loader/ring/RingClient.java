package luciola.loader.ring;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import luciola.client.OpenOptions;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.Replies;
import luciola.loader.slot.SharedRegion;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * The owner's side of a ring, in Java: what loader/c/luciola_ring.h is in C. One thread at a time
 * puts submissions in and takes completions; it should be a platform thread, because {@link #await}
 * blocks in the system. Files are opened and closed by any thread.
 */
public final class RingClient implements AutoCloseable {
  private final AgentSocket socket;
  private final SharedRegion region;
  private final RingOwner ring;
  private final Thread receiver;
  private final AtomicLong requests = new AtomicLong();
  private final Map<Long, CompletableFuture<ObjectNode>> asked = new ConcurrentHashMap<>();
  private volatile @Nullable LuciolaException lost;
  private boolean closed;

  private RingClient(AgentSocket socket, SharedRegion region, RingOwner ring) {
    this.socket = socket;
    this.region = region;
    this.ring = ring;
    this.receiver = Thread.ofVirtual().name("ring-owner").unstarted(this::receive);
  }

  /**
   * Asks an agent for a ring.
   *
   * @param entries most operations under way, a power of two
   * @param dataBytes memory for what is read and written, whole pages of 4096
   * @throws LuciolaException CONNECTION_LOST if no agent listens; OVERLOADED if it has no memory
   */
  public static RingClient open(Path agentSocket, int entries, long dataBytes)
      throws InterruptedException {
    AgentSocket socket = AgentSocket.connect(agentSocket);
    try {
      ObjectNode request = AgentMessage.json().put("op", "ring").put("id", 0);
      request.put("protocol", AgentMessage.PROTOCOL).put("layout", RingLayout.VERSION);
      request.put("entries", entries).put("dataBytes", dataBytes);
      socket.send(new AgentMessage.Control(request));
      ObjectNode reply = reply(socket);
      SharedRegion region =
          SharedRegion.open(
              Path.of(reply.path("region").asText()), reply.path("regionBytes").asLong());
      RingClient client =
          new RingClient(
              socket,
              region,
              RingOwner.of(
                  region.memory(),
                  Path.of(reply.path("submitPipe").asText()),
                  Path.of(reply.path("completePipe").asText())));
      socket.send(new AgentMessage.Control(AgentMessage.json().put("op", "mapped")));
      client.receiver.start();
      return client;
    } catch (RuntimeException | InterruptedException e) {
      socket.close();
      throw e;
    }
  }

  private static ObjectNode reply(AgentSocket socket) throws InterruptedException {
    AgentMessage message = socket.receive().orElseThrow(RingClient::gone);
    if (!(message instanceof AgentMessage.Control(ObjectNode body))) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME, "open ring: the agent answered with something else");
    }
    if (!body.path("ok").asBoolean()) {
      throw Replies.fault(body);
    }
    return body;
  }

  private static LuciolaException gone() {
    return new LuciolaException(
        ErrorCode.CONNECTION_LOST, "ring: the agent has closed the connection");
  }

  private void receive() {
    LuciolaException why = gone();
    try {
      Optional<AgentMessage> message = socket.receive();
      while (message.isPresent()) {
        if (message.get() instanceof AgentMessage.Control(ObjectNode body)) {
          if (body.path("event").asText().equals("error")) {
            why = Replies.fault(body);
          } else {
            answered(body);
          }
        }
        message = socket.receive();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (LuciolaException e) {
      why = e;
    }
    lost = why;
    LuciolaException reason = why;
    asked.values().forEach(each -> each.completeExceptionally(reason));
    ring.lost(why);
  }

  private void answered(ObjectNode body) {
    CompletableFuture<ObjectNode> waiting = asked.remove(body.path("id").asLong());
    if (waiting != null) {
      if (body.path("ok").asBoolean()) {
        waiting.complete(body);
      } else {
        waiting.completeExceptionally(Replies.fault(body));
      }
    }
  }

  private ObjectNode ask(ObjectNode request) {
    long id = requests.incrementAndGet();
    CompletableFuture<ObjectNode> answer = new CompletableFuture<>();
    asked.put(id, answer);
    LuciolaException before = lost;
    if (before != null) {
      throw before;
    }
    socket.send(new AgentMessage.Control(request.put("id", id)));
    try {
      return answer.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof LuciolaException fault ? fault : e;
    }
  }

  /** The ring's memory for data. */
  public MemorySegment data() {
    return ring.data();
  }

  /** Opens a file to read it. */
  public RingServer.Opened openRead(String path) {
    return opened(AgentMessage.json().put("op", "open-file").put("path", path));
  }

  /** Opens a file to write to it, and to read it where that is permitted. */
  public RingServer.Opened openWrite(String path, OpenOptions options) {
    ObjectNode request = AgentMessage.json().put("op", "open-file").put("path", path);
    request.put("write", true).put("create", options.create());
    request.put("exclusive", options.exclusive()).put("truncate", options.truncate());
    request.put("mode", options.mode()).put("chunkBytes", options.chunkBytes());
    return opened(request.put("stripe", options.stripe()));
  }

  private RingServer.Opened opened(ObjectNode request) {
    ObjectNode body = ask(request);
    return new RingServer.Opened(body.path("file").asInt(), body.path("length").asLong());
  }

  /** Waits for what is under way with a file, makes its writes durable and closes it. */
  public void closeFile(int file) {
    var _ = ask(AgentMessage.json().put("op", "close-file").put("file", file));
  }

  /** Operations put in whose completions were not taken. */
  public int underWay() {
    return ring.underWay();
  }

  /**
   * Puts one in, not yet for the agent to see; false if as many as there are entries are under way.
   */
  public boolean put(Submission submission) {
    return ring.put(submission);
  }

  /** Shows the agent what was put in, and wakes it if it sleeps. */
  public void submit() {
    ring.submit();
  }

  /** The next completion if there is one. */
  public Optional<Completion> take() {
    return ring.take();
  }

  /**
   * Waits until so many completions can be taken, or all that are under way if those are fewer.
   *
   * @return how many can be taken: fewer only when the time is over
   * @throws LuciolaException why the agent ended the ring, or CONNECTION_LOST if it is gone
   */
  public int await(int wanted, Duration timeout) {
    return ring.await(wanted, timeout);
  }

  /**
   * Ends the ring: the agent makes durable what was written and frees all. No file may be opened.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    socket.close();
    boolean interrupted = false;
    while (receiver.isAlive()) {
      try {
        receiver.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    ring.close();
    region.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

package luciola.loader.agent;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.loader.ring.RingConfiguration;
import luciola.loader.ring.RingLayout;
import luciola.loader.ring.RingServer;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.Fields;
import luciola.loader.slot.Replies;
import luciola.loader.slot.SharedRegion;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the owner of a ring asks for over the socket: each opening and closing of a file on its own
 * virtual thread, a bounded number at once, answered as they finish.
 */
final class RingRequests {
  private static final Logger LOG = LoggerFactory.getLogger(RingRequests.class);
  private static final int MODE_DEFAULT = 0644;
  private static final int MODE_MAX = 07777;

  private final RingConfiguration configuration;
  private final RingLayout layout;
  private final SharedRegion region;
  private final AgentSocket socket;
  private final RingServer ring;
  private final Semaphore places;
  private final Phaser running = new Phaser(1);
  private boolean mapped;

  RingRequests(
      RingConfiguration configuration,
      LuciolaFileSystem files,
      SharedRegion region,
      RingLayout layout,
      AgentSocket socket,
      Transfers transfers) {
    this.configuration = configuration;
    this.layout = layout;
    this.region = region;
    this.socket = socket;
    this.places = new Semaphore(configuration.requestsMax());
    this.ring =
        RingServer.create(configuration, files, region, layout, transfers.fileBytes, this::broken);
  }

  /** What an owner wants, checked. */
  static RingLayout layout(ObjectNode request, RingConfiguration configuration) {
    long version = Fields.number(request, "layout");
    if (version != RingLayout.VERSION) {
      throw new LuciolaException(
          ErrorCode.UNSUPPORTED,
          "ring: agent and owner are of different versions: agent.layout="
              + RingLayout.VERSION
              + " owner.layout="
              + version);
    }
    int entries = Fields.integer(request, "entries");
    if (entries > configuration.entriesMax()) {
      throw new IllegalArgumentException(
          "entries must be a power of two up to "
              + configuration.entriesMax()
              + ": entries="
              + entries);
    }
    return new RingLayout(entries, Fields.number(request, "dataBytes"));
  }

  ObjectNode offer(ObjectNode request) {
    ObjectNode body = Replies.ok(request);
    body.put("region", region.path().toString()).put("regionBytes", layout.regionBytes());
    body.put("submitPipe", ring.submitPipe().toString());
    body.put("completePipe", ring.completePipe().toString());
    body.put("layout", RingLayout.VERSION).put("entries", layout.entries());
    body.put("dataBytes", layout.dataBytes());
    body.put("operationBytesMax", configuration.operationBytesMax());
    return body.put("filesMax", configuration.filesMax());
  }

  void mapped() {
    if (mapped) {
      throw new IllegalArgumentException("nothing is waiting to be mapped");
    }
    mapped = true;
    ring.start();
  }

  void start(ObjectNode request) {
    if (!mapped) {
      throw new IllegalArgumentException("files are opened after the ring is mapped");
    }
    if (!places.tryAcquire()) {
      throw new LuciolaException(
          ErrorCode.OVERLOADED,
          "ring: too many requests in progress: requestsMax=" + configuration.requestsMax());
    }
    running.register();
    Thread.ofVirtual().name("agent-ring-file").start(() -> serve(request));
  }

  private void serve(ObjectNode request) {
    try {
      ObjectNode body;
      try {
        body = answer(request);
      } catch (LuciolaException | IllegalArgumentException e) {
        LOG.info("request refused op={} cause={}", request.path("op").asText(), e.getMessage());
        body = Replies.failed(request, e);
      } catch (RuntimeException e) {
        LOG.warn("request failed op={}", request.path("op").asText(), e);
        body = Replies.failed(request, e);
      }
      socket.send(new AgentMessage.Control(body));
    } catch (LuciolaException e) {
      LOG.debug("owner is gone cause={}", e.getMessage());
    } finally {
      places.release();
      running.arriveAndDeregister();
    }
  }

  private ObjectNode answer(ObjectNode request) {
    ObjectNode body = Replies.ok(request);
    if (request.path("op").asText().equals("close-file")) {
      ring.close(Fields.integer(request, "file"));
      return body;
    }
    String path = Fields.text(request, "path");
    RingServer.Opened opened =
        Fields.flag(request, "write")
            ? ring.openWrite(path, options(request))
            : ring.openRead(path);
    return body.put("file", opened.file()).put("length", opened.length());
  }

  private static OpenOptions options(ObjectNode request) {
    int mode = Fields.integer(request, "mode", MODE_DEFAULT);
    if ((mode & ~MODE_MAX) != 0) {
      throw new IllegalArgumentException("mode has bits that are no permissions: mode=" + mode);
    }
    return new OpenOptions(
        Fields.flag(request, "create"),
        Fields.flag(request, "exclusive"),
        Fields.flag(request, "truncate"),
        mode,
        Fields.integer(request, "chunkBytes", 0),
        Fields.integer(request, "stripe", 0));
  }

  /** On the ring's own thread: only this owner waits if it does not read what it is told. */
  private void broken(LuciolaException fault) {
    LOG.warn("ring ended cause={}", fault.getMessage());
    try {
      socket.send(new AgentMessage.Control(Replies.errorEvent(fault)));
    } catch (LuciolaException e) {
      LOG.debug("owner is gone cause={}", e.getMessage());
    } finally {
      socket.close();
    }
  }

  /** The owner is gone and the socket closed: frees all; returns the bytes of the region. */
  long close() {
    running.arriveAndAwaitAdvance();
    ring.close();
    return layout.regionBytes();
  }
}

package luciola.loader.agent;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.Fields;
import luciola.loader.slot.Replies;
import luciola.loader.slot.SlotPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads ranges of files into slots for a process that asks over the socket: each on its own virtual
 * thread, a bounded number at once, answered as they finish.
 */
final class FileReads {
  private static final Logger LOG = LoggerFactory.getLogger(FileReads.class);

  private final LuciolaFileSystem files;
  private final MemorySegment region;
  private final SlotPool slots;
  private final long slotBytes;
  private final AgentSocket socket;
  private final Transfers transfers;
  private final Semaphore places;
  private final Phaser running = new Phaser(1);

  FileReads(
      LuciolaFileSystem files,
      MemorySegment region,
      SlotPool slots,
      long slotBytes,
      int requestsMax,
      AgentSocket socket,
      Transfers transfers) {
    this.files = files;
    this.region = region;
    this.slots = slots;
    this.slotBytes = slotBytes;
    this.socket = socket;
    this.transfers = transfers;
    this.places = new Semaphore(requestsMax);
  }

  void start(ObjectNode request) {
    String path = Fields.text(request, "path");
    long offset = Fields.number(request, "offset");
    long length = Fields.number(request, "length");
    if (offset < 0 || length < 0 || length > slotBytes) {
      throw new IllegalArgumentException(
          "offset must not be negative and length 0 … slotBytes: path="
              + path
              + " offset="
              + offset
              + " length="
              + length
              + " slotBytes="
              + slotBytes);
    }
    if (!places.tryAcquire()) {
      throw new LuciolaException(
          ErrorCode.OVERLOADED, "read file: too many requests in progress: path=" + path);
    }
    running.register();
    Thread.ofVirtual().name("agent-file").start(() -> serve(request, path, offset, length));
  }

  /** Waits until no read touches the region; the slots must be closed. */
  void join() throws InterruptedException {
    running.awaitAdvanceInterruptibly(running.arrive());
  }

  private void serve(ObjectNode request, String path, long offset, long length) {
    try {
      Optional<SlotPool.Loan> loan = slots.take();
      if (loan.isPresent()) {
        answer(request, path, offset, length, loan.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (LuciolaException e) {
      LOG.debug("process is gone path={} cause={}", path, e.getMessage());
    } finally {
      places.release();
      running.arriveAndDeregister();
    }
  }

  private void answer(
      ObjectNode request, String path, long offset, long length, SlotPool.Loan loan) {
    ObjectNode body;
    try {
      body = read(request, path, offset, length, loan);
    } catch (RuntimeException e) {
      slots.giveBack(loan.slot(), loan.sequence());
      body = Replies.failed(request, e);
    }
    socket.send(new AgentMessage.Control(body));
  }

  private ObjectNode read(
      ObjectNode request, String path, long offset, long length, SlotPool.Loan loan) {
    long base = loan.slot() * slotBytes;
    try (ReadableFile file = files.openRead(path)) {
      long wanted = Math.min(length, Math.max(0, file.length() - offset));
      long got = wanted == 0 ? 0 : file.read(offset, region.asSlice(base, wanted)).join();
      transfers.fileBytes.add(got);
      ObjectNode body = Replies.ok(request);
      body.put("slot", loan.slot()).put("sequence", loan.sequence());
      body.put("offset", base).put("length", got).put("fileBytes", file.length());
      return body;
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException known ? known : e;
    }
  }
}

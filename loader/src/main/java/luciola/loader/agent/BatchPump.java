package luciola.loader.agent;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadRange;
import luciola.loader.dataset.Dataset;
import luciola.loader.dataset.RecordDataset;
import luciola.loader.dataset.SampleAddress;
import luciola.loader.dataset.TokenDataset;
import luciola.loader.order.LoaderPosition;
import luciola.loader.order.RankBatch;
import luciola.loader.order.SampleOrder;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.BatchMessage;
import luciola.loader.slot.Replies;
import luciola.loader.slot.SlotPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds one trainer. One thread takes free slots and starts the reads that fill them, as many at
 * once as there are slots; another waits for the reads in order, checks the samples and sends the
 * messages. The bytes go from the file system to their place in the batch; nothing here copies
 * them.
 *
 * <p>A fault ends the stream: the trainer is told after the batches before it.
 */
final class BatchPump {
  private static final Logger LOG = LoggerFactory.getLogger(BatchPump.class);
  private static final ValueLayout.OfLong U64 = JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private final LuciolaFileSystem files;
  private final Dataset dataset;
  private final SampleOrder order;
  private final long epochsMax;
  private final SlotLayout layout;
  private final MemorySegment region;
  private final SlotPool slots;
  private final AgentSocket socket;
  private final Transfers transfers;
  private final LinkedBlockingQueue<Step> started;
  private final Thread reader;
  private final Thread sender;

  /** What the sender finds in the queue. */
  private sealed interface Step {
    record Filled(
        RankBatch batch,
        List<SampleAddress> addresses,
        BatchMessage message,
        CompletableFuture<Void> read,
        long startedNanos)
        implements Step {}

    record Failed(Throwable fault) implements Step {}

    record End() implements Step {}
  }

  BatchPump(
      LuciolaFileSystem files,
      Dataset dataset,
      SampleOrder order,
      LoaderPosition from,
      long epochsMax,
      SlotLayout layout,
      MemorySegment region,
      SlotPool slots,
      AgentSocket socket,
      Transfers transfers) {
    this.files = files;
    this.dataset = dataset;
    this.order = order;
    this.epochsMax = epochsMax;
    this.layout = layout;
    this.region = region;
    this.slots = slots;
    this.socket = socket;
    this.transfers = transfers;
    // A step holds a slot, so there are never more than slots, an end and a fault.
    this.started = new LinkedBlockingQueue<>(slots.slots() + 2);
    this.reader = Thread.ofVirtual().name("agent-read-ahead").unstarted(() -> readAhead(from));
    this.sender = Thread.ofVirtual().name("agent-send").unstarted(this::send);
  }

  void start() {
    reader.start();
    sender.start();
  }

  /** Waits until nothing of this pump touches the region any more; the slots must be closed. */
  void join() throws InterruptedException {
    reader.join();
    sender.join();
  }

  private void readAhead(LoaderPosition from) {
    LoaderPosition at = from;
    try {
      while (epochsMax == 0 || at.epoch() < epochsMax) {
        long waited = System.nanoTime();
        Optional<SlotPool.Loan> loan = slots.take();
        transfers.slotWaitNanos.add(System.nanoTime() - waited);
        if (loan.isEmpty()) {
          break;
        }
        RankBatch batch = order.batchAt(at);
        started.put(start(batch, loan.get()));
        at = batch.after();
      }
      started.put(new Step.End());
    } catch (InterruptedException | RuntimeException | Error e) {
      // Whatever it is, the sender must learn that nothing more comes.
      started.add(new Step.Failed(e));
    }
  }

  private Step.Filled start(RankBatch batch, SlotPool.Loan loan) {
    long base = loan.slot() * layout.slotBytes();
    long[] samples = batch.samples();
    List<SampleAddress> addresses = new ArrayList<>(samples.length);
    List<ReadRange> ranges = new ArrayList<>(samples.length);
    boolean variable = dataset instanceof RecordDataset;
    long at = base;
    for (int row = 0; row < samples.length; row++) {
      SampleAddress address = dataset.address(samples[row]);
      addresses.add(address);
      region.set(U64, base + layout.idsAt() + 8L * row, samples[row]);
      if (variable) {
        region.set(U64, base + layout.rowStartsAt() + 8L * row, at - base);
      }
      if (address.bytes() > 0) {
        ranges.add(address.into(region.asSlice(at, address.bytes())));
      }
      at += address.bytes();
    }
    if (variable) {
      region.set(U64, base + layout.rowStartsAt() + 8L * samples.length, at - base);
    }
    BatchMessage message = message(batch, loan, base, at - base, variable);
    CompletableFuture<Void> read =
        ranges.isEmpty() ? CompletableFuture.completedFuture(null) : files.read(ranges);
    return new Step.Filled(batch, addresses, message, read, System.nanoTime());
  }

  private BatchMessage message(
      RankBatch batch, SlotPool.Loan loan, long base, long bytes, boolean variable) {
    int flags =
        (batch.endsEpoch() ? BatchMessage.LAST_OF_EPOCH : 0)
            | (variable ? BatchMessage.VARIABLE_ROWS : 0);
    int rowElements = dataset instanceof TokenDataset tokens ? tokens.windowTokens() : 0;
    return new BatchMessage(
        loan.sequence(),
        loan.slot(),
        flags,
        base,
        bytes,
        batch.samples().length,
        batch.valid(),
        rowElements,
        dataset.catalog().type().code(),
        batch.before().epoch(),
        batch.before().samplesDone(),
        batch.after().epoch(),
        batch.after().samplesDone(),
        base + layout.idsAt(),
        variable ? base + layout.rowStartsAt() : 0);
  }

  private void send() {
    try {
      while (true) {
        switch (started.take()) {
          case Step.Filled filled -> {
            if (!sent(filled)) {
              drain();
              return;
            }
          }
          case Step.Failed(Throwable fault) -> {
            tell(fault);
            return;
          }
          case Step.End() -> {
            sendQuietly(AgentMessage.json().put("event", "end"));
            return;
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean sent(Step.Filled filled) {
    try {
      finish(filled);
      socket.send(filled.message());
      return true;
    } catch (RuntimeException e) {
      slots.close();
      tell(e);
      return false;
    }
  }

  private void finish(Step.Filled filled) {
    try {
      filled.read().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException known ? known : e;
    }
    transfers.readNanos.add(System.nanoTime() - filled.startedNanos());
    long at = filled.message().dataOffset();
    for (int row = 0; row < filled.addresses().size(); row++) {
      SampleAddress address = filled.addresses().get(row);
      address.verify(region.asSlice(at, address.bytes()), filled.batch().samples()[row]);
      at += address.bytes();
    }
    transfers.batches.increment();
    transfers.batchBytes.add(filled.message().dataBytes());
  }

  private void tell(Throwable fault) {
    if (fault instanceof LuciolaException known && known.code() == ErrorCode.CONNECTION_LOST) {
      return; // the trainer has closed: nothing is wrong and nobody is there
    }
    LOG.warn("stream ended dataset={} cause={}", dataset.path(), fault.toString());
    sendQuietly(Replies.errorEvent(fault));
  }

  private void sendQuietly(ObjectNode event) {
    try {
      socket.send(new AgentMessage.Control(event));
    } catch (LuciolaException e) {
      LOG.debug("trainer is gone dataset={} cause={}", dataset.path(), e.getMessage());
    }
  }

  /** Reads that were started still write to the region: wait for them. */
  private void drain() throws InterruptedException {
    while (true) {
      switch (started.take()) {
        case Step.Filled filled -> filled.read().exceptionally(_ -> null).join();
        case Step.Failed _, Step.End _ -> {
          return;
        }
      }
    }
  }
}

package luciola.cli.soak.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Reads blocks one at a time, many at once, or as one stretch within a chunk, and compares each.
 * What is read of a file whose removal began meanwhile is thrown away.
 */
final class ReadWorker extends Worker {
  private static final int BATCH_BLOCKS_MAX = 32;

  /** A stretch of so many bytes travels as one piece, so that it is of one moment. */
  private static final int SPAN_BYTES_MAX = 1 << 20;

  private static final int BUFFER_BYTES = 4 << 20;

  private final LuciolaFileSystem files;
  private final List<Slot> slots;
  private final Pace pace;
  private final Verifier verifier;
  private final Map<Slot, Opened> open = new HashMap<>();
  private MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES);

  ReadWorker(
      int number,
      LuciolaFileSystem files,
      List<Slot> slots,
      Pace pace,
      LoadOptions options,
      Meter meter,
      Findings findings,
      RandomGenerator random,
      BooleanSupplier stopping) {
    super("reader-" + number, options, meter, findings, random, stopping);
    this.files = files;
    this.slots = slots;
    this.pace = pace;
    this.verifier = new Verifier(findings);
  }

  private record Opened(FileLedger ledger, ReadableFile file) {}

  /** A block and what its register said when its read began. */
  private record Expectation(int block, BlockRegister.Read read, MemorySegment into) {}

  @Override
  void step() throws InterruptedException {
    Slot slot = slots.get(random().nextInt(slots.size()));
    FileLedger ledger = slot.ledger().orElse(null);
    if (ledger == null || !ledger.live() || ledger.used() == 0) {
      pace.await(0);
      return;
    }
    ReadableFile file = opened(slot, ledger);
    if (file != null) {
      switch (random().nextInt(5)) {
        case 0 -> batch(ledger, file);
        case 1 -> span(ledger, file);
        default -> one(ledger, file);
      }
    }
    ended();
  }

  private @Nullable ReadableFile opened(Slot slot, FileLedger ledger) {
    Opened known = open.get(slot);
    if (known != null && known.ledger() == ledger && random().nextInt(16) != 0) {
      return known.file();
    }
    long started = begin(OperationKind.OPEN_READ, ledger.toString());
    try {
      ReadableFile file = files.openRead(ledger.path());
      if (ledger.live() && file.inode().value() != ledger.inode()) {
        findings()
            .add(
                "a name leads to its file",
                ledger.toString(),
                "inode=" + ledger.inode(),
                "inode=" + file.inode());
      }
      meter().done(OperationKind.OPEN_READ, started, 0, 0);
      open.put(slot, new Opened(ledger, file));
      return file;
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.NOT_FOUND) {
        meter().failed(OperationKind.OPEN_READ, e.code().name());
      } else if (ledger.live()) {
        findings().add("a made file is there", ledger.toString(), "opened", e.toString());
      }
      return null;
    }
  }

  private void one(FileLedger ledger, ReadableFile file) throws InterruptedException {
    int block = random().nextInt(ledger.used());
    pace.await(ledger.stride());
    read(OperationKind.READ_BLOCK, ledger, file, expect(ledger, List.of(block)));
  }

  private void batch(FileLedger ledger, ReadableFile file) throws InterruptedException {
    int count = Math.min(1 + random().nextInt(BATCH_BLOCKS_MAX), BUFFER_BYTES / ledger.stride());
    pace.await((long) count * ledger.stride());
    var blocks = new ArrayList<Integer>();
    for (int each = 0; each < count; each++) {
      blocks.add(random().nextInt(ledger.used()));
    }
    read(OperationKind.READ_BATCH, ledger, file, expect(ledger, blocks));
  }

  /** Neighbours, read by one call. */
  private void span(FileLedger ledger, ReadableFile file) throws InterruptedException {
    int perChunk = ledger.chunkBytes() / ledger.stride();
    int first = random().nextInt(ledger.used());
    int inChunk = first % perChunk;
    int count =
        Math.min(
            Math.min(perChunk - inChunk, ledger.used() - first),
            Math.max(1, SPAN_BYTES_MAX / ledger.stride()));
    pace.await((long) count * ledger.stride());
    var blocks = new ArrayList<Integer>();
    for (int each = 0; each < count; each++) {
      blocks.add(first + each);
    }
    read(OperationKind.READ_SPAN, ledger, file, expect(ledger, blocks));
  }

  private List<Expectation> expect(FileLedger ledger, List<Integer> blocks) {
    var expected = new ArrayList<Expectation>();
    long at = 0;
    for (int block : blocks) {
      expected.add(
          new Expectation(
              block, ledger.block(block).beginRead(), buffer.asSlice(at, ledger.stride())));
      at += ledger.stride();
    }
    return expected;
  }

  private void read(
      OperationKind kind, FileLedger ledger, ReadableFile file, List<Expectation> expected)
      throws InterruptedException {
    long started = begin(kind, ledger.toString());
    long length;
    try {
      length = file.refresh();
      switch (kind) {
        case READ_BATCH -> readRanges(ledger, file, length, expected);
        default -> readStretch(ledger, file, expected);
      }
    } catch (LuciolaException e) {
      expected.forEach(each -> ledger.block(each.block()).cancel(each.read()));
      boolean cutMeanwhile =
          e.code() == ErrorCode.INVALID_ARGUMENT && kind == OperationKind.READ_BATCH;
      if (ledger.live() && !cutMeanwhile) {
        meter().failed(kind, e.code().name());
      }
      return;
    }
    if (!ledger.live()) {
      expected.forEach(each -> ledger.block(each.block()).cancel(each.read()));
      return;
    }
    for (Expectation each : expected) {
      verifier.check(
          "reads are linearizable",
          ledger,
          each.block(),
          each.read(),
          each.into(),
          Math.clamp(length - ledger.place(each.block()).offset(), 0, ledger.stride()));
    }
    meter().done(kind, started, expected.size(), (long) expected.size() * ledger.stride());
  }

  private void readStretch(FileLedger ledger, ReadableFile file, List<Expectation> expected)
      throws InterruptedException {
    MemorySegment into = buffer.asSlice(0, (long) expected.size() * ledger.stride());
    long count = await(file.read(ledger.place(expected.getFirst().block()).offset(), into));
    into.asSlice(count).fill((byte) 0);
  }

  private void readRanges(
      FileLedger ledger, ReadableFile file, long length, List<Expectation> expected)
      throws InterruptedException {
    var ranges = new ArrayList<ReadRange>();
    for (Expectation each : expected) {
      long offset = ledger.place(each.block()).offset();
      long inFile = Math.clamp(length - offset, 0, each.into().byteSize());
      each.into().asSlice(inFile).fill((byte) 0);
      if (inFile > 0) {
        ranges.add(new ReadRange(file, offset, each.into().asSlice(0, inFile)));
      }
    }
    if (!ranges.isEmpty()) {
      await(files.read(ranges));
    }
  }

  private <T> T await(CompletableFuture<T> future) throws InterruptedException {
    try {
      return future.get(options().hangNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException failure) {
      throw fault(failure);
    } catch (TimeoutException never) {
      // Whoever still fills this memory may go on; nobody looks at it again.
      buffer = Arena.ofAuto().allocate(BUFFER_BYTES);
      findings()
          .add("an operation ends", about(), "an outcome", "none for " + options().hangNanos());
      throw new LuciolaException(ErrorCode.TIMED_OUT, "load: read never ended", never);
    }
  }

  @Override
  void end() {
    open.values().forEach(each -> each.file().close());
    open.clear();
  }
}

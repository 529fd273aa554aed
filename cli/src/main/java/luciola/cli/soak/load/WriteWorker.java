package luciola.cli.soak.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Makes, writes, appends to, cuts and removes files of its own, and writes its share of the blocks
 * of shared ones. Each step begins its operations in the registers, does them, waits until they are
 * durable, and acknowledges them.
 */
final class WriteWorker extends Worker {
  private static final int BATCH_BLOCKS_MAX = 8;
  private static final int[] CHUNKS = {64 << 10, 256 << 10, 1 << 20};
  private static final int[] STRIDES = {
    700, 4096, 5000, 16 << 10, 40_000, 64 << 10, 150_000, 256 << 10
  };

  private final LuciolaFileSystem files;
  private final List<Slot> own;
  private final List<Slot> shared;
  private final int share;
  private final AtomicLong fileNumbers;
  private final Pace pace;
  private final Map<FileLedger, WritableFile> open = new HashMap<>();
  private MemorySegment buffer = Arena.ofAuto().allocate(256 << 10);

  WriteWorker(
      int number,
      LuciolaFileSystem files,
      List<Slot> own,
      List<Slot> shared,
      AtomicLong fileNumbers,
      Pace pace,
      LoadOptions options,
      Meter meter,
      Findings findings,
      RandomGenerator random,
      BooleanSupplier stopping) {
    super("writer-" + number, options, meter, findings, random, stopping);
    this.files = files;
    this.own = own;
    this.shared = shared;
    this.share = number;
    this.fileNumbers = fileNumbers;
    this.pace = pace;
  }

  /** A file with a size of chunks and blocks that the random numbers choose. */
  static FileLedger newLife(
      String path, long file, LoadOptions options, RandomGenerator random, int stridesMin) {
    int chunkBytes = CHUNKS[random.nextInt(CHUNKS.length)];
    int stride;
    do {
      stride = STRIDES[random.nextInt(STRIDES.length)];
    } while (stride > chunkBytes || options.fileBytesMax() / stride < stridesMin);
    int perChunk = chunkBytes / stride;
    int chunks = Math.max(1, options.fileBytesMax() / chunkBytes);
    return new FileLedger(
        path, options.seed(), file, chunkBytes, stride, Math.min(chunks * perChunk, 2_000));
  }

  @Override
  void step() {
    boolean ofShared = !shared.isEmpty() && random().nextInt(4) == 0;
    Slot slot =
        ofShared
            ? shared.get(random().nextInt(shared.size()))
            : own.get(random().nextInt(own.size()));
    FileLedger ledger = slot.ledger().orElse(null);
    if (ledger == null || !ledger.live()) {
      if (!ofShared) {
        create(slot);
      }
      return;
    }
    int choice = random().nextInt(100);
    if (choice < 50 || (ofShared && choice < 90)) {
      write(OperationKind.WRITE, ledger, anyBlocks(ledger, ofShared));
    } else if (choice < 80) {
      append(ledger, ofShared);
    } else if (choice < 88) {
      truncate(ledger);
    } else if (choice < 92 && !ofShared) {
      remove(ledger);
    } else {
      reopen(ledger);
    }
    ended();
  }

  private void create(Slot slot) {
    FileLedger life = newLife(slot.path(), fileNumbers.incrementAndGet(), options(), random(), 4);
    slot.begin(life);
    long started = begin(OperationKind.CREATE, slot.path());
    if (create(life)) {
      meter().done(OperationKind.CREATE, started, 0, 0);
    }
    ended();
  }

  /** Makes the file and keeps it open; whether that worked. */
  private boolean create(FileLedger life) {
    var options = new OpenOptions(true, true, false, 0644, life.chunkBytes(), 0);
    boolean tried = false;
    while (true) {
      try {
        WritableFile file = files.openWrite(life.path(), options);
        open.put(life, file);
        life.made(file.inode());
        return true;
      } catch (LuciolaException e) {
        if (e.code() == ErrorCode.EXISTS && tried) {
          // An earlier try made it and its answer was lost.
          WritableFile there = reopenNow(life);
          if (there != null) {
            life.made(there.inode());
          }
          return there != null;
        }
        meter().failed(OperationKind.CREATE, e.code().name());
        if (e.code() == ErrorCode.EXISTS) {
          findings().add("a removed name is free", life.toString(), "created", e.toString());
          return false;
        }
        tried = true;
        if (slowerThan(options().giveUpNanos()) != null) {
          return false;
        }
      }
    }
  }

  private List<Integer> anyBlocks(FileLedger ledger, boolean ofShared) {
    int count = 1 + random().nextInt(BATCH_BLOCKS_MAX);
    int most = Math.min(ledger.blocksMax(), Math.max(8, ledger.used()));
    var blocks = new ArrayList<Integer>();
    if (random().nextBoolean()) {
      int first = random().nextInt(most);
      for (int block = first; block < Math.min(first + count, ledger.blocksMax()); block++) {
        blocks.add(block);
      }
    } else {
      for (int each = 0; each < count; each++) {
        blocks.add(random().nextInt(most));
      }
    }
    if (ofShared) {
      blocks.removeIf(block -> block % options().writers() != share);
    }
    return blocks;
  }

  private void append(FileLedger ledger, boolean ofShared) {
    int first = ofShared ? ledger.used() : endOf(ledger);
    int count = 1 + random().nextInt(BATCH_BLOCKS_MAX);
    var blocks = new ArrayList<Integer>();
    for (int block = first; block < Math.min(first + count, ledger.blocksMax()); block++) {
      if (!ofShared || block % options().writers() == share) {
        blocks.add(block);
      }
    }
    write(OperationKind.APPEND, ledger, blocks);
  }

  /** The first block that begins at or past the end. */
  private static int endOf(FileLedger ledger) {
    int block = 0;
    while (block < ledger.blocksMax() && ledger.place(block).offset() < ledger.length()) {
      block++;
    }
    return block;
  }

  private void write(OperationKind kind, FileLedger ledger, List<Integer> blocks) {
    WritableFile file = writable(ledger);
    if (blocks.isEmpty() || file == null) {
      return;
    }
    pace.await((long) blocks.size() * ledger.stride());
    long[] sequences = new long[blocks.size()];
    long end = 0;
    long started = begin(kind, ledger.toString());
    Outcome outcome = Outcome.DONE;
    for (int each = 0; each < sequences.length; each++) {
      int block = blocks.get(each);
      ledger.use(block);
      sequences[each] = ledger.block(block).beginWrite();
      BlockPlace place = ledger.place(block);
      MemorySegment bytes = buffer(place.bytes());
      BlockBytes.fill(bytes, place, new BlockValue.Written(sequences[each]));
      end = Math.max(end, ledger.end(block));
      if (outcome != Outcome.UNKNOWN) {
        outcome = insist(kind, () -> file.write(place.offset(), bytes));
      }
    }
    if (outcome != Outcome.UNKNOWN) {
      outcome = insist(kind, file::sync);
    }
    if (outcome == Outcome.UNKNOWN) {
      abandon(ledger, file, blocks, sequences);
      return;
    }
    ledger.raiseLength(end);
    for (int each = 0; each < sequences.length; each++) {
      ledger.block(blocks.get(each)).acknowledge(sequences[each]);
    }
    meter().done(kind, started, blocks.size(), (long) blocks.size() * ledger.stride());
  }

  /** What these operations did is not known. */
  private void abandon(
      FileLedger ledger, WritableFile file, List<Integer> blocks, long[] sequences) {
    for (int each = 0; each < sequences.length; each++) {
      ledger.block(blocks.get(each)).unknown(sequences[each]);
    }
    ledger.doubtLength();
    open.remove(ledger);
    try {
      file.close();
    } catch (LuciolaException e) {
      meter().failed(OperationKind.REOPEN, e.code().name());
    }
  }

  private void truncate(FileLedger ledger) {
    WritableFile file = writable(ledger);
    if (ledger.used() == 0 || file == null || shared.stream().anyMatch(holds(ledger))) {
      return;
    }
    pace.await(0);
    int block = random().nextInt(ledger.used());
    int keep = 0;
    if (random().nextBoolean() && ledger.block(block).certain()) {
      keep = random().nextInt(ledger.stride());
    }
    long started = begin(OperationKind.TRUNCATE, ledger.toString());
    var blocks = new ArrayList<Integer>();
    for (int each = block; each < ledger.used(); each++) {
      blocks.add(each);
    }
    long[] sequences = new long[blocks.size()];
    for (int each = 0; each < sequences.length; each++) {
      sequences[each] = ledger.block(blocks.get(each)).beginCut(each == 0 ? keep : 0);
    }
    long length = Math.min(ledger.length(), ledger.place(block).offset() + keep);
    if (insist(OperationKind.TRUNCATE, () -> file.truncate(length)) == Outcome.UNKNOWN) {
      abandon(ledger, file, blocks, sequences);
      return;
    }
    ledger.setLength(length);
    for (int each = 0; each < sequences.length; each++) {
      ledger.block(blocks.get(each)).acknowledge(sequences[each]);
    }
    meter().done(OperationKind.TRUNCATE, started, blocks.size(), 0);
  }

  private static java.util.function.Predicate<Slot> holds(FileLedger ledger) {
    return slot -> slot.ledger().filter(each -> each == ledger).isPresent();
  }

  private void remove(FileLedger ledger) {
    pace.await(0);
    close(ledger);
    long started = begin(OperationKind.REMOVE, ledger.toString());
    ledger.removing();
    boolean tried = false;
    while (true) {
      try {
        files.remove(ledger.path());
        meter().done(OperationKind.REMOVE, started, 0, 0);
        return;
      } catch (LuciolaException e) {
        if (e.code() == ErrorCode.NOT_FOUND) {
          if (!tried) {
            findings().add("a made file is there", ledger.toString(), "removed", e.toString());
          }
          return;
        }
        meter().failed(OperationKind.REMOVE, e.code().name());
        tried = true;
        if (slowerThan(options().giveUpNanos()) != null) {
          return;
        }
      }
    }
  }

  private void reopen(FileLedger ledger) {
    long started = begin(OperationKind.REOPEN, ledger.toString());
    close(ledger);
    if (reopenNow(ledger) != null) {
      meter().done(OperationKind.REOPEN, started, 0, 0);
    }
  }

  private @Nullable WritableFile writable(FileLedger ledger) {
    WritableFile file = open.get(ledger);
    return file == null ? reopenNow(ledger) : file;
  }

  private @Nullable WritableFile reopenNow(FileLedger ledger) {
    try {
      var _ =
          insist(
              OperationKind.REOPEN,
              () -> open.put(ledger, files.openWrite(ledger.path(), OpenOptions.EXISTING)));
    } catch (LuciolaException e) {
      findings().add("a made file is there", ledger.toString(), "opened", e.toString());
    }
    return open.get(ledger);
  }

  private void close(FileLedger ledger) {
    WritableFile file = open.remove(ledger);
    if (file == null) {
      return;
    }
    try {
      file.close();
    } catch (LuciolaException e) {
      meter().failed(OperationKind.REOPEN, e.code().name());
    }
  }

  private MemorySegment buffer(int bytes) {
    if (buffer.byteSize() < bytes) {
      buffer = Arena.ofAuto().allocate(bytes);
    }
    return buffer.asSlice(0, bytes);
  }

  @Override
  void end() {
    List.copyOf(open.keySet()).forEach(this::close);
  }
}

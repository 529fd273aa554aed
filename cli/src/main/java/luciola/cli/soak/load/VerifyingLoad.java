package luciola.cli.soak.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.error.LuciolaException;

/**
 * The load: writers and readers as threads over two clients, so that readers do not profit from
 * what writers know. Start, hurt the servers, stop, let everything recover, then {@link
 * #verifyAll}.
 */
public final class VerifyingLoad implements AutoCloseable {
  private static final long JOIN_MILLIS = TimeUnit.SECONDS.toMillis(360);

  private final LoadOptions options;
  private final Findings findings;
  private final Meter meter = new Meter(System::nanoTime);
  private final LuciolaFileSystem writing;
  private final LuciolaFileSystem reading;
  private final List<Slot> slots = new ArrayList<>();
  private final List<NameFolder> folders = new ArrayList<>();
  private final List<Worker> workers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopping;

  private VerifyingLoad(
      LoadOptions options, Supplier<? extends LuciolaFileSystem> clients, Findings findings) {
    this.options = options;
    this.findings = findings;
    this.writing = clients.get();
    this.reading = clients.get();
  }

  /**
   * Makes the root and starts all workers.
   *
   * @param clients gives a client of the same file system at each call; closed with the load
   */
  public static VerifyingLoad start(
      LoadOptions options, Supplier<? extends LuciolaFileSystem> clients, Findings findings) {
    var load = new VerifyingLoad(options, clients, findings);
    try {
      load.begin();
      return load;
    } catch (RuntimeException e) {
      load.close();
      throw e;
    }
  }

  private void begin() {
    writing.mkdirs(options.root());
    var random = new SplittableRandom(options.seed());
    var fileNumbers = new AtomicLong();
    var pace = new Pace(options.bytesPerSecond());
    List<Slot> shared = new ArrayList<>();
    for (int number = 0; number < options.sharedFiles(); number++) {
      shared.add(makeShared(number, fileNumbers.incrementAndGet(), random));
    }
    slots.addAll(shared);
    for (int number = 0; number < options.writers(); number++) {
      List<Slot> own = new ArrayList<>();
      for (int file = 0; file < options.filesPerWriter(); file++) {
        own.add(new Slot(options.root() + "/w" + number + "-" + file));
      }
      slots.addAll(own);
      workers.add(
          new WriteWorker(
              number,
              writing,
              own,
              shared,
              fileNumbers,
              pace,
              options,
              meter,
              findings,
              random.split(),
              () -> stopping));
    }
    for (int number = 0; number < options.readers(); number++) {
      workers.add(
          new ReadWorker(
              number,
              reading,
              List.copyOf(slots),
              pace,
              options,
              meter,
              findings,
              random.split(),
              () -> stopping));
    }
    beginNames(pace, random);
    int number = 0;
    for (Worker worker : workers) {
      threads.add(Thread.ofPlatform().name("load-" + number++).daemon().start(worker));
    }
  }

  private void beginNames(Pace pace, SplittableRandom random) {
    for (int number = 0; number < options.namers(); number++) {
      var folder = new NameFolder(options.root() + "/names-" + number);
      folders.add(folder);
      var worker =
          new NameWorker(
              number,
              writing,
              folder,
              pace,
              options,
              meter,
              findings,
              random.split(),
              () -> stopping);
      worker.prepare();
      workers.add(worker);
    }
    if (!folders.isEmpty()) {
      workers.add(
          new NameWatcher(
              0,
              reading,
              List.copyOf(folders),
              pace,
              options,
              meter,
              findings,
              random.split(),
              () -> stopping));
    }
  }

  private Slot makeShared(int number, long file, SplittableRandom random) {
    var slot = new Slot(options.root() + "/shared-" + number);
    FileLedger life =
        WriteWorker.newLife(slot.path(), file, options, random, 4 * options.writers());
    try (WritableFile made =
        writing.openWrite(
            slot.path(), new OpenOptions(true, true, false, 0644, life.chunkBytes(), 0))) {
      life.made(made.inode());
    }
    slot.begin(life);
    return slot;
  }

  public Meter meter() {
    return meter;
  }

  /** What is under way for longer than that, in words. */
  public List<String> slowerThan(long nanos) {
    return workers.stream()
        .map(worker -> Optional.ofNullable(worker.slowerThan(nanos)))
        .flatMap(Optional::stream)
        .toList();
  }

  /** Looks for operations that hang; each one that does is a violation. */
  public void checkHanging() {
    for (String hanging : slowerThan(options.hangNanos())) {
      findings.add("an operation ends", hanging, "an outcome", "none");
    }
  }

  /** A file's name and what is known of its place, for who looks at replicas by himself. */
  public record Life(String path, long inode, int chunks) {}

  /** The files that are there, when nobody removes any: after {@link #stop}. */
  public List<Life> lives() {
    return slots.stream()
        .map(Slot::ledger)
        .flatMap(Optional::stream)
        .filter(FileLedger::live)
        .map(ledger ->
            new Life(
                ledger.path(),
                ledger.inode(),
                ledger.used() == 0 ? 0 : ledger.chunkOf(ledger.used() - 1) + 1))
        .toList();
  }

  /** Blocks, any of all files that are there now. */
  public List<BlockAddress> anyBlocks(RandomGenerator random, int count) {
    List<FileLedger> live =
        slots.stream()
            .map(Slot::ledger)
            .flatMap(Optional::stream)
            .filter(each -> each.live() && each.used() > 0)
            .toList();
    var blocks = new ArrayList<BlockAddress>();
    for (int each = 0; each < count && !live.isEmpty(); each++) {
      FileLedger ledger = live.get(random.nextInt(live.size()));
      blocks.add(ledger.address(random.nextInt(ledger.used())));
    }
    return blocks;
  }

  /** Every block of every file; when nobody makes or removes files. */
  public List<BlockAddress> allBlocks() {
    var blocks = new ArrayList<BlockAddress>();
    for (Slot slot : slots) {
      FileLedger ledger = slot.ledger().orElse(null);
      if (ledger != null && ledger.live()) {
        for (int block = 0; block < ledger.used(); block++) {
          blocks.add(ledger.address(block));
        }
      }
    }
    return blocks;
  }

  /** Says of bytes that were read of a block what they are. */
  public String describe(BlockAddress address, MemorySegment bytes) {
    return live(address)
        .map(ledger ->
            BlockBytes.describe(
                bytes, ledger.place(address.block()), Arena.ofAuto().allocate(address.bytes())))
        .orElse("of a removed file");
  }

  private Optional<FileLedger> live(BlockAddress address) {
    return slots.stream()
        .map(Slot::ledger)
        .flatMap(Optional::stream)
        .filter(each -> each.live() && each.inode() == address.inode())
        .findFirst();
  }

  /** A read of one block that somebody makes by himself. */
  public interface DirectRead {
    /** The block's bytes came, zeros where there were none; whether they were right. */
    boolean got(MemorySegment bytes);

    /** They did not come. */
    void refused();
  }

  /** A direct read begins now; empty if the file was removed meanwhile. */
  public Optional<DirectRead> beginDirectRead(String rule, BlockAddress target) {
    return live(target)
        .map(ledger -> {
          BlockRegister.Read read = ledger.block(target.block()).beginRead();
          return new DirectRead() {
            @Override
            public boolean got(MemorySegment bytes) {
              if (!ledger.live()) {
                refused();
                return true;
              }
              return new Verifier(findings)
                  .check(rule, ledger, target.block(), read, bytes, bytes.byteSize());
            }

            @Override
            public void refused() {
              ledger.block(target.block()).cancel(read);
            }
          };
        });
  }

  /** Ends all workers; operations under way are waited for. */
  public void stop() {
    stopping = true;
    try {
      long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(JOIN_MILLIS);
      for (Thread thread : threads) {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left > 0) {
          thread.join(left);
        }
        if (thread.isAlive()) {
          findings.add("an operation ends", thread.getName(), "an outcome", "none at the end");
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Reads everything back, when all workers have ended.
   *
   * @param files number of files and blocks that were compared
   * @param doubtful blocks with an operation of unknown outcome, where more than one value is right
   */
  public record Verified(int files, long blocks, long bytes, long doubtful) {}

  /** Reads every block of every file through a client of its own. */
  public Verified verifyAll(LuciolaFileSystem files) {
    var verifier = new Verifier(findings);
    int lives = 0;
    long blocks = 0;
    long bytes = 0;
    long doubtful = 0;
    for (Slot slot : slots) {
      FileLedger ledger = slot.ledger().orElse(null);
      if (ledger == null || !ledger.live()) {
        continue;
      }
      lives++;
      try (ReadableFile file = files.openRead(ledger.path())) {
        checkLength(ledger, file);
        for (int block = 0; block < ledger.used(); block++) {
          blocks++;
          bytes += ledger.stride();
          doubtful += ledger.block(block).doubtful() ? 1 : 0;
          verifyBlock(verifier, ledger, file, block);
        }
      } catch (LuciolaException e) {
        findings.add("everything acknowledged is there", ledger.toString(), "read", e.toString());
      }
    }
    for (NameFolder folder : folders) {
      String differs = folder.difference(NameFolder.seen(files.list(folder.path())));
      if (!differs.isEmpty()) {
        findings.add(
            "everything acknowledged is there", folder.path(), "as the changes say", differs);
      }
    }
    return new Verified(lives, blocks, bytes, doubtful);
  }

  private void checkLength(FileLedger ledger, ReadableFile file) {
    if (file.inode().value() != ledger.inode()) {
      findings.add(
          "a name leads to its file",
          ledger.toString(),
          "inode=" + ledger.inode(),
          "inode=" + file.inode());
    }
    if (file.length() != ledger.length() && !ledger.lengthDoubtful()) {
      findings.add(
          "a file has its length",
          ledger.toString(),
          "length=" + ledger.length(),
          "length=" + file.length());
    }
  }

  private static void verifyBlock(
      Verifier verifier, FileLedger ledger, ReadableFile file, int block) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(ledger.stride());
      BlockRegister.Read read = ledger.block(block).beginRead();
      try {
        long count = file.read(ledger.place(block).offset(), into).join();
        into.asSlice(count).fill((byte) 0);
      } catch (RuntimeException e) {
        ledger.block(block).cancel(read);
        throw Worker.fault(e);
      }
      verifier.check(
          "everything acknowledged is there", ledger, block, read, into, ledger.stride());
    }
  }

  @Override
  public void close() {
    stop();
    writing.close();
    reading.close();
  }
}

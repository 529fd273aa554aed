package luciola.cli.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.cli.bench.BenchCase.Work;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ChunkRead;
import luciola.storage.engine.ChunkUpdate;
import luciola.storage.engine.Staged;
import luciola.storage.index.ChunkKey;

/**
 * The chunk engine alone: no network, no chain. Writes are chunks of one size, whole, in order or
 * anywhere, made durable and committed; reads are ranges of chunks of 4 MiB, brought into memory
 * and verified as a server or its client would.
 */
final class StorageLoad implements Load {
  private static final int CHUNK_BYTES = 4 << 20;
  private static final long TOTAL_BYTES = 1L << 30;
  private static final int WRITTEN_CHUNKS_MAX = 16 << 10;
  private static final ChainId CHAIN = new ChainId(1);

  private final ChunkEngine engine;
  private final BenchCase of;
  private final InodeId file;
  private final MemorySegment payload;
  private final int[] sums;
  private final int chunks;
  private final long[] versions;
  private final SplittableRandom random = new SplittableRandom(3);
  private int next;

  /**
   * @param file number of a file that the engine holds nothing of
   */
  StorageLoad(ChunkEngine engine, BenchCase of, int file) {
    this.engine = engine;
    this.of = of;
    this.file = new InodeId(file);
    boolean writes = of.work() == Work.STORAGE_WRITE;
    int chunkBytes = writes ? of.bytes() : Math.max(CHUNK_BYTES, of.bytes());
    this.chunks = (int) Math.min(WRITTEN_CHUNKS_MAX, TOTAL_BYTES / chunkBytes);
    this.versions = new long[chunks];
    this.payload = Arena.ofAuto().allocate(chunkBytes, 4096);
    payload.fill((byte) 5);
    this.sums = Granules.checksums(0, payload);
    if (!writes) {
      for (int i = 0; i < chunks; i++) {
        stage(key(i), new ChunkVersion(1), new Update.Replace(chunkBytes, false)).join();
      }
    }
  }

  private ChunkKey key(int chunk) {
    return new ChunkKey(CHAIN, new ChunkId(file, chunk));
  }

  private CompletableFuture<Staged> stage(ChunkKey key, ChunkVersion version, Update update) {
    boolean committed = update instanceof Update.Replace;
    return engine.stage(
        new ChunkUpdate(key, version, 1, update, payload, sums, Optional.empty(), committed));
  }

  @Override
  public long run(long untilNanos, Latencies latencies) {
    if (of.work() == Work.STORAGE_WRITE) {
      return write(untilNanos, latencies);
    }
    List<Writers.Job> readers = new ArrayList<>();
    for (int i = 0; i < of.depth(); i++) {
      readers.add(() -> read(untilNanos, latencies));
    }
    return Writers.together(readers);
  }

  private long write(long untilNanos, Latencies latencies) {
    Deque<CompletableFuture<?>> flying = new ArrayDeque<>();
    long done = 0;
    while (System.nanoTime() - untilNanos < 0) {
      if (flying.size() == of.depth()) {
        flying.remove().join();
      }
      int chunk = next();
      long start = System.nanoTime();
      var version = new ChunkVersion(++versions[chunk]);
      ChunkKey key = key(chunk);
      flying.add(
          stage(key, version, new Update.Write(0, of.bytes(), Math.max(of.bytes(), CHUNK_BYTES)))
              .thenAccept(staged -> {
                engine.commit(key, staged.version(), 1);
                latencies.add(System.nanoTime() - start);
              }));
      done++;
    }
    flying.forEach(CompletableFuture::join);
    return done;
  }

  private synchronized int next() {
    if (of.pattern() == Pattern.RANDOM) {
      return random.nextInt(chunks);
    }
    int at = next;
    next = (next + 1) % chunks;
    return at;
  }

  private synchronized int offset() {
    int slots = (int) (payload.byteSize() / of.bytes());
    return of.pattern() == Pattern.RANDOM
        ? random.nextInt(slots) * of.bytes()
        : next % slots * of.bytes();
  }

  private long read(long untilNanos, Latencies latencies) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(of.bytes(), 4096);
      long done = 0;
      for (long start = System.nanoTime(); start - untilNanos < 0; start = System.nanoTime()) {
        int offset = offset();
        try (ChunkRead read = engine.read(key(next()), new ChunkVersion(1), offset, of.bytes())) {
          receive(read, offset, into);
        }
        latencies.add(System.nanoTime() - start);
        done++;
      }
      return done;
    }
  }

  /** What its client would do with it. */
  private void receive(ChunkRead read, int offset, MemorySegment into) {
    MemorySegment bytes = into;
    switch (read) {
      case ChunkRead.InMemory memory -> bytes = memory.data();
      case ChunkRead.InFiles files -> {
        ByteBuffer buffer = into.asByteBuffer();
        files.ranges().forEach(each -> fill(buffer, each));
      }
    }
    if (read.dataBytes() != of.bytes()
        || Granules.firstMismatch(offset, bytes, read.checksums()) >= 0) {
      throw new IllegalStateException("bench read: bad bytes: offset=" + offset);
    }
  }

  private static void fill(ByteBuffer buffer, ChunkRead.FileRange range) {
    int start = buffer.position();
    buffer.limit(start + range.bytes());
    try {
      while (buffer.hasRemaining()
          && range.file().read(buffer, range.position() + buffer.position() - start) > 0) {
        // until all of it is there
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    buffer.limit(buffer.capacity());
  }

  @Override
  public void close() {
    // the folder goes with the engine
  }
}

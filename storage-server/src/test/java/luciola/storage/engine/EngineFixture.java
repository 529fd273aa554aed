package luciola.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.KeyValues;

/** Shorthand for tests of the engine. */
final class EngineFixture {
  static final ChainId CHAIN = new ChainId(3);
  static final int CHUNK_BYTES = 1 << 20;
  static final EngineConfig CONFIG =
      EngineConfig.DEFAULTS
          .change()
          .reserveBytes(0)
          .writeThreads(2)
          .waitingMax(256)
          .groupMax(64)
          .metadataCacheBytes(1 << 20)
          .recordCacheBytes(1 << 20)
          .scratchBytes(64 << 20)
          .fileRangeBytes(1 << 30)
          .compactBytesPerSecond(1L << 40)
          .idleSyncMillis(5)
          .patchesMax(8)
          .build();

  /** An engine that does nothing by itself while it is idle. */
  static final EngineConfig QUIET = CONFIG.change().idleSyncMillis(60_000).build();

  private EngineFixture() {}

  private static final PayloadPool SCRATCH = new PayloadPool(64 << 20);

  static ChunkEngine open(MemoryDisk disk, KeyValues store, ReplicaSource replicas)
      throws IOException {
    return ChunkEngine.open("t", parts(disk, store, replicas, EngineThreads.platform()));
  }

  static EngineParts parts(
      MemoryDisk disk, KeyValues store, ReplicaSource replicas, EngineThreads threads) {
    return parts(CONFIG, disk, store, replicas, threads);
  }

  static EngineParts parts(
      EngineConfig config,
      MemoryDisk disk,
      KeyValues store,
      ReplicaSource replicas,
      EngineThreads threads) {
    return new EngineParts(
        config,
        disk::open,
        () -> Long.MAX_VALUE / 2,
        store,
        threads,
        SCRATCH,
        replicas,
        System::nanoTime);
  }

  static EngineParts with(EngineParts parts, EngineConfig config) {
    return new EngineParts(
        config,
        parts.files(),
        parts.space(),
        parts.store(),
        parts.threads(),
        parts.scratch(),
        parts.replicas(),
        parts.nanos());
  }

  static ChunkKey chunk(int number) {
    return new ChunkKey(CHAIN, new ChunkId(new InodeId(7), number));
  }

  static ChunkVersion version(long number) {
    return new ChunkVersion(number);
  }

  static byte[] bytes(long seed, int length) {
    var bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static MemorySegment segment(byte[] bytes) {
    MemorySegment segment = Arena.ofAuto().allocate(Math.max(1, bytes.length));
    MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return segment.asSlice(0, bytes.length);
  }

  static ChunkUpdate update(
      ChunkKey chunk, long version, Update update, byte[] payload, Optional<UpdateTag> tag) {
    int offset = update instanceof Update.Write write ? write.offset() : 0;
    MemorySegment segment = segment(payload);
    return new ChunkUpdate(
        chunk,
        version(version),
        1,
        update,
        segment,
        Granules.checksums(offset, segment),
        tag,
        false);
  }

  static ChunkUpdate write(int chunk, long version, int offset, byte[] payload) {
    return update(
        chunk(chunk),
        version,
        new Update.Write(offset, payload.length, CHUNK_BYTES),
        payload,
        Optional.empty());
  }

  static ChunkUpdate plain(int chunk, long version, Update update) {
    return update(chunk(chunk), version, update, new byte[0], Optional.empty());
  }

  static ChunkUpdate copy(int chunk, long version, byte[] payload) {
    ChunkUpdate staged =
        update(
            chunk(chunk),
            version,
            new Update.Replace(payload.length, false),
            payload,
            Optional.empty());
    return new ChunkUpdate(
        staged.chunk(),
        staged.version(),
        staged.chainVersion(),
        staged.update(),
        staged.payload(),
        staged.checksums(),
        staged.tag(),
        true);
  }

  static Staged stage(ChunkEngine engine, ChunkUpdate update) {
    CompletableFuture<Staged> result = engine.stage(update);
    return result.join();
  }

  /** Reads and verifies as a client does. */
  static byte[] read(ChunkEngine engine, int chunk, long version, int offset, int length)
      throws IOException {
    try (ChunkRead read = engine.read(chunk(chunk), version(version), offset, length)) {
      MemorySegment data =
          switch (read) {
            case ChunkRead.InMemory memory -> memory.data();
            case ChunkRead.InFiles files -> {
              ByteBuffer buffer = ByteBuffer.allocateDirect(files.dataBytes());
              for (ChunkRead.FileRange range : files.ranges()) {
                int start = buffer.position();
                buffer.limit(start + range.bytes());
                while (buffer.hasRemaining()) {
                  long at = range.position() + buffer.position() - start;
                  assertTrue(range.file().read(buffer, at) > 0);
                }
              }
              assertEquals(files.dataBytes(), buffer.position());
              yield MemorySegment.ofBuffer(buffer.flip());
            }
          };
      assertEquals(-1, Granules.firstMismatch(offset, data, read.checksums()));
      return data.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** One other replica, which holds a chunk in one version, committed. */
  static ReplicaSource replicaWith(long held, byte[] data) {
    return _ ->
        List.of((_, version, offset, into) -> {
          if ((!version.equals(ChunkVersion.NONE) && version.value() != held)
              || offset + into.byteSize() > data.length) {
            return false;
          }
          into.copyFrom(MemorySegment.ofArray(data).asSlice(offset, into.byteSize()));
          return true;
        });
  }
}

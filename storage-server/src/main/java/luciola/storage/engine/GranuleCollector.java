package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collects the granules of one version of which some went bad. A granule is right if it has the
 * checksum that is stored here, wherever it comes from: from this version here, from another
 * version here or on another replica that has the same bytes there, or, if a pending version only
 * added to it, from its beginning in another version and what was added here. So what no replica
 * holds as a whole is still put together, and only what rotted everywhere is lost.
 */
final class GranuleCollector {
  private static final Logger log = LoggerFactory.getLogger(GranuleCollector.class);

  private final ChunkKey chunk;
  private final VersionRecord wanted;
  private final int committedBytes;
  private final MemorySegment bytes;
  private final MemorySegment spare;
  private final BitSet missing = new BitSet();

  /**
   * @param committed the committed version here, if there is one
   * @param memory room for the version and one granule; undefined before
   */
  GranuleCollector(
      ChunkKey chunk,
      VersionRecord wanted,
      @Nullable VersionRecord committed,
      MemorySegment memory) {
    this.chunk = chunk;
    this.wanted = wanted;
    this.committedBytes = committed == null ? 0 : committed.chunkBytes();
    this.bytes = memory.asSlice(0, wanted.chunkBytes());
    this.spare = memory.asSlice(wanted.chunkBytes(), Granules.BYTES);
    missing.set(0, wanted.granules().length);
  }

  boolean complete() {
    return missing.isEmpty();
  }

  /** Takes what is good here. What is bad stays too: what was added to bad bytes may be right. */
  void takeOwn(VersionReader reader) {
    missing.stream()
        .filter(granule -> isGood(wanted, granule, place(granule), reader))
        .forEach(missing::clear);
  }

  /** Takes what another version on this disk has alike. */
  void takeFrom(VersionRecord other, VersionReader reader) {
    missing.stream()
        .filter(granule -> isAlike(other, granule))
        .filter(granule -> isGood(other, granule, spare(granule), reader))
        .forEach(granule -> keep(granule, spare(granule)));
  }

  private boolean isAlike(VersionRecord version, int granule) {
    return granule < version.granules().length
        && version.granules()[granule] == wanted.granules()[granule]
        && version.granuleBytes(granule) == wanted.granuleBytes(granule);
  }

  private static boolean isGood(
      VersionRecord version, int granule, MemorySegment into, VersionReader reader) {
    try {
      return reader.isGood(version, granule, into);
    } catch (IOException _) {
      return false;
    }
  }

  /**
   * Takes the rest from other replicas: of the same version from each of them, then of those that
   * they have committed.
   *
   * @throws IOException if granules are missing after that
   */
  void takeFrom(List<ReplicaSource.Replica> replicas) throws IOException {
    List<ReplicaSource.Replica> reachable = new ArrayList<>(replicas);
    for (ChunkVersion version : List.of(wanted.version(), ChunkVersion.NONE)) {
      reachable.removeIf(replica -> !asked(replica, version));
    }
    if (!missing.isEmpty()) {
      throw new IOException(
          "no replica has good bytes: chunk="
              + chunk
              + " version="
              + wanted.version()
              + " granules="
              + missing
              + " asked="
              + reachable.size()
              + " of="
              + replicas.size());
    }
  }

  /** Whether it could be asked. */
  private boolean asked(ReplicaSource.Replica replica, ChunkVersion version) {
    try {
      for (int granule : missing.stream().toArray()) {
        take(replica, version, granule);
      }
      return true;
    } catch (IOException e) {
      log.warn("a replica could not be asked chunk={} version={}", chunk, wanted.version(), e);
      return false;
    }
  }

  private void take(ReplicaSource.Replica replica, ChunkVersion version, int granule)
      throws IOException {
    int from = granule * Granules.BYTES;
    MemorySegment into = spare(granule);
    if (replica.read(chunk, version, from, into) && keep(granule, into)) {
      return;
    }
    int old = Math.min(committedBytes - from, wanted.granuleBytes(granule));
    if (old > 0
        && old < into.byteSize()
        && replica.read(chunk, version, from, into.asSlice(0, old))) {
      MemorySegment.copy(place(granule), old, into, old, into.byteSize() - old);
      keep(granule, into);
    }
  }

  private boolean keep(int granule, MemorySegment found) {
    if (Granules.crc(found) != wanted.granules()[granule]) {
      return false;
    }
    place(granule).copyFrom(found);
    missing.clear(granule);
    return true;
  }

  private MemorySegment place(int granule) {
    return bytes.asSlice((long) granule * Granules.BYTES, wanted.granuleBytes(granule));
  }

  private MemorySegment spare(int granule) {
    return spare.asSlice(0, wanted.granuleBytes(granule));
  }

  /** The whole version, once it is complete. */
  MemorySegment bytes() {
    return bytes;
  }
}

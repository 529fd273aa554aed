package luciola.simulation.check;

import java.util.HashMap;
import java.util.Map;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/**
 * What a client sees is never older than what any client had seen, or had been told is done, before
 * it asked. Weaker than linearizability, but noticed on the spot; holds for every client together,
 * so for each of them (monotonic reads, and reads of its own writes) too.
 */
public final class VersionsGoForward {
  private static final String RULE = "VersionsGoForward";

  private final Map<ChunkId, Long> newest = new HashMap<>();

  /** An operation begins; gives what it must not fall behind. */
  public long called(ChunkId chunk) {
    return newest.getOrDefault(chunk, 0L);
  }

  /** A read saw a version. */
  public void read(ChunkId chunk, ChunkVersion version, long floor, String client) {
    if (version.value() < floor) {
      throw new RuleBroken(
          RULE,
          client + " read version " + version + " of chunk=" + chunk + ", known was " + floor);
    }
    newest.merge(chunk, version.value(), Math::max);
  }

  /** A client was told which version its update made: newer than what was there when it began. */
  public void acknowledged(ChunkId chunk, ChunkVersion version, long floor) {
    if (version.value() <= floor) {
      throw new RuleBroken(
          RULE,
          "an update made version " + version + " of chunk=" + chunk + ", known was " + floor);
    }
    newest.merge(chunk, version.value(), Math::max);
  }
}

package luciola.simulation.disk;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;
import luciola.storage.index.KeyValues;

/** Metadata: what reads see, and what survives a loss of power: a prefix of the writes. */
final class SimPairs {
  private static final byte DEDUP = 'D';

  private final World world;
  private final boolean syncs;
  private final boolean forgetsTags;
  private final TreeMap<byte[], byte[]> now = new TreeMap<>(Arrays::compareUnsigned);
  private final TreeMap<byte[], byte[]> durable = new TreeMap<>(Arrays::compareUnsigned);
  private final ArrayDeque<List<KeyValues.Change>> unsynced = new ArrayDeque<>();

  /**
   * @param syncs false: a write is said to be durable and is not, as a planted bug
   * @param forgetsTags true: dedup records are not found, as a planted bug
   */
  SimPairs(World world, boolean syncs, boolean forgetsTags) {
    this.world = world;
    this.syncs = syncs;
    this.forgetsTags = forgetsTags;
  }

  void losePower() {
    int kept = world.below(unsynced.size() + 1);
    if (kept < unsynced.size()) {
      world.met(Probe.UNSYNCED_METADATA_LOST);
    }
    while (kept-- > 0) {
      apply(unsynced.remove(), durable);
    }
    unsynced.clear();
    now.clear();
    now.putAll(durable);
  }

  private static void apply(List<KeyValues.Change> changes, Map<byte[], byte[]> to) {
    for (KeyValues.Change change : changes) {
      byte[] value = change.value();
      if (value == null) {
        to.remove(change.key());
      } else {
        to.put(change.key(), value);
      }
    }
  }

  /** The store as one life of a process has it. */
  KeyValues open(Power power) {
    return new Opened(now, power, false);
  }

  /** What a loss of power would leave at least; for looking only. */
  KeyValues durable(Power power) {
    return new Opened(durable, power, true);
  }

  private final class Opened implements KeyValues {
    private final NavigableMap<byte[], byte[]> pairs;
    private final Power power;
    private final boolean forLooking;

    Opened(NavigableMap<byte[], byte[]> pairs, Power power, boolean forLooking) {
      this.pairs = pairs;
      this.power = power;
      this.forLooking = forLooking;
    }

    private boolean hidden(byte[] key) {
      return forgetsTags && key[0] == DEDUP && !forLooking;
    }

    @Override
    public Optional<byte[]> get(byte[] key) {
      return hidden(key) ? Optional.empty() : Optional.ofNullable(pairs.get(key));
    }

    @Override
    public List<Pair> scan(byte[] from, byte[] to, int limit) {
      return hidden(from)
          ? List.of()
          : pairs.subMap(from, to).entrySet().stream()
              .limit(limit)
              .map(each -> new Pair(each.getKey(), each.getValue()))
              .toList();
    }

    @Override
    public void write(List<Change> changes, boolean sync) throws IOException {
      power.write();
      if (forLooking) {
        return;
      }
      List<Change> all = List.copyOf(changes);
      apply(all, now);
      unsynced.add(all);
      if (sync) {
        sync();
      }
    }

    @Override
    public void sync() throws IOException {
      power.write();
      while (syncs && !unsynced.isEmpty()) {
        apply(unsynced.remove(), durable);
      }
    }

    @Override
    public void close() {}
  }
}

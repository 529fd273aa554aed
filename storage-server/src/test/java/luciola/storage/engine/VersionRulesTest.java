package luciola.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.Patches;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class VersionRulesTest {
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int GRANULES = CHUNK_BYTES / Granules.BYTES;
  private static final BlockClass WHOLE = BlockClass.fitting(CHUNK_BYTES);

  private final Random random = new Random(3);
  private int blocks;
  private long versions;

  /** Whatever two records share, in whatever version, is neither freed nor named. */
  @Test
  void aChangeFreesAndNamesWhatOnlyOneOfItsRecordsHas() {
    int shared = 0;
    for (int round = 0; round < 20_000; round++) {
      ChunkRecord before = record(null);
      ChunkRecord after =
          switch (random.nextInt(5)) {
            case 0 -> record(null);
            case 1 -> ChunkRecord.NONE;
            case 2 -> VersionRules.staged(before, next(before.newest().orElse(null)));
            case 3 ->
                before.pending().isEmpty()
                    ? before
                    : VersionRules.committed(
                            before,
                            before.pending().get(random.nextInt(before.pending().size())).version(),
                            9)
                        .orElseThrow();
            default -> record(before);
          };
      assertEquals(without(before, after), asSet(VersionRules.freed(before, after)));
      assertEquals(without(after, before), asSet(VersionRules.named(before, after)));
      shared += before.blocks().stream().anyMatch(after.blocks()::contains) ? 1 : 0;
    }
    assertTrue(shared > 1_000, "shared: " + shared);
  }

  private static Set<BlockRef> asSet(List<BlockRef> list) {
    var set = new HashSet<>(list);
    assertEquals(list.size(), set.size(), "twice: " + list);
    return set;
  }

  private static Set<BlockRef> without(ChunkRecord one, ChunkRecord other) {
    var only = new HashSet<>(one.blocks());
    other.blocks().forEach(only::remove);
    return only;
  }

  /** One that builds on some version of another record, or on nothing. */
  private ChunkRecord record(@Nullable ChunkRecord from) {
    VersionRecord base = from == null ? null : from.versions().findFirst().orElse(null);
    VersionRecord committed = random.nextInt(6) == 0 ? null : next(base);
    List<VersionRecord> pending = new ArrayList<>();
    VersionRecord last = committed;
    for (int i = random.nextInt(3); i > 0; i--) {
      last = next(last);
      pending.add(last);
    }
    return new ChunkRecord(committed, pending);
  }

  /** A patch more, a moved block, all anew, or nothing. */
  private VersionRecord next(@Nullable VersionRecord base) {
    var version = new ChunkVersion(++versions);
    if (base == null || base.removed() || random.nextInt(6) == 0) {
      return random.nextInt(8) == 0
          ? VersionRecord.tombstone(version, 1)
          : at(version, new BlockRef(WHOLE, blocks++), Patches.NONE);
    }
    BlockRef block = base.blockIfAny().orElseThrow();
    if (random.nextInt(6) == 0) {
      BlockRef from = base.blocks().get(random.nextInt(base.blocks().size()));
      VersionRecord moved = base.moved(from, new BlockRef(from.blockClass(), blocks++));
      return moved.as(version, 1);
    }
    List<BlockRef> patches = new ArrayList<>();
    int count = 1 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      patches.add(new BlockRef(Patches.BLOCK_CLASS, blocks++));
    }
    return at(version, block, base.patches().with(random.nextInt(GRANULES - count + 1), patches));
  }

  private static VersionRecord at(ChunkVersion version, BlockRef block, Patches patches) {
    return new VersionRecord(
        version, 1, false, CHUNK_BYTES, block, patches, new int[GRANULES], Optional.empty());
  }
}

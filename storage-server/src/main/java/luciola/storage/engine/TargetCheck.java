package luciola.storage.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import luciola.protocol.id.ChainId;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.GroupImage;
import luciola.storage.index.ChainTotals;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.PendingEntry;
import luciola.storage.index.Tombstone;

/**
 * Reads every record and compares what follows from them with what is stored beside them: groups of
 * blocks, pending chunks, tombstones, totals. Nothing may be written meanwhile.
 */
final class TargetCheck {
  private static final int PAGE = 1024;
  private static final int PROBLEMS_MAX = 100;

  private final ChunkIndex index;
  private final List<String> problems = new ArrayList<>();
  private final Map<BlockClass, Map<Integer, long[]>> groups = new HashMap<>();
  private final Map<ChainId, ChainTotals> chains = new HashMap<>();
  private final Set<ChunkKey> pending = new TreeSet<>();
  private long records;
  private final long[] blocks = new long[BlockClass.COUNT];

  private TargetCheck(ChunkIndex index) {
    this.index = index;
  }

  static CheckReport run(ChunkIndex index) {
    var check = new TargetCheck(index);
    check.readRecords();
    check.compareGroups();
    check.comparePending();
    check.compareChains();
    long sum = 0;
    for (long count : check.blocks) {
      sum += count;
    }
    return new CheckReport(check.records, sum, check.problems);
  }

  private void problem(String words) {
    if (problems.size() < PROBLEMS_MAX) {
      problems.add(words);
    }
  }

  private void readRecords() {
    ChunkKey from = ChunkKey.first(new ChainId(1));
    List<ChunkIndex.Entry> page = index.chunks(from, PAGE);
    while (!page.isEmpty()) {
      page.forEach(this::read);
      Optional<ChunkKey> next = page.getLast().chunk().next();
      page = next.isPresent() ? index.chunks(next.get(), PAGE) : List.of();
    }
  }

  private void read(ChunkIndex.Entry entry) {
    records++;
    ChunkRecord record = entry.record();
    for (BlockRef block : record.blocks()) {
      long[] words =
          groups
              .computeIfAbsent(block.blockClass(), _ -> new HashMap<>())
              .computeIfAbsent(
                  block.index() / BlockClass.GROUP_BLOCKS, _ -> new long[GroupImage.WORDS]);
      int bit = block.index() % BlockClass.GROUP_BLOCKS;
      if ((words[bit / Long.SIZE] >>> bit & 1) != 0) {
        problem("two chunks in one block: block=" + block + " chunk=" + entry.chunk());
      }
      words[bit / Long.SIZE] |= 1L << bit;
      blocks[block.blockClass().number()]++;
    }
    if (!record.pending().isEmpty()) {
      pending.add(entry.chunk());
    }
    chains.merge(
        entry.chunk().chain(),
        ChainTotals.none(entry.chunk().chain()).changed(ChunkRecord.NONE, record),
        TargetCheck::sum);
  }

  private static ChainTotals sum(ChainTotals a, ChainTotals b) {
    return new ChainTotals(
        a.chain(),
        a.records() + b.records(),
        a.chunks() + b.chunks(),
        a.bytes() + b.bytes(),
        a.tombstones() + b.tombstones(),
        0);
  }

  private void compareGroups() {
    for (int number = 0; number < BlockClass.COUNT; number++) {
      var blockClass = new BlockClass(number);
      Map<Integer, long[]> expected = groups.getOrDefault(blockClass, Map.of());
      var seen = new HashSet<Integer>();
      List<GroupImage> page = index.groups(blockClass, 0, PAGE);
      while (!page.isEmpty()) {
        for (GroupImage group : page) {
          seen.add(group.group());
          long[] words = expected.getOrDefault(group.group(), new long[GroupImage.WORDS]);
          if (!group.equals(new GroupImage(blockClass, group.group(), words))) {
            problem("group of blocks is not what the records name: " + group);
          }
        }
        page = index.groups(blockClass, page.getLast().group() + 1, PAGE);
      }
      for (int group : expected.keySet()) {
        if (!seen.contains(group)) {
          problem("group of blocks is missing: class=" + number + " group=" + group);
        }
      }
      if (index.totals().blocks()[number] != blocks[number]) {
        problem("wrong number of blocks: class=" + number + " records=" + blocks[number]);
      }
    }
  }

  private void comparePending() {
    List<PendingEntry> page = index.pending(ChunkKey.first(new ChainId(1)), PAGE);
    while (!page.isEmpty()) {
      for (PendingEntry each : page) {
        if (!pending.remove(each.chunk())) {
          problem("noted as pending, but is not: chunk=" + each.chunk());
        }
      }
      Optional<ChunkKey> next = page.getLast().chunk().next();
      page = next.isPresent() ? index.pending(next.get(), PAGE) : List.of();
    }
    pending.forEach(chunk -> problem("pending, but not noted: chunk=" + chunk));
  }

  private void compareChains() {
    for (ChainTotals stored : index.chains()) {
      ChainTotals found = chains.remove(stored.chain());
      ChainTotals expected =
          (found == null ? ChainTotals.none(stored.chain()) : found).raised(stored.versionFloor());
      if (!stored.equals(expected)) {
        problem("totals of a chain do not fit: stored=" + stored + " records=" + expected);
      }
      compareTombstones(stored);
    }
    chains.values().forEach(each -> problem("totals of a chain are missing: " + each));
  }

  private void compareTombstones(ChainTotals chain) {
    long count = 0;
    List<Tombstone> page = index.tombstones(ChunkKey.first(chain.chain()), PAGE);
    while (!page.isEmpty()) {
      for (Tombstone each : page) {
        count++;
        ChunkRecord record = index.chunk(each.chunk());
        if (!ChainTotals.isTombstone(record)
            || record
                .committedIfAny()
                .filter(it -> it.version().equals(each.version()))
                .isEmpty()) {
          problem("noted as removed, but is not: " + each);
        }
      }
      Optional<ChunkKey> next = page.getLast().chunk().next();
      page = next.isPresent() ? index.tombstones(next.get(), PAGE) : List.of();
    }
    if (count != chain.tombstones()) {
      problem("wrong number of tombstones: noted=" + count + " " + chain);
    }
  }
}

package luciola.meta.namespace.quota;

import static luciola.meta.namespace.quota.LimitedTree.bytes;
import static luciola.meta.namespace.quota.LimitedTree.inodes;
import static luciola.meta.namespace.quota.LimitedTree.link;
import static luciola.meta.namespace.quota.LimitedTree.makeFile;
import static luciola.meta.namespace.quota.LimitedTree.mkdir;
import static luciola.meta.namespace.quota.LimitedTree.rename;
import static luciola.meta.namespace.quota.LimitedTree.truncate;
import static luciola.meta.namespace.quota.LimitedTree.unlink;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import luciola.grpc.v1.NamespaceFault;
import luciola.grpc.v1.NamespaceFinding;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.grpc.v1.StoredQuota;
import luciola.grpc.v1.StoredUsage;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.check.NamespaceCheck;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.UsageRecords;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Records of usage are made wrong past the operations, found, repaired and found no more. */
class UsageCheckTest {
  private static final byte QUOTA = 1;
  private static final byte USAGE = 2;

  private LimitedTree t = new LimitedTree();
  private long outer;
  private long inner;
  private long file;

  @BeforeEach
  void fill() {
    t = new LimitedTree();
    outer = t.ok(mkdir("/d")).getInode().getId();
    inner = t.ok(mkdir("/d/e")).getInode().getId();
    t.ok(mkdir("/other"));
    file = t.file("/d/e/f", 100);
    t.file("/d/g", 10);
    t.ok(link(file, "/other/f"));
    t.ok(link(file, "/other/g"));
    t.ok(bytes("/d", 1_000));
    assertEquals(List.of(), check());
  }

  private List<NamespaceFinding> check() {
    var found = new ArrayList<NamespaceFinding>();
    new NamespaceCheck(
            t.stored,
            3,
            1_000,
            _ -> true,
            new NamespaceCheck.Watcher() {
              @Override
              public void found(NamespaceFinding finding) {
                found.add(finding);
              }

              @Override
              public boolean goOn(long inodes, long names) {
                return true;
              }
            })
        .run();
    return found;
  }

  private void plant(Consumer<UsageRecords> damage) {
    var staged = new Staged(t.stored);
    damage.accept(Tree.changing(staged).usages().records());
    staged.copyTo(t.stored);
  }

  private StoredUsage usage(long directory) {
    return t.tree().usages().records().usage(directory).orElseThrow();
  }

  private void repair(List<NamespaceFinding> findings) {
    var staged = new Staged(t.stored);
    RepairNamespaceReply reply =
        Namespace.repair(
            RepairNamespaceRequest.newBuilder()
                .setRepairs(t.tree().counters().getRepairs())
                .addAllFindings(findings)
                .build(),
            10_000,
            staged);
    assertEquals("", reply.getMessage());
    assertTrue(reply.getRepairedList().stream().allMatch(done -> done), () -> "" + findings);
    staged.copyTo(t.stored);
  }

  /** As fsck does: until a check finds nothing. */
  private void mend(List<NamespaceFinding> first) {
    List<NamespaceFinding> found = first;
    for (int round = 0; round < 6 && !found.isEmpty(); round++) {
      repair(found);
      t.countAll(2);
      found = check();
    }
    assertEquals(List.of(), found);
    t.check("mended");
  }

  /** Finds faults of these kinds, and mends them. */
  private void isMended(NamespaceFault... expected) {
    List<NamespaceFinding> found = check();
    Set<NamespaceFault> kinds = new TreeSet<>();
    found.forEach(finding -> kinds.add(finding.getFault()));
    assertEquals(new TreeSet<>(List.of(expected)), kinds, () -> "" + found);
    mend(found);
  }

  private void add(long directory, long bytes, long inodes) {
    plant(records -> {
      StoredUsage usage = records.usage(directory).orElseThrow();
      records.putUsage(
          directory,
          usage.toBuilder()
              .setBytes(usage.getBytes() + bytes)
              .setInodes(usage.getInodes() + inodes)
              .build());
    });
  }

  @Test
  void wrongSumsAreMended() {
    add(inner, 55, 0);
    List<NamespaceFinding> found = check();
    assertEquals(
        List.of("" + outer + " 55 0", "" + inner + " -55 0"),
        found.stream()
            .map(each -> each.getInode() + " " + each.getDelta() + " " + each.getDeltaInodes())
            .toList());
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_USAGE);
    add(outer, -1_000, 7);
    add(inner, 3, -2);
    add(Tree.ROOT, 1, 1);
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_USAGE);
    assertEquals(110, usage(outer).getBytes());
  }

  @Test
  void sumsAreRightAfterARepairWhateverWasDoneSinceTheCheck() {
    add(inner, 500, 5);
    add(outer, -20, 0);
    List<NamespaceFinding> found = check();
    t.ok(makeFile("/d/e/new"));
    t.ok(rename("/d/e", "/other/e"));
    t.ok(unlink("/d/g"));
    repair(found);
    assertEquals(List.of(), check());
    t.check("repaired");
  }

  @Test
  void anEmptyDirectoryThatContainsSomethingIsMended() {
    long empty = t.ok(mkdir("/d/empty")).getInode().getId();
    add(empty, 10, 1);
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_USAGE);
  }

  @Test
  void placesThatAreMissingOrTooManyAreMended() {
    plant(records -> records.putNames(file, inner, 0));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE);
    plant(records -> records.putNames(file, outer, 3));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE);
    plant(records -> records.putNames(file, inner, 2));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE);
    plant(records -> records.putNames(4711, inner, 2));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE);
    t.ok(truncate(file, 200));
    t.check("cut");
  }

  @Test
  void aDirectoryThatIsCountedNowhereIsMended() {
    plant(records ->
        records.putUsage(
            inner, records.usage(inner).orElseThrow().toBuilder().setCountedIn(0).build()));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE);
    t.ok(truncate(file, 200));
    t.check("cut");
    assertEquals(210, usage(outer).getBytes());
  }

  private static byte[] key(byte kind, long directory) {
    return ByteBuffer.allocate(9).put(kind).putLong(directory).array();
  }

  @Test
  void missingRecordsAreCountedAnew() {
    t.stored.delete(Family.QUOTA, key(USAGE, inner));
    isMended(
        NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE, NamespaceFault.NAMESPACE_FAULT_WRONG_USAGE);
    t.stored.delete(Family.QUOTA, key(USAGE, Tree.ROOT));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE);
    assertEquals(110, usage(outer).getBytes());
  }

  @Test
  void quotasThatNobodyMindsAreMended() {
    plant(records -> records.putUsage(outer, usage(outer).toBuilder().setLimited(false).build()));
    t.ok(truncate(file, 5_000));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_QUOTA);
    t.no(ErrorCode.QUOTA_EXCEEDED, truncate(file, 6_000));
    plant(records -> records.putUsage(inner, usage(inner).toBuilder().setLimited(true).build()));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_QUOTA);
    t.stored.put(
        Family.QUOTA,
        key(QUOTA, 4711),
        StoredQuota.newBuilder().setBytes(1).setPath(ByteString.EMPTY).build().toByteArray());
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_QUOTA);
    assertEquals(1, t.tree().counters().getQuotas());
    assertEquals(
        List.of("/d"), t.show("/d").stream().map(q -> q.getPath().toStringUtf8()).toList());
  }

  @Test
  void whateverIsWrongIsMendedInTheEnd() {
    for (int seed = 1; seed <= 100; seed++) {
      fill();
      var random = new Random(seed);
      t.ok(inodes("/d/e", 100));
      for (int i = 0; i < 1 + random.nextInt(4); i++) {
        long directory = List.of(Tree.ROOT, outer, inner).get(random.nextInt(3));
        switch (random.nextInt(5)) {
          case 0 -> add(directory, random.nextInt(100) - 50, random.nextInt(10) - 5);
          case 1 -> plant(records -> records.putNames(file, directory, random.nextInt(3)));
          case 2 ->
              plant(records ->
                  records.putUsage(
                      inner, usage(inner).toBuilder().setCountedIn(directory).build()));
          case 3 ->
              plant(records ->
                  records.putUsage(
                      directory,
                      usage(directory).toBuilder().setLimited(random.nextBoolean()).build()));
          default ->
              plant(records ->
                  records.putUsage(
                      outer,
                      usage(outer).toBuilder().setName(ByteString.copyFromUtf8("x")).build()));
        }
      }
      List<NamespaceFinding> found = check();
      mend(found);
    }
  }
}

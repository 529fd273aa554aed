package luciola.meta.namespace.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.InspectInodesReply;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.NamespaceFault;
import luciola.grpc.v1.NamespaceFinding;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.grpc.v1.StoredSession;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.Truncate;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Sessions;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Broken state is written past the operations, found, repaired and found no more. */
class NamespaceCheckTest {
  private static final Optional<ChainTable> TABLE =
      Optional.of(new ChainTable(new ChainTableId(1), 1, List.of(new ChainId(1))));

  private final MemoryView stored = new MemoryView();
  private int windowInodes = 3;
  private long now = 1_000;
  private long sequence;

  @BeforeEach
  void format() {
    var staged = new Staged(stored);
    Namespace.format(staged, now);
    staged.copyTo(stored);
    mkdir("d");
    mkdir("d/e");
    create("d/f");
    create("d/e/g");
    mkdir("other");
    for (int i = 0; i < 10; i++) {
      create("other/" + i);
    }
    assertEquals(List.of(), check());
  }

  /** Something written past the operations. */
  private interface Damage {
    void to(Tree tree);
  }

  private void plant(Damage damage) {
    var staged = new Staged(stored);
    damage.to(Tree.changing(staged));
    staged.copyTo(stored);
  }

  private NamespaceReply apply(NamespaceRequest.Builder request) {
    var staged = new Staged(stored);
    NamespaceReply reply =
        Namespace.apply(
            request.setClientId(7).setSequence(++sequence).build(), ++now, TABLE, staged);
    staged.copyTo(stored);
    return reply;
  }

  private NamespaceReply ok(NamespaceRequest.Builder request) {
    NamespaceReply reply = apply(request);
    assertEquals("", reply.getMessage());
    return reply;
  }

  private static At at(String path) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
  }

  private static NamespaceRequest.Builder request() {
    return NamespaceRequest.newBuilder();
  }

  private long create(String path) {
    return ok(request().setCreate(Create.newBuilder().setAt(at(path)).setMode(0644)))
        .getInode()
        .getId();
  }

  private long mkdir(String path) {
    return ok(request().setMakeDirectory(MakeDirectory.newBuilder().setAt(at(path)).setMode(0755)))
        .getInode()
        .getId();
  }

  private void unlink(String path) {
    ok(request().setUnlink(Unlink.newBuilder().setAt(at(path))));
  }

  private void link(long inode, String path) {
    ok(request().setMakeLink(MakeLink.newBuilder().setInode(inode).setAt(at(path))));
  }

  private Optional<Inode> find(String path) {
    NamespaceReply reply =
        Namespace.read(request().setLookup(Lookup.newBuilder().setAt(at(path))).build(), stored);
    return reply.getCode() == 0 ? Optional.of(reply.getInode()) : Optional.empty();
  }

  private Inode inode(String path) {
    return find(path).orElseThrow(() -> new AssertionError("missing: " + path));
  }

  private List<NamespaceFinding> check() {
    var found = new ArrayList<NamespaceFinding>();
    new NamespaceCheck(
            stored,
            windowInodes,
            100,
            layout -> layout.getTableId() == 1,
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

  private List<NamespaceFault> faults() {
    return check().stream().map(NamespaceFinding::getFault).toList();
  }

  private RepairNamespaceReply repair(long repairs, List<NamespaceFinding> findings) {
    var staged = new Staged(stored);
    RepairNamespaceReply reply =
        Namespace.repair(
            RepairNamespaceRequest.newBuilder()
                .setRepairs(repairs)
                .addAllFindings(findings)
                .build(),
            ++now,
            staged);
    staged.copyTo(stored);
    return reply;
  }

  private long repairs() {
    return Tree.reading(stored).counters().getRepairs();
  }

  /** Finds exactly these, repairs them and finds nothing more. */
  private void isMended(NamespaceFault... expected) {
    List<NamespaceFinding> found = check();
    assertEquals(List.of(expected), found.stream().map(NamespaceFinding::getFault).toList());
    RepairNamespaceReply reply = repair(repairs(), found);
    assertEquals("", reply.getMessage());
    assertFalse(reply.getRepairedList().contains(false), () -> "not repaired: " + found);
    assertEquals(List.of(), check());
  }

  private void links(String path, int links) {
    Inode inode = inode(path);
    plant(tree -> tree.put(inode.toBuilder().setNlink(links).build()));
  }

  @Test
  void wrongLinksOfFilesAndDirectoriesAreMended() {
    link(inode("d/f").getId(), "other/f2");
    links("d/f", 5);
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_LINKS);
    assertEquals(2, inode("d/f").getNlink());
    links("d/f", 1);
    links("d", 9);
    isMended(
        NamespaceFault.NAMESPACE_FAULT_WRONG_LINKS, NamespaceFault.NAMESPACE_FAULT_WRONG_LINKS);
    assertEquals(2, inode("d/f").getNlink());
    assertEquals(3, inode("d").getNlink());
  }

  @Test
  void linksAreRightAfterARepairWhateverWasDoneSinceTheCheck() {
    long file = inode("d/f").getId();
    links("d/f", 4);
    links("d", 7);
    List<NamespaceFinding> found = check();
    link(file, "other/f2");
    link(file, "other/f3");
    unlink("d/f");
    mkdir("d/new");
    repair(repairs(), found);
    assertEquals(List.of(), check());
    assertEquals(2, inode("other/f2").getNlink());
    assertEquals(4, inode("d").getNlink());
  }

  @Test
  void aFileWhoseLastNameWentSinceTheCheckIsCollected() {
    links("d/f", 2);
    List<NamespaceFinding> found = check();
    long file = inode("d/f").getId();
    unlink("d/f");
    assertTrue(Tree.reading(stored).inode(file).isPresent());
    repair(repairs(), found);
    assertEquals(0, Tree.reading(stored).namedInode(file).getNlink());
    assertEquals(1, Tree.reading(stored).garbage(10, Long.MAX_VALUE, _ -> true).size());
    assertEquals(List.of(), check());
  }

  @Test
  void findingsOfAnOlderCheckAreRefused() {
    links("d/f", 4);
    List<NamespaceFinding> found = check();
    long repairs = repairs();
    repair(repairs, found);
    assertEquals(ErrorCode.STALE_HANDLE.number(), repair(repairs, found).getCode());
    assertEquals(1, inode("d/f").getNlink());
  }

  @Test
  void danglingNamesAreRemoved() {
    Inode directory = inode("d/e");
    plant(tree ->
        tree.putName(
            directory.getId(), ByteString.copyFromUtf8("x"), ghost(InodeType.INODE_TYPE_FILE)));
    isMended(NamespaceFault.NAMESPACE_FAULT_DANGLING_NAME);
    assertTrue(find("d/e/x").isEmpty());
    plant(tree ->
        tree.putName(
            directory.getId(),
            ByteString.copyFromUtf8("x"),
            ghost(InodeType.INODE_TYPE_DIRECTORY)));
    isMended(
        NamespaceFault.NAMESPACE_FAULT_WRONG_LINKS, NamespaceFault.NAMESPACE_FAULT_DANGLING_NAME);
    assertEquals(2, inode("d/e").getNlink());
  }

  /** What does not exist. */
  private static Inode ghost(InodeType type) {
    return Inode.newBuilder().setId(900).setType(type).build();
  }

  @Test
  void whatLostItsNameIsKeptInLostAndFound() {
    Inode file = inode("d/e/g");
    Inode directory = inode("other");
    plant(tree -> {
      tree.deleteDanglingName(inode("d/e").getId(), ByteString.copyFromUtf8("g"));
      tree.deleteDanglingName(Tree.ROOT, ByteString.copyFromUtf8("other"));
      tree.put(tree.namedInode(Tree.ROOT).toBuilder().setNlink(3).build());
    });
    isMended(
        NamespaceFault.NAMESPACE_FAULT_UNREACHABLE, NamespaceFault.NAMESPACE_FAULT_UNREACHABLE);
    assertEquals(file.getId(), inode("lost+found/inode-" + file.getId()).getId());
    assertEquals(inode("lost+found/inode-" + directory.getId() + "/3").getLayout().getTableId(), 1);
    assertEquals(0700, inode("lost+found").getMode());
  }

  @Test
  void aFileWithoutLinksAndSessionsIsCollectedButNotAnOpenOne() {
    Inode file = inode("d/f");
    long session =
        ok(request().setOpen(Open.newBuilder().setAt(at("d/f")).setWrite(true)))
            .getOpen()
            .getSession();
    unlink("d/f");
    assertEquals(List.of(), check());
    plant(tree -> tree.sessions().close(new Sessions.Key(file.getId(), 7, session)));
    isMended(NamespaceFault.NAMESPACE_FAULT_UNREACHABLE);
    assertEquals(0, Tree.reading(stored).namedInode(file.getId()).getNlink());
    assertEquals(1, Tree.reading(stored).garbage(10, Long.MAX_VALUE, _ -> true).size());
  }

  @Test
  void namesInAMissingDirectoryAreKept() {
    Inode directory = inode("d/e");
    Inode file = inode("d/e/g");
    plant(tree -> {
      tree.deleteDanglingName(inode("d").getId(), ByteString.copyFromUtf8("e"));
      tree.deleteInode(directory);
      tree.put(tree.namedInode(inode("d").getId()).toBuilder().setNlink(2).build());
    });
    isMended(NamespaceFault.NAMESPACE_FAULT_LOST_NAME);
    assertEquals(1, inode("lost+found/inode-" + file.getId()).getNlink());
  }

  @Test
  void detachedTreesAreNoFault() {
    ok(request().setRemoveTree(RemoveTree.newBuilder().setAt(at("d"))));
    assertEquals(List.of(), check());
    ok(request().setTakeGarbage(TakeGarbage.newBuilder().setLimit(1)));
    assertEquals(List.of(), check());
  }

  @Test
  void wrongTypesParentsAndSecondNamesAreMended() {
    Inode file = inode("d/f");
    Inode directory = inode("d/e");
    plant(tree ->
        tree.putName(
            inode("d").getId(),
            ByteString.copyFromUtf8("f"),
            file.toBuilder().setType(InodeType.INODE_TYPE_SYMLINK).build()));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_TYPE);
    plant(tree -> tree.put(directory.toBuilder().setParent(Tree.ROOT).build()));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_PARENT);
    assertEquals(inode("d").getId(), inode("d/e").getParent());
    plant(tree -> {
      tree.putName(inode("other").getId(), ByteString.copyFromUtf8("again"), directory);
      tree.put(tree.namedInode(inode("other").getId()).toBuilder().setNlink(3).build());
    });
    isMended(NamespaceFault.NAMESPACE_FAULT_SECOND_NAME);
    assertEquals(directory.getId(), inode("d/e").getId());
    assertTrue(find("other/again").isEmpty());
    plant(tree -> {
      tree.putName(inode("d").getId(), ByteString.copyFromUtf8("a"), directory);
      tree.put(tree.namedInode(inode("d").getId()).toBuilder().setNlink(4).build());
    });
    isMended(NamespaceFault.NAMESPACE_FAULT_SECOND_NAME);
  }

  @Test
  void sessionsGarbageAndTheCountAreMended() {
    Inode file = inode("d/f");
    Inode nobody = file.toBuilder().setId(900).build();
    plant(tree -> tree.openSession(nobody, 7, now, StoredSession.getDefaultInstance()));
    isMended(NamespaceFault.NAMESPACE_FAULT_LOST_SESSION);
    plant(tree -> tree.putGarbage(new Tree.Garbage(now, file)));
    isMended(NamespaceFault.NAMESPACE_FAULT_LIVING_GARBAGE);
    assertEquals(0, Tree.reading(stored).counters().getGarbage());
    unlink("d/f");
    Inode removed = Tree.reading(stored).namedInode(file.getId());
    assertEquals(List.of(), check());
    plant(tree -> tree.putGarbage(new Tree.Garbage(removed.getRemovedNanos() + 1, removed)));
    isMended(NamespaceFault.NAMESPACE_FAULT_LIVING_GARBAGE);
    plant(tree -> tree.forgetGarbage(new Tree.Garbage(removed.getRemovedNanos(), removed)));
    isMended(NamespaceFault.NAMESPACE_FAULT_UNREACHABLE);
    assertEquals(1, Tree.reading(stored).counters().getGarbage());
    plant(tree -> tree.count(tree.counters().setInodes(3)));
    isMended(NamespaceFault.NAMESPACE_FAULT_WRONG_COUNT);
  }

  @Test
  void aMissingChainTableIsSaidAndLeft() {
    Inode file = inode("d/f");
    plant(tree ->
        tree.put(file.toBuilder().setLayout(file.getLayout().toBuilder().setTableId(9)).build()));
    List<NamespaceFinding> found = check();
    assertEquals(9, found.getFirst().getTableId());
    assertEquals(List.of(false), repair(repairs(), found).getRepairedList());
    assertEquals(List.of(NamespaceFault.NAMESPACE_FAULT_NO_CHAIN_TABLE), faults());
  }

  @Test
  void moreFindingsThanWantedAreOnlyCounted() {
    for (int i = 0; i < 5; i++) {
      links("other/" + i, 9);
    }
    var told = new ArrayList<NamespaceFinding>();
    NamespaceCheck.Sums sums =
        new NamespaceCheck(
                stored,
                windowInodes,
                2,
                _ -> true,
                new NamespaceCheck.Watcher() {
                  @Override
                  public void found(NamespaceFinding finding) {
                    told.add(finding);
                  }

                  @Override
                  public boolean goOn(long inodes, long names) {
                    return true;
                  }
                })
            .run();
    assertEquals(2, told.size());
    assertEquals(new NamespaceCheck.Sums(16, 15, 5), sums);
  }

  @Test
  void aFileIsHeldForOneAlone() {
    long file = inode("d/f").getId();
    Open.Builder alone = Open.newBuilder().setAt(at("d/f")).setWrite(true).setAlone(true);
    long session =
        ok(request().setOpen(Open.newBuilder().setAt(at("d/f")).setWrite(true)))
            .getOpen()
            .getSession();
    assertEquals(ErrorCode.BAD_SESSION.number(), apply(request().setOpen(alone)).getCode());
    ok(request().setClose(Close.newBuilder().setInode(file).setSession(session)));
    long held = ok(request().setOpen(alone)).getOpen().getSession();
    NamespaceRequest.Builder write =
        request().setOpen(Open.newBuilder().setAt(at("d/f")).setWrite(true));
    assertEquals(ErrorCode.CHUNK_BUSY.number(), apply(write).getCode());
    assertEquals(
        ErrorCode.CHUNK_BUSY.number(),
        apply(request().setTruncate(Truncate.newBuilder().setInode(file).setLength(1))).getCode());
    assertEquals(
        ErrorCode.CHUNK_BUSY.number(),
        apply(request().setCreate(Create.newBuilder().setAt(at("d/f")).setOpenForWrite(true)))
            .getCode());
    NamespaceRequest.Builder again = write.clone();
    ok(request().setClose(Close.newBuilder().setInode(file).setSession(held)));
    // The refusal was for a moment: the same request with the same sequence is done now.
    var staged = new Staged(stored);
    assertEquals(0, Namespace.apply(again.build(), ++now, TABLE, staged).getCode());
  }

  @Test
  void inodesAreInspectedByNumber() {
    long file = inode("d/f").getId();
    long removed = create("d/gone");
    unlink("d/gone");
    ok(request().setTakeGarbage(TakeGarbage.getDefaultInstance()));
    ok(request().setOpen(Open.newBuilder().setAt(at("d/e/g")).setWrite(true)));
    InspectInodesReply reply =
        Inspection.answer(
            InspectInodesRequest.newBuilder()
                .addInodes(file)
                .addInodes(removed)
                .addInodes(900)
                .addInodes(inode("d/e/g").getId())
                .build(),
            stored);
    assertEquals(file, reply.getInodes(0).getInode().getId());
    assertFalse(reply.getInodes(0).getOpenForWrite());
    assertTrue(reply.getInodes(1).getGarbage());
    assertFalse(reply.getInodes(1).hasInode());
    assertFalse(reply.getInodes(2).getGarbage() || reply.getInodes(2).hasInode());
    assertTrue(reply.getInodes(3).getOpenForWrite());
    assertEquals(removed, reply.getInodeLast());
  }

  @Test
  void aCheckEndsWhenNobodyWaits() {
    var staged = new Staged(stored);
    Tree tree = Tree.changing(staged);
    for (int i = 0; i < 5_000; i++) {
      tree.putName(1, ByteString.copyFromUtf8("n" + i), ghost(InodeType.INODE_TYPE_FILE));
    }
    staged.copyTo(stored);
    var check =
        new NamespaceCheck(
            stored,
            windowInodes,
            1,
            _ -> true,
            new NamespaceCheck.Watcher() {
              @Override
              public void found(NamespaceFinding finding) {}

              @Override
              public boolean goOn(long inodes, long names) {
                return false;
              }
            });
    assertEquals(ErrorCode.CANCELLED, assertThrows(LuciolaException.class, check::run).code());
  }

  /** Whatever the operations do, with windows of any size, a check finds nothing. */
  @Test
  void operationsLeaveNothingToFind() {
    var random = new Random(11);
    for (int step = 0; step < 3_000; step++) {
      String path = "d" + random.nextInt(4) + "/" + random.nextInt(6);
      String other = "d" + random.nextInt(4) + "/" + random.nextInt(6);
      apply(
          switch (random.nextInt(10)) {
            case 0, 1 ->
                request()
                    .setCreate(
                        Create.newBuilder()
                            .setAt(at(path))
                            .setMode(0644)
                            .setOpenForWrite(random.nextInt(20) == 0));
            case 2 ->
                request()
                    .setMakeDirectory(
                        MakeDirectory.newBuilder().setAt(at(path)).setMode(0755).setParents(true));
            case 3 -> request().setUnlink(Unlink.newBuilder().setAt(at(path)));
            case 4 -> request().setRemoveDirectory(RemoveDirectory.newBuilder().setAt(at(path)));
            case 5 ->
                request()
                    .setRename(
                        Rename.newBuilder()
                            .setFrom(at(path))
                            .setTo(at(other))
                            .setExchange(random.nextBoolean()));
            case 6 ->
                request()
                    .setMakeLink(
                        MakeLink.newBuilder()
                            .setInode(find(path).map(Inode::getId).orElse(0L))
                            .setAt(at(other)));
            case 7 ->
                request()
                    .setRemoveTree(
                        RemoveTree.newBuilder().setAt(at(random.nextInt(10) == 0 ? "d1" : path)));
            case 8 -> request().setTakeGarbage(TakeGarbage.newBuilder().setLimit(2));
            default ->
                request()
                    .setRename(Rename.newBuilder().setFrom(at(path)).setTo(at("d" + step % 4)));
          });
      if (step % 50 == 0) {
        windowInodes = 1 + random.nextInt(20);
        assertEquals(List.of(), check(), "after step " + step);
      }
    }
  }
}

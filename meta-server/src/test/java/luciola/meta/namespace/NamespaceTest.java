package luciola.meta.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import luciola.grpc.v1.At;
import luciola.grpc.v1.BatchGetAttributes;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Layout;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.MakeNode;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.PublishLength;
import luciola.grpc.v1.ReadLink;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.SetAttributes;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.TreeUsage;
import luciola.grpc.v1.Truncate;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NamespaceTest {
  private static final Identity ROOT = Identity.getDefaultInstance();
  private static final Identity ANN = Identity.newBuilder().setUid(1000).setGid(100).build();
  private static final Identity BOB =
      Identity.newBuilder().setUid(1001).setGid(101).addGroups(100).build();

  private final MemoryView stored = new MemoryView();
  private Optional<ChainTable> table =
      Optional.of(
          new ChainTable(
              new ChainTableId(1),
              3,
              IntStream.rangeClosed(1, 20).mapToObj(ChainId::new).toList()));
  private Identity who = ROOT;
  private long client = 7;
  private long sequence;
  private long now = 1_000;

  @BeforeEach
  void format() {
    Staged staged = new Staged(stored);
    Namespace.format(staged, now);
    staged.copyTo(stored);
  }

  @Test
  void newFilesAreStripedOverTheNewestTable() {
    Layout first = ok(create("/a")).getInode().getLayout();
    Layout second = ok(create("/b")).getInode().getLayout();
    assertEquals(1, first.getTableId());
    assertEquals(3, first.getTableVersion());
    assertEquals(4 << 20, first.getChunkBytes());
    assertEquals(16, first.getStripe());
    assertEquals(first.getStart() + 1, second.getStart());
    assertNotEquals(first.getSeed(), second.getSeed());

    ok(mkdir("/small", 0755));
    ok(
        apply(
            NamespaceRequest.newBuilder()
                .setSetAttributes(
                    SetAttributes.newBuilder()
                        .setAt(at("/small"))
                        .setInheritChunkBytes(65536)
                        .setInheritStripe(200))));
    ok(mkdir("/small/deeper", 0755));
    Layout inherited = ok(create("/small/deeper/c")).getInode().getLayout();
    assertEquals(65536, inherited.getChunkBytes());
    assertEquals(20, inherited.getStripe());

    table = Optional.empty();
    no(ErrorCode.NO_CHAIN_TABLE, create("/d"));
    ok(mkdir("/e", 0755));
  }

  @Test
  void permissionsAreThoseOfOwnerGroupAndOthers() {
    who = ANN;
    ok(mkdir("/ann", 0750));
    ok(create("/ann/f", 0640));
    who = BOB;
    ok(open("/ann/f", false));
    no(ErrorCode.PERMISSION_DENIED, open("/ann/f", true));
    no(ErrorCode.PERMISSION_DENIED, create("/ann/g"));
    no(ErrorCode.PERMISSION_DENIED, unlink("/ann/f"));
    no(ErrorCode.NOT_PERMITTED, chmod("/ann/f", 0666));
    who = Identity.newBuilder().setUid(2000).setGid(2000).build();
    no(ErrorCode.PERMISSION_DENIED, lookup("/ann/f"));
    no(ErrorCode.PERMISSION_DENIED, list("/ann"));
    who = ROOT;
    ok(open("/ann/f", true));
    ok(create("/ann/g"));
  }

  @Test
  void fifosSocketsAndDevicesAreNamesWithoutBytes() {
    Inode fifo = ok(makeNode("/fifo", InodeType.INODE_TYPE_FIFO, 99)).getInode();
    assertEquals(InodeType.INODE_TYPE_FIFO, fifo.getType());
    assertEquals(0640, fifo.getMode());
    assertEquals(0, fifo.getDevice());
    Inode device = ok(makeNode("/device", InodeType.INODE_TYPE_BLOCK_DEVICE, 0x812)).getInode();
    assertEquals(0x812, ok(lookup("/device")).getInode().getDevice());
    no(ErrorCode.EXISTS, makeNode("/fifo", InodeType.INODE_TYPE_SOCKET, 0));
    no(ErrorCode.INVALID_ARGUMENT, makeNode("/other", InodeType.INODE_TYPE_FILE, 0));
    no(ErrorCode.UNSUPPORTED, open("/fifo", true));
    no(ErrorCode.UNSUPPORTED, open("/device", false));
    no(
        ErrorCode.INVALID_ARGUMENT,
        apply(
            NamespaceRequest.newBuilder()
                .setTruncate(Truncate.newBuilder().setInode(fifo.getId()).setLength(1))));
    ok(rename("/fifo", "/pipe"));
    long inodes = Tree.reading(stored).counters().getInodes();
    ok(unlink("/pipe"));
    ok(unlink("/device"));
    assertEquals(inodes - 2, Tree.reading(stored).counters().getInodes());
    assertEquals(0, Tree.reading(stored).counters().getGarbage());
    who = ANN;
    ok(makeNode("/anns", InodeType.INODE_TYPE_SOCKET, 0));
    no(ErrorCode.NOT_PERMITTED, makeNode("/null", InodeType.INODE_TYPE_CHARACTER_DEVICE, 0x103));
    no(ErrorCode.NOT_FOUND, lookup("/null"));
    assertTrue(device.getId() > fifo.getId());
  }

  private NamespaceReply makeNode(String path, InodeType type, int device) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeNode(
                MakeNode.newBuilder()
                    .setAt(at(path))
                    .setType(type)
                    .setMode(0640)
                    .setDevice(device)));
  }

  @Test
  void stickyDirectoriesKeepOthersFiles() {
    who = ANN;
    ok(create("/f"));
    who = BOB;
    no(ErrorCode.NOT_PERMITTED, unlink("/f"));
    no(ErrorCode.NOT_PERMITTED, rename("/f", "/g"));
    ok(create("/mine"));
    no(ErrorCode.NOT_PERMITTED, rename("/mine", "/f"));
    who = ANN;
    ok(unlink("/f"));
  }

  @Test
  void setgidDirectoriesHandTheirGroupDown() {
    ok(mkdir("/shared", 0777));
    ok(
        apply(
            NamespaceRequest.newBuilder()
                .setSetAttributes(SetAttributes.newBuilder().setAt(at("/shared")).setGid(55))));
    ok(chmod("/shared", 02777));
    who = ANN;
    Inode directory = ok(mkdir("/shared/d", 0755)).getInode();
    assertEquals(55, directory.getGid());
    assertEquals(02755, directory.getMode());
    Inode file = ok(create("/shared/f", 02755)).getInode();
    assertEquals(55, file.getGid());
    assertEquals(0755, file.getMode(), "no setgid for a group that is not the maker's");
  }

  @Test
  void givingAFileAwayTakesItsSetuidBit() {
    who = ANN;
    ok(create("/f", 06755));
    no(
        ErrorCode.NOT_PERMITTED,
        apply(
            NamespaceRequest.newBuilder()
                .setSetAttributes(SetAttributes.newBuilder().setAt(at("/f")).setUid(1001))));
    who = ROOT;
    Inode given =
        ok(apply(
                NamespaceRequest.newBuilder()
                    .setSetAttributes(SetAttributes.newBuilder().setAt(at("/f")).setUid(1001))))
            .getInode();
    assertEquals(1001, given.getUid());
    assertEquals(0755, given.getMode());
  }

  @Test
  void timesMoveAsPosixSays() {
    long made = ok(mkdir("/d", 0755)).getInode().getModifiedNanos();
    Inode file = ok(create("/d/f")).getInode();
    Inode directory = ok(lookup("/d")).getInode();
    assertTrue(directory.getModifiedNanos() > made);
    assertEquals(file.getModifiedNanos(), directory.getModifiedNanos());
    Inode changed = ok(chmod("/d/f", 0600)).getInode();
    assertEquals(file.getModifiedNanos(), changed.getModifiedNanos());
    assertTrue(changed.getChangedNanos() > file.getChangedNanos());
    ok(rename("/d/f", "/g"));
    assertTrue(ok(lookup("/d")).getInode().getModifiedNanos() > directory.getModifiedNanos());
    // A leader whose clock is behind does not turn time back.
    now -= 500;
    assertTrue(ok(chmod("/g", 0644)).getInode().getChangedNanos() >= changed.getChangedNanos());
  }

  @Test
  void namesAndPathsHaveLimits() {
    String longest = "n".repeat(255);
    ok(mkdir("/" + longest, 0755));
    no(ErrorCode.NAME_TOO_LONG, mkdir("/" + longest + "n", 0755));
    no(ErrorCode.NAME_TOO_LONG, lookup("/" + "a/".repeat(2048)));
    no(ErrorCode.INVALID_ARGUMENT, mkdir("/a/../b", 0755));
    no(ErrorCode.INVALID_ARGUMENT, mkdir("/.", 0755));
    no(ErrorCode.INVALID_ARGUMENT, mkdir("/a\0b", 0755));
  }

  @Test
  void symbolicLinksAreFollowedUpToALimit() {
    ok(mkdir("/d", 0755));
    ok(create("/d/f"));
    ok(symlink("d", "/relative"));
    ok(symlink("../d/./f", "/d/up"));
    ok(symlink("/", "/top"));
    long file = ok(lookup("/relative/f")).getInode().getId();
    assertEquals(file, ok(lookup("/d/up")).getInode().getId());
    assertEquals(file, ok(lookup("/top/relative/up")).getInode().getId());
    assertNotEquals(
        file,
        ok(read(NamespaceRequest.newBuilder().setLookup(Lookup.newBuilder().setAt(at("/d/up")))))
            .getInode()
            .getId());
    ok(symlink("loop", "/loop"));
    no(ErrorCode.TOO_MANY_SYMLINKS, lookup("/loop"));
    ok(symlink("nowhere", "/dangling"));
    no(ErrorCode.NOT_FOUND, lookup("/dangling"));
    ok(create("/dangling"));
    ok(lookup("/nowhere"));
    assertEquals(
        "d",
        ok(read(
                NamespaceRequest.newBuilder()
                    .setReadLink(ReadLink.newBuilder().setAt(at("/relative")))))
            .getInode()
            .getSymlinkTarget()
            .toStringUtf8());
  }

  @Test
  void anOpenFileOutlivesItsName() {
    NamespaceReply made = ok(create("/f"));
    long id = made.getInode().getId();
    ok(unlink("/f"));
    assertEquals(0, attributes(id).getNlink());
    assertEquals(List.of(), garbage());
    ok(close(made, 77, 0));
    assertEquals(List.of(id), garbage());
    no(
        ErrorCode.NOT_FOUND,
        read(
            NamespaceRequest.newBuilder()
                .setGetAttributes(luciola.grpc.v1.GetAttributes.newBuilder().setInode(id))));
    no(ErrorCode.BAD_SESSION, close(made, 78, 0));
  }

  /** Who had it open for reading takes a session when it has no name any more. */
  @Test
  void aRemovedFileCanBeKeptByItsReaders() {
    long id = removed("/f");
    assertEquals(0, attributes(id).getNlink());
    At number = At.newBuilder().setInode(id).build();
    no(
        ErrorCode.NOT_FOUND,
        read(NamespaceRequest.newBuilder().setOpen(Open.newBuilder().setAt(number))));
    no(
        ErrorCode.NOT_FOUND,
        apply(
            NamespaceRequest.newBuilder().setOpen(Open.newBuilder().setAt(number).setWrite(true))));
    assertEquals(List.of(), aged(1_000));
    NamespaceReply kept = ok(keep(id));
    assertEquals(0, Tree.reading(stored).counters().getGarbage());
    now += 5_000;
    assertEquals(List.of(), aged(1_000));
    ok(close(kept));
    assertEquals(List.of(id), aged(1_000), "its last name went long ago");
    no(ErrorCode.NOT_FOUND, keep(id));
    assertEquals(List.of(id), garbage());
  }

  @Test
  void aRemovedFileIsCollectedOnceItIsOldEnough() {
    long id = removed("/f");
    long inodes = Tree.reading(stored).counters().getInodes();
    assertEquals(List.of(), aged(100));
    now += 80;
    assertEquals(List.of(id), aged(100));
    assertEquals(inodes - 1, Tree.reading(stored).counters().getInodes());
    long other = removed("/g");
    ok(
        apply(
            NamespaceRequest.newBuilder()
                .setDropGarbage(
                    luciola.grpc.v1.DropGarbage.newBuilder().addInodes(id).addInodes(other))));
    assertEquals(List.of(other), garbage(), "dropped is only what was taken");
  }

  @Test
  void filesOfARemovedTreeAreCollectedOnceTheyWereFoundLongEnoughAgo() {
    who = ROOT;
    ok(mkdir("/t", 0755));
    ok(mkdir("/t/u", 0755));
    long file = ok(create("/t/u/f")).getInode().getId();
    long linked = ok(create("/t/u/g")).getInode().getId();
    ok(
        apply(
            NamespaceRequest.newBuilder()
                .setMakeLink(MakeLink.newBuilder().setInode(linked).setAt(at("/g")))));
    Staged staged = new Staged(stored);
    Namespace.expire(List.of(client), now, staged);
    staged.copyTo(stored);
    ok(removeTree("/t"));
    now += 1_000;
    ok(unlink("/g"));
    NamespaceReply kept = ok(keep(file));
    assertEquals(List.of(), aged(500));
    assertEquals(List.of(), aged(500), "the inner directory is walked");
    now += 500;
    assertEquals(List.of(linked), aged(500));
    ok(close(kept));
    assertEquals(List.of(file, linked), aged(500));
  }

  @Test
  void aReadersSessionGivesNoRightToChange() {
    NamespaceReply made = ok(create("/f"));
    long id = made.getInode().getId();
    ok(close(made, 77, 0));
    ok(chmod("/f", 0644));
    who = BOB;
    NamespaceReply kept = ok(keep(id));
    no(ErrorCode.BAD_SESSION, publish(kept, 99, 0));
    no(ErrorCode.BAD_SESSION, close(kept, 99, 0));
    no(
        ErrorCode.PERMISSION_DENIED,
        apply(
            NamespaceRequest.newBuilder()
                .setTruncate(Truncate.newBuilder().setInode(id).setLength(1))));
    assertEquals(77, attributes(id).getLength());
    who = ROOT;
    NamespaceReply held =
        ok(
            apply(
                NamespaceRequest.newBuilder()
                    .setOpen(Open.newBuilder().setAt(at("/f")).setWrite(true).setAlone(true))));
    ok(keep(id));
    ok(close(held));
    no(
        ErrorCode.INVALID_ARGUMENT,
        apply(
            NamespaceRequest.newBuilder()
                .setOpen(Open.newBuilder().setAt(at("/f")).setWrite(true).setKeep(true))));
    ok(chmod("/f", 0600));
    who = BOB;
    no(ErrorCode.PERMISSION_DENIED, keep(id));
    ok(close(kept));
  }

  private long removed(String path) {
    NamespaceReply made = ok(create(path));
    ok(close(made, 77, 0));
    ok(unlink(path));
    return made.getInode().getId();
  }

  private NamespaceReply keep(long id) {
    return apply(
        NamespaceRequest.newBuilder()
            .setOpen(Open.newBuilder().setAt(At.newBuilder().setInode(id)).setKeep(true)));
  }

  private NamespaceReply close(NamespaceReply opened) {
    return apply(
        NamespaceRequest.newBuilder()
            .setClose(
                luciola.grpc.v1.Close.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())));
  }

  /** What lost its last name so long ago. */
  private List<Long> aged(long nanos) {
    Identity asking = who;
    who = ROOT;
    NamespaceReply taken =
        ok(
            apply(
                NamespaceRequest.newBuilder()
                    .setTakeGarbage(TakeGarbage.newBuilder().setUntilNanos(now + 10 - nanos))));
    who = asking;
    return taken.getGarbage().getInodesList().stream().map(Inode::getId).toList();
  }

  @Test
  void aFileOpenedTwiceLivesUntilItsLastClose() {
    NamespaceReply made = ok(create("/f"));
    NamespaceReply opened = ok(open("/f", true));
    ok(unlink("/f"));
    ok(close(made, 1, 0));
    assertEquals(List.of(), garbage());
    ok(close(opened, 2, 0));
    assertEquals(List.of(made.getInode().getId()), garbage());
  }

  @Test
  void lengthOnlyGrowsWithinItsGeneration() {
    NamespaceReply made = ok(create("/f"));
    long id = made.getInode().getId();
    ok(publish(made, 100, 0));
    ok(publish(made, 50, 0));
    assertEquals(100, attributes(id).getLength());
    Inode cut =
        ok(apply(
                NamespaceRequest.newBuilder()
                    .setTruncate(Truncate.newBuilder().setInode(id).setLength(10))))
            .getInode();
    assertEquals(1, cut.getTruncateGeneration());
    ok(publish(made, 100, 0));
    assertEquals(10, attributes(id).getLength());
    ok(publish(made, 20, 1));
    assertEquals(20, attributes(id).getLength());

    NamespaceReply opened =
        ok(
            apply(
                NamespaceRequest.newBuilder()
                    .setOpen(Open.newBuilder().setAt(at("/f")).setWrite(true).setTruncate(true))));
    assertEquals(20, opened.getOpen().getTruncatedLength());
    assertEquals(0, opened.getInode().getLength());
    no(
        ErrorCode.FILE_TOO_LARGE,
        apply(
            NamespaceRequest.newBuilder()
                .setTruncate(
                    Truncate.newBuilder().setInode(id).setLength((1L << 31) * (4 << 20) + 1))));
  }

  @Test
  void aRepeatedChangeHasOneEffectAndOneReply() {
    NamespaceRequest request =
        NamespaceRequest.newBuilder()
            .setClientId(client)
            .setSequence(50)
            .setCreate(Create.newBuilder().setAt(at("/f")).setMode(0644).setExclusive(true))
            .build();
    NamespaceReply first = applyRaw(request);
    assertEquals(0, first.getCode());
    assertEquals(first, applyRaw(request));
    sequence = 50;
    ok(mkdir("/next", 0755));
    assertEquals(ErrorCode.CANCELLED.number(), applyRaw(request).getCode(), "acknowledged");
  }

  @Test
  void aClientThatIsGoneLosesItsSessionsAndMemory() {
    NamespaceReply made = ok(create("/f"));
    ok(unlink("/f"));
    Staged staged = new Staged(stored);
    Namespace.expire(List.of(client), now, staged);
    staged.copyTo(stored);
    assertEquals(List.of(made.getInode().getId()), garbage());
    staged = new Staged(stored);
    Namespace.expire(List.of(client, 99L), now, staged);
    staged.copyTo(stored);
    assertTrue(Tree.reading(stored).clients().isEmpty());
  }

  @Test
  void aRemovedTreeIsCollectedALittleAtATime() {
    who = ANN;
    ok(mkdir("/t", 0755));
    var files = new ArrayList<Long>();
    for (int i = 0; i < 10; i++) {
      ok(mkdir("/t/d" + i, 0755));
      for (int j = 0; j < 10; j++) {
        NamespaceReply made = ok(create("/t/d" + i + "/f" + j));
        ok(close(made, 1, 0));
        files.add(made.getInode().getId());
      }
    }
    ok(
        apply(
            NamespaceRequest.newBuilder()
                .setMakeLink(
                    luciola.grpc.v1.MakeLink.newBuilder()
                        .setInode(files.getFirst())
                        .setAt(at("/kept")))));
    who = BOB;
    no(ErrorCode.NOT_PERMITTED, removeTree("/t"));
    who = ANN;
    assertEquals(
        101,
        ok(read(NamespaceRequest.newBuilder().setTreeUsage(TreeUsage.newBuilder().setAt(at("/")))))
            .getUsage()
            .getFiles());
    ok(removeTree("/t"));
    no(ErrorCode.NOT_FOUND, lookup("/t"));
    who = ROOT;
    var collected = new ArrayList<Long>();
    for (int round = 0; round < 200; round++) {
      List<Long> taken = garbage(5);
      collected.addAll(taken);
      ok(
          apply(
              NamespaceRequest.newBuilder()
                  .setDropGarbage(luciola.grpc.v1.DropGarbage.newBuilder().addAllInodes(taken))));
    }
    assertEquals(99, collected.stream().distinct().count());
    assertEquals(99, collected.size());
    assertEquals(1, ok(lookup("/kept")).getInode().getNlink());
    assertEquals(2, Tree.reading(stored).counters().getInodes());
    assertEquals(0, Tree.reading(stored).counters().getGarbage());
  }

  @Test
  void aBigRemovedDirectoryIsEmptiedInStepsThatDoNotBeginAnew() {
    who = ROOT;
    ok(mkdir("/t", 0755));
    for (int i = 0; i < 30; i++) {
      NamespaceReply made = ok(create("/t/f" + i));
      ok(close(made, 1, 0));
    }
    ok(removeTree("/t"));
    long before = Tree.reading(stored).counters().getGarbageFromNanos();
    var collected = new ArrayList<Long>();
    NamespaceReply reply = take(7);
    var emptiedTo = new ArrayList<ByteString>();
    while (reply.getGarbage().getMore() || reply.getGarbage().getInodesCount() > 0) {
      List<Long> taken = reply.getGarbage().getInodesList().stream().map(Inode::getId).toList();
      collected.addAll(taken);
      ok(
          apply(
              NamespaceRequest.newBuilder()
                  .setDropGarbage(luciola.grpc.v1.DropGarbage.newBuilder().addAllInodes(taken))));
      Tree.reading(stored).garbage(100, Long.MAX_VALUE, _ -> true).stream()
          .map(Tree.Garbage::inode)
          .filter(inode -> inode.getType() == InodeType.INODE_TYPE_DIRECTORY)
          .forEach(inode -> emptiedTo.add(inode.getEmptiedTo()));
      assertTrue(Tree.reading(stored).counters().getGarbageFromNanos() >= before);
      before = Tree.reading(stored).counters().getGarbageFromNanos();
      reply = take(7);
    }
    assertEquals(30, collected.stream().distinct().count());
    assertEquals(30, collected.size());
    assertEquals(emptiedTo.stream().distinct().toList(), emptiedTo, "each step goes on");
    assertEquals(4, emptiedTo.size());
    assertEquals(0, Tree.reading(stored).counters().getGarbage());
    assertEquals(1, Tree.reading(stored).counters().getInodes());
  }

  private NamespaceReply take(int limit) {
    return ok(
        apply(
            NamespaceRequest.newBuilder()
                .setTakeGarbage(TakeGarbage.newBuilder().setLimit(limit))));
  }

  @Test
  void parentsAreMadeAllOrNone() {
    ok(create("/file"));
    no(ErrorCode.INVALID_ARGUMENT, mkdirs("/new/../x"));
    no(ErrorCode.NOT_FOUND, lookup("/new"));
    no(ErrorCode.NOT_A_DIRECTORY, mkdirs("/file/x"));
    no(ErrorCode.EXISTS, mkdirs("/file"));
    ok(mkdirs("/a/b/c"));
    ok(mkdirs("/a/b/c"));
    ok(mkdirs("/a/b/d/"));
    assertEquals(4, ok(lookup("/a/b")).getInode().getNlink());
  }

  @Test
  void listsInPages() {
    ok(mkdir("/d", 0755));
    for (int i = 0; i < 25; i++) {
      ok(mkdir("/d/" + (char) ('a' + i), 0755));
    }
    var names = new ArrayList<String>();
    NamespaceReply page;
    ByteString after = ByteString.EMPTY;
    do {
      page =
          ok(
              read(
                  NamespaceRequest.newBuilder()
                      .setList(
                          luciola.grpc.v1.List.newBuilder()
                              .setAt(at("/d"))
                              .setAfter(after)
                              .setLimit(10))));
      page.getList().getEntriesList().forEach(entry -> names.add(entry.getName().toStringUtf8()));
      after = page.getList().getEntries(page.getList().getEntriesCount() - 1).getName();
    } while (page.getList().getMore());
    assertEquals(25, names.size());
    assertEquals(names.stream().sorted().toList(), names);
  }

  @Test
  void aBatchAnswersForEachWhatIsThere() {
    long id = ok(create("/f")).getInode().getId();
    assertEquals(
        List.of(id, 0L, 1L),
        ok(
                read(
                    NamespaceRequest.newBuilder()
                        .setBatchGetAttributes(
                            BatchGetAttributes.newBuilder()
                                .addAt(at("/f"))
                                .addAt(at("/missing"))
                                .addAt(at("/")))))
            .getBatch()
            .getInodesList()
            .stream()
            .map(Inode::getId)
            .toList());
  }

  // Requests.

  private static At at(String path) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
  }

  private NamespaceReply create(String path) {
    return create(path, 0644);
  }

  private NamespaceReply create(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder()
            .setCreate(Create.newBuilder().setAt(at(path)).setMode(mode).setOpenForWrite(true)));
  }

  private NamespaceReply mkdir(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeDirectory(MakeDirectory.newBuilder().setAt(at(path)).setMode(mode)));
  }

  private NamespaceReply mkdirs(String path) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeDirectory(
                MakeDirectory.newBuilder().setAt(at(path)).setMode(0755).setParents(true)));
  }

  private NamespaceReply symlink(String target, String path) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeSymlink(
                MakeSymlink.newBuilder()
                    .setAt(at(path))
                    .setTarget(ByteString.copyFromUtf8(target))));
  }

  private NamespaceReply unlink(String path) {
    return apply(NamespaceRequest.newBuilder().setUnlink(Unlink.newBuilder().setAt(at(path))));
  }

  private NamespaceReply removeTree(String path) {
    return apply(
        NamespaceRequest.newBuilder().setRemoveTree(RemoveTree.newBuilder().setAt(at(path))));
  }

  private NamespaceReply rename(String from, String to) {
    return apply(
        NamespaceRequest.newBuilder()
            .setRename(Rename.newBuilder().setFrom(at(from)).setTo(at(to))));
  }

  private NamespaceReply chmod(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder()
            .setSetAttributes(SetAttributes.newBuilder().setAt(at(path)).setMode(mode)));
  }

  private NamespaceReply open(String path, boolean write) {
    NamespaceRequest.Builder request =
        NamespaceRequest.newBuilder().setOpen(Open.newBuilder().setAt(at(path)).setWrite(write));
    return write ? apply(request) : read(request);
  }

  private NamespaceReply close(NamespaceReply opened, long length, long generation) {
    return apply(
        NamespaceRequest.newBuilder()
            .setClose(
                Close.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())
                    .setLength(length)
                    .setTruncateGeneration(generation)
                    .setModified(true)));
  }

  private NamespaceReply publish(NamespaceReply opened, long length, long generation) {
    return apply(
        NamespaceRequest.newBuilder()
            .setPublishLength(
                PublishLength.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())
                    .setLength(length)
                    .setTruncateGeneration(generation)));
  }

  private NamespaceReply lookup(String path) {
    return read(
        NamespaceRequest.newBuilder()
            .setLookup(Lookup.newBuilder().setAt(at(path)).setFollow(true)));
  }

  private NamespaceReply list(String path) {
    return read(
        NamespaceRequest.newBuilder().setList(luciola.grpc.v1.List.newBuilder().setAt(at(path))));
  }

  private Inode attributes(long id) {
    return ok(read(
            NamespaceRequest.newBuilder()
                .setGetAttributes(luciola.grpc.v1.GetAttributes.newBuilder().setInode(id))))
        .getInode();
  }

  private List<Long> garbage() {
    return garbage(100);
  }

  private List<Long> garbage(int limit) {
    return take(limit).getGarbage().getInodesList().stream().map(Inode::getId).toList();
  }

  private NamespaceReply apply(NamespaceRequest.Builder request) {
    sequence++;
    return applyRaw(
        request
            .setClientId(client)
            .setSequence(sequence)
            .setAcknowledgedSequence(sequence - 1)
            .setIdentity(who)
            .build());
  }

  private NamespaceReply applyRaw(NamespaceRequest request) {
    assertTrue(Namespace.isChange(request));
    now += 10;
    Staged staged = new Staged(stored);
    NamespaceReply reply = Namespace.apply(request, now, table, staged);
    staged.copyTo(stored);
    return reply;
  }

  private NamespaceReply read(NamespaceRequest.Builder request) {
    NamespaceRequest built = request.setIdentity(who).build();
    assertTrue(!Namespace.isChange(built));
    return Namespace.read(built, stored);
  }

  private static NamespaceReply ok(NamespaceReply reply) {
    assertEquals(0, reply.getCode(), reply.getMessage());
    return reply;
  }

  private static void no(ErrorCode code, NamespaceReply reply) {
    assertEquals(code, ErrorCode.ofNumber(reply.getCode()), reply.getMessage());
  }
}

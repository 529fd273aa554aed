package luciola.meta.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.BatchGetAttributes;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Layout;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeNode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.ReadLink;
import luciola.grpc.v1.SetAttributes;
import luciola.grpc.v1.Truncate;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;

final class NamespaceTest extends NamespaceFixture {
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
}

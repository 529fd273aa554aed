package luciola.meta.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import luciola.grpc.v1.At;
import luciola.grpc.v1.DropGarbage;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.TreeUsage;
import luciola.grpc.v1.Truncate;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;

/** What becomes of files that lose their last name: kept by sessions, then garbage. */
final class RemovedFilesTest extends NamespaceFixture {
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
                .setDropGarbage(DropGarbage.newBuilder().addInodes(id).addInodes(other))));
    assertEquals(List.of(other), garbage(), "dropped is only what was taken");
    long removed = take(1).getGarbage().getInodes(0).getRemovedNanos();
    DropGarbage.Builder drop = DropGarbage.newBuilder().addInodes(id).addInodes(other);
    ok(apply(NamespaceRequest.newBuilder().setDropGarbage(drop.setUntilNanos(removed - 1))));
    assertEquals(List.of(other), garbage(), "it is newer than what was looked through");
    ok(apply(NamespaceRequest.newBuilder().setDropGarbage(drop.setUntilNanos(removed))));
    assertEquals(List.of(), garbage());
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
                  .setDropGarbage(DropGarbage.newBuilder().addAllInodes(taken))));
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
                  .setDropGarbage(DropGarbage.newBuilder().addAllInodes(taken))));
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
}

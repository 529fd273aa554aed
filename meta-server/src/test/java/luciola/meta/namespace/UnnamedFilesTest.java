package luciola.meta.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Consumer;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.namespace.tree.Staged;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;

/** Files that get their name when they are closed. */
final class UnnamedFilesTest extends NamespaceFixture {
  @Test
  void aFileWithoutANameGetsItWithItsLengthModeAndTimeInOneStep() {
    ok(mkdir("/d", 0755));
    NamespaceReply made = ok(unnamed("/d/f", false));
    assertEquals(0, made.getInode().getNlink());
    assertTrue(made.getOpen().getCreated());
    no(ErrorCode.NOT_FOUND, lookup("/d/f"));
    assertEquals(0, ok(list("/d")).getList().getEntriesCount());
    long changed = attributes(ok(lookup("/d")).getInode().getId()).getChangedNanos();

    Inode named =
        ok(closeAs(made, "/d/f", 5000, close -> close.setMode(0640).setModifiedNanos(77)))
            .getInode();
    assertEquals(named, ok(lookup("/d/f")).getInode());
    assertEquals(made.getInode().getId(), named.getId());
    assertEquals(1, named.getNlink());
    assertEquals(5000, named.getLength());
    assertEquals(0640, named.getMode());
    assertEquals(77, named.getModifiedNanos());
    assertTrue(attributes(ok(lookup("/d")).getInode().getId()).getChangedNanos() > changed);
    no(ErrorCode.BAD_SESSION, closeAs(made, "/d/g", 5000, _ -> {}));
    assertEquals(List.of(), garbage());
  }

  @Test
  void aFileWithoutANameReplacesAnotherOrIsRefusedAndStaysOpen() {
    NamespaceReply first = ok(create("/f"));
    long old = first.getInode().getId();
    ok(close(first, 3, 0));
    ok(mkdir("/d", 0755));
    no(ErrorCode.EXISTS, unnamed("/f", true));
    no(ErrorCode.IS_A_DIRECTORY, unnamed("/d", false));
    no(ErrorCode.NOT_FOUND, unnamed("/none/f", false));
    NamespaceReply made = ok(unnamed("/f", false));
    no(ErrorCode.EXISTS, closeAs(made, "/f", 10, close -> close.setNoReplace(true)));
    no(ErrorCode.IS_A_DIRECTORY, closeAs(made, "/d", 10, _ -> {}));
    no(ErrorCode.NOT_FOUND, closeAs(made, "/none/f", 10, _ -> {}));
    assertEquals(old, ok(lookup("/f")).getInode().getId());
    ok(closeAs(made, "/f", 10, _ -> {}));
    assertEquals(made.getInode().getId(), ok(lookup("/f")).getInode().getId());
    assertEquals(List.of(old), garbage());

    NamespaceReply second = ok(open("/f", true));
    no(ErrorCode.INVALID_ARGUMENT, closeAs(second, "/g", 10, _ -> {}));
    ok(close(second, 10, 0));
  }

  @Test
  void aFileThatNeverGetsANameIsGarbageWhenItsSessionEnds() {
    NamespaceReply closed = ok(unnamed("/f", false));
    ok(close(closed, 100, 0));
    NamespaceReply lost = ok(unnamed("/f", false));
    Staged staged = new Staged(stored);
    Namespace.expire(List.of(client), now, staged);
    staged.copyTo(stored);
    assertEquals(List.of(closed.getInode().getId(), lost.getInode().getId()), garbage());
    no(ErrorCode.BAD_SESSION, closeAs(lost, "/f", 100, _ -> {}));
    no(ErrorCode.NOT_FOUND, lookup("/f"));
  }

  @Test
  void aNameIsGivenOnlyWhereTheWriterMay() {
    who = ANN;
    ok(mkdir("/ann", 0755));
    ok(mkdir("/sticky", 01777));
    ok(create("/sticky/anns"));
    who = BOB;
    no(ErrorCode.PERMISSION_DENIED, unnamed("/ann/f", false));
    no(ErrorCode.NOT_PERMITTED, unnamed("/sticky/anns", false));
    NamespaceReply made = ok(unnamed("/sticky/f", false));
    no(ErrorCode.PERMISSION_DENIED, closeAs(made, "/ann/f", 1, _ -> {}));
    no(ErrorCode.NOT_PERMITTED, closeAs(made, "/sticky/anns", 1, _ -> {}));
    ok(closeAs(made, "/sticky/f", 1, _ -> {}));
    assertEquals(BOB.getUid(), ok(lookup("/sticky/f")).getInode().getUid());
  }

  private NamespaceReply unnamed(String path, boolean exclusive) {
    return apply(
        NamespaceRequest.newBuilder()
            .setCreate(
                Create.newBuilder()
                    .setAt(at(path))
                    .setMode(0600)
                    .setExclusive(exclusive)
                    .setOpenForWrite(true)
                    .setUnnamed(true)));
  }

  private NamespaceReply closeAs(
      NamespaceReply opened, String path, long length, Consumer<Close.Builder> more) {
    Close.Builder close =
        Close.newBuilder()
            .setInode(opened.getInode().getId())
            .setSession(opened.getOpen().getSession())
            .setLength(length)
            .setModified(true)
            .setName(at(path));
    more.accept(close);
    return apply(NamespaceRequest.newBuilder().setClose(close));
  }
}

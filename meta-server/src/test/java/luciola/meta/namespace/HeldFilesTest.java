package luciola.meta.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.HoldLength;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.Truncate;
import luciola.meta.namespace.tree.Staged;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;

/** Writers that are alone with a file while they remove what lies past its end. */
final class HeldFilesTest extends NamespaceFixture {
  private static final long OTHER = 8;

  private NamespaceReply hold(NamespaceReply opened, boolean done) {
    return apply(
        NamespaceRequest.newBuilder()
            .setHoldLength(
                HoldLength.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())
                    .setDone(done)));
  }

  private NamespaceReply closeUntold(NamespaceReply opened) {
    return apply(
        NamespaceRequest.newBuilder()
            .setClose(
                Close.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())
                    .setUntold(true)));
  }

  private NamespaceReply openBy(long asking, String path) {
    client = asking;
    return open(path, true);
  }

  private void expire(long gone) {
    Staged staged = new Staged(stored);
    Namespace.expire(List.of(gone), now, staged);
    staged.copyTo(stored);
  }

  @Test
  void nobodyHoldsAFileThatAnotherSessionWrites() {
    NamespaceReply one = ok(create("/f"));
    NamespaceReply other = ok(openBy(OTHER, "/f"));
    client = 7;
    no(ErrorCode.NOT_PERMITTED, hold(one, false));
    client = OTHER;
    ok(close(other, 500, 0));
    client = 7;
    assertEquals(500, ok(hold(one, false)).getInode().getLength(), "what the other one told");
    ok(hold(one, true));
    // A second session of the same client is another writer, too.
    ok(open("/f", true));
    no(ErrorCode.NOT_PERMITTED, hold(one, false));
  }

  @Test
  void readersAreInNobodysWay() {
    NamespaceReply one = ok(create("/f"));
    NamespaceReply reader = ok(keep(one.getInode().getId()));
    no(ErrorCode.BAD_SESSION, hold(reader, false));
    ok(hold(one, false));
    ok(keep(one.getInode().getId()));
    ok(open("/f", false));
    ok(hold(one, true));
  }

  @Test
  void nobodyBeginsToWriteWhileAFileIsHeld() {
    NamespaceReply one = ok(create("/f"));
    ok(hold(one, false));
    for (NamespaceRequest.Builder late :
        List.of(
            NamespaceRequest.newBuilder().setOpen(Open.newBuilder().setAt(at("/f")).setWrite(true)),
            NamespaceRequest.newBuilder()
                .setOpen(Open.newBuilder().setAt(at("/f")).setTruncate(true)),
            NamespaceRequest.newBuilder()
                .setCreate(Create.newBuilder().setAt(at("/f")).setOpenForWrite(true)),
            NamespaceRequest.newBuilder()
                .setTruncate(Truncate.newBuilder().setInode(one.getInode().getId())))) {
      client = OTHER;
      no(ErrorCode.CHUNK_BUSY, apply(late));
    }
    client = 7;
    ok(publish(one, 10, 0));
    ok(hold(one, true));
    no(ErrorCode.BAD_SESSION, hold(one, true));
    client = OTHER;
    // The same request, under the same sequence, is not answered as it was.
    NamespaceRequest again =
        NamespaceRequest.newBuilder()
            .setClientId(OTHER)
            .setSequence(sequence + 1)
            .setOpen(Open.newBuilder().setAt(at("/f")).setWrite(true))
            .build();
    client = 7;
    ok(hold(one, false));
    assertEquals(ErrorCode.CHUNK_BUSY.number(), applyRaw(again).getCode());
    ok(hold(one, true));
    assertEquals(0, applyRaw(again).getCode());
  }

  @Test
  void aHoldEndsWithItsSessionWhicheverWay() {
    NamespaceReply one = ok(create("/f"));
    ok(hold(one, false));
    ok(close(one, 5, 0));
    NamespaceReply other = ok(openBy(OTHER, "/f"));
    ok(hold(other, false));
    expire(OTHER);
    client = 7;
    ok(open("/f", true));
  }

  @Test
  void whatNobodyTellsOfIsRememberedUntilItIsRemoved() {
    NamespaceReply one = ok(create("/f"));
    NamespaceReply other = ok(openBy(OTHER, "/f"));
    assertFalse(other.getInode().getUntold());
    client = 7;
    assertTrue(ok(closeUntold(one)).getInode().getUntold());
    client = OTHER;
    ok(close(other, 7, 0));
    NamespaceReply next = ok(open("/f", true));
    assertTrue(next.getInode().getUntold());
    ok(hold(next, false));
    assertTrue(ok(lookup("/f")).getInode().getUntold(), "until it is done");
    ok(hold(next, true));
    Inode clean = ok(lookup("/f")).getInode();
    assertFalse(clean.getUntold());
    assertEquals(7, clean.getLength());
  }

  @Test
  void aWriterThatIsGoneLeavesWhatItDidNotTellOf() {
    ok(create("/written"));
    NamespaceReply read = ok(create("/read"));
    ok(close(read, 1, 0));
    ok(keep(read.getInode().getId()));
    expire(7);
    assertTrue(ok(lookup("/written")).getInode().getUntold());
    assertFalse(ok(lookup("/read")).getInode().getUntold());
  }

  @Test
  void aReaderLeavesNothing() {
    NamespaceReply made = ok(create("/f"));
    ok(close(made, 1, 0));
    NamespaceReply reader =
        ok(
            apply(
                NamespaceRequest.newBuilder()
                    .setOpen(
                        Open.newBuilder()
                            .setAt(At.newBuilder().setInode(made.getInode().getId()))
                            .setKeep(true))));
    no(ErrorCode.BAD_SESSION, closeUntold(reader));
  }
}

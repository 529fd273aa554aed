package luciola.meta.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.GarbageResult;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.OpenResult;
import luciola.grpc.v1.TakeGarbage;
import luciola.protocol.access.Ticket;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;

class GrantsTest {
  private static final int BOTH = Ticket.READ | Ticket.WRITE;

  private static NamespaceRequest.Builder request() {
    return NamespaceRequest.newBuilder().setIdentity(Identity.newBuilder().setUid(1000));
  }

  private static NamespaceReply reply(InodeType type, int mode, boolean created) {
    return NamespaceReply.newBuilder()
        .setInode(Inode.newBuilder().setId(7).setType(type).setMode(mode).setUid(1000))
        .setOpen(OpenResult.newBuilder().setCreated(created))
        .build();
  }

  private static void assertRights(int rights, NamespaceRequest.Builder request, int mode) {
    assertRights(rights, request, mode, false);
  }

  private static void assertRights(
      int rights, NamespaceRequest.Builder request, int mode, boolean created) {
    assertEquals(
        rights == 0 ? List.of() : List.of(new Grants.Grant(7, rights)),
        Grants.of(request.build(), reply(InodeType.INODE_TYPE_FILE, mode, created)));
  }

  @Test
  void whoOpensMayDoWhatItOpenedFor() {
    assertRights(Ticket.READ, request().setOpen(Open.getDefaultInstance()), 0400);
    assertRights(BOTH, request().setOpen(Open.newBuilder().setWrite(true)), 0600);
    assertRights(Ticket.WRITE, request().setOpen(Open.newBuilder().setWrite(true)), 0200);
  }

  @Test
  void whoMakesAFileMayDoBothWhateverItsMode() {
    var making = Create.newBuilder().setOpenForWrite(true);
    assertRights(BOTH, request().setCreate(making), 0, true);
    assertRights(Ticket.WRITE, request().setCreate(making), 0200, false);
    assertRights(Ticket.READ, request().setCreate(Create.getDefaultInstance()), 0400, false);
    assertRights(0, request().setCreate(Create.getDefaultInstance()), 0, false);
  }

  @Test
  void nothingElseGivesRights() {
    assertRights(0, request().setLookup(Lookup.getDefaultInstance()), 0777);
    assertEquals(
        List.of(),
        Grants.of(
            request().setOpen(Open.getDefaultInstance()).build(),
            reply(InodeType.INODE_TYPE_DIRECTORY, 0777, false)));
    assertEquals(
        List.of(),
        Grants.of(
            request().setOpen(Open.getDefaultInstance()).build(),
            NamespaceReply.newBuilder()
                .setCode(ErrorCode.PERMISSION_DENIED.number())
                .setInode(Inode.newBuilder().setId(7).setType(InodeType.INODE_TYPE_FILE))
                .build()));
  }

  @Test
  void garbageMayBeRemoved() {
    assertEquals(
        List.of(new Grants.Grant(3, Ticket.WRITE), new Grants.Grant(4, Ticket.WRITE)),
        Grants.of(
            request().setTakeGarbage(TakeGarbage.getDefaultInstance()).build(),
            NamespaceReply.newBuilder()
                .setGarbage(
                    GarbageResult.newBuilder()
                        .addInodes(Inode.newBuilder().setId(3))
                        .addInodes(Inode.newBuilder().setId(4)))
                .build()));
  }

  @Test
  void onlyOnesOwnIsGivenAgain() {
    Caller ann = new Caller.Member(AccessUser.newBuilder().setNumber(5).build(), 1);
    Caller bob = new Caller.Member(AccessUser.newBuilder().setNumber(6).build(), 2);
    var shown = new Ticket(Ticket.Kind.CAPABILITY, Ticket.READ, 77, 5, 7, 100);
    assertEquals(Optional.of(shown.until(200)), Grants.again(shown, ann, 77, 200));
    assertTrue(Grants.again(shown, bob, 77, 200).isEmpty());
    assertTrue(Grants.again(shown, ann, 78, 200).isEmpty());
    assertTrue(Grants.again(shown, new Caller.Server(), 77, 200).isEmpty());
    var pass = new Ticket(Ticket.Kind.PASS, Ticket.SERVER, 77, 5, 0, 100);
    assertTrue(Grants.again(pass, ann, 77, 200).isEmpty());
  }

  @Test
  void onlyAdministratorsHaveAPassForEverything() {
    assertEquals(0, Grants.ofPass(new Caller.Anyone()));
    assertEquals(Ticket.ADMIN, Grants.ofPass(new Caller.Server()));
    assertEquals(0, Grants.ofPass(new Caller.Member(AccessUser.getDefaultInstance(), 1)));
    assertEquals(
        Ticket.ADMIN,
        Grants.ofPass(new Caller.Member(AccessUser.newBuilder().setAdmin(true).build(), 1)));
  }
}

package luciola.meta.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import luciola.grpc.v1.AccessGrpc;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.AdminGrpc;
import luciola.grpc.v1.AwaitLock;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.SetLock;
import luciola.grpc.v1.TestLock;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class AccessRulesTest {
  private static final AccessUser ANN =
      AccessUser.newBuilder().setName("ann").setUid(1000).setGid(100).addGroups(50).build();
  private static final Caller USER = new Caller.Member(ANN, 1);
  private static final Caller MOUNT =
      new Caller.Member(ANN.toBuilder().setMountForOthers(true).build(), 2);
  private static final Caller ADMIN = new Caller.Member(ANN.toBuilder().setAdmin(true).build(), 3);
  private static final List<Caller> TRUSTED = List.of(new Caller.Anyone(), new Caller.Server());

  private static NamespaceRequest as(int uid, int gid) {
    return NamespaceRequest.newBuilder()
        .setSequence(9)
        .setIdentity(Identity.newBuilder().setUid(uid).setGid(gid).addGroups(0))
        .build();
  }

  @Test
  void everyCallHasItsKind() {
    for (var service :
        List.of(
            NamespaceGrpc.getServiceDescriptor(),
            ClusterGrpc.getServiceDescriptor(),
            AdminGrpc.getServiceDescriptor(),
            AccessGrpc.getServiceDescriptor())) {
      for (var method : service.getMethods()) {
        String call = String.valueOf(method.getBareMethodName());
        CallKind expected =
            switch (service.getName() + "/" + call) {
              case "luciola.v1.Namespace/Call",
                  "luciola.v1.Namespace/Calls",
                  "luciola.v1.Cluster/Identify",
                  "luciola.v1.Cluster/WatchRouting",
                  "luciola.v1.Cluster/GetRouting",
                  "luciola.v1.Admin/Status",
                  "luciola.v1.Access/Renew" ->
                  CallKind.USE;
              case "luciola.v1.Cluster/Register",
                  "luciola.v1.Cluster/Heartbeat",
                  "luciola.v1.Cluster/Confirm",
                  "luciola.v1.Cluster/ReadIndex" ->
                  CallKind.SERVE;
              default -> CallKind.OPERATE;
            };
        assertEquals(expected, AccessRules.kind(service.getName(), call), call);
      }
    }
    assertEquals(CallKind.OPERATE, AccessRules.kind("luciola.v1.Unheard", "Of"));
  }

  @Test
  void usersUseServersServeAndAdministratorsOperate() {
    for (CallKind kind : CallKind.values()) {
      TRUSTED.forEach(caller -> assertTrue(AccessRules.may(caller, kind)));
      assertEquals(kind == CallKind.USE, AccessRules.may(USER, kind));
      assertEquals(kind == CallKind.USE, AccessRules.may(MOUNT, kind));
      assertEquals(kind != CallKind.SERVE, AccessRules.may(ADMIN, kind));
    }
  }

  @Test
  void aUserIsItselfWithItsOwnGroups() {
    Identity own = Identity.newBuilder().setUid(1000).setGid(100).addGroups(50).build();
    for (Caller caller : List.of(USER, MOUNT, ADMIN)) {
      assertEquals(
          own, AccessRules.named(caller, NamespaceRequest.getDefaultInstance()).getIdentity());
      NamespaceRequest named = AccessRules.named(caller, as(1000, 0));
      assertEquals(own, named.getIdentity());
      assertEquals(9, named.getSequence());
    }
  }

  @Test
  void onlySomeActForOthers() {
    assertRefused(USER, as(1001, 100));
    assertEquals(as(1001, 7), AccessRules.named(MOUNT, as(1001, 7)));
    assertEquals(as(0, 0), AccessRules.named(ADMIN, as(0, 0)));
    TRUSTED.forEach(caller -> assertEquals(as(5, 6), AccessRules.named(caller, as(5, 6))));
    assertFalse(
        AccessRules.named(new Caller.Anyone(), NamespaceRequest.getDefaultInstance())
            .hasIdentity());
  }

  @Test
  void userZeroIsTheTokensOwnUserExceptForLocksOfAMount() {
    NamespaceRequest root = as(0, 0);
    Identity own = Identity.newBuilder().setUid(1000).setGid(100).addGroups(50).build();
    assertEquals(own, AccessRules.named(MOUNT, root).getIdentity());
    assertEquals(own, AccessRules.named(USER, root).getIdentity());
    for (NamespaceRequest lock :
        List.of(
            root.toBuilder().setSetLock(SetLock.getDefaultInstance()).build(),
            root.toBuilder().setTestLock(TestLock.getDefaultInstance()).build(),
            root.toBuilder().setAwaitLock(AwaitLock.getDefaultInstance()).build())) {
      assertEquals(lock, AccessRules.named(MOUNT, lock));
      assertEquals(own, AccessRules.named(USER, lock).getIdentity());
    }
  }

  private static void assertRefused(Caller caller, NamespaceRequest request) {
    var fault = assertThrows(LuciolaException.class, () -> AccessRules.named(caller, request));
    assertEquals(ErrorCode.NOT_PERMITTED, fault.code());
  }
}

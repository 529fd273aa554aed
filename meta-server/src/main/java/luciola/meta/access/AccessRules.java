package luciola.meta.access;

import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Who may call what, and in whose name. */
public final class AccessRules {
  private AccessRules() {}

  /** The kind of a call, by the full name of its service and its own; unknown ones operate. */
  public static CallKind kind(String service, String call) {
    return switch (service) {
      case "luciola.v1.Namespace" -> CallKind.USE;
      case "luciola.v1.Cluster" ->
          switch (call) {
            case "Register", "Heartbeat", "Confirm", "ReadIndex" -> CallKind.SERVE;
            default -> CallKind.USE;
          };
      case "luciola.v1.Access" -> call.equals("Renew") ? CallKind.USE : CallKind.OPERATE;
      case "luciola.v1.Admin" -> call.equals("Status") ? CallKind.USE : CallKind.OPERATE;
      default -> CallKind.OPERATE;
    };
  }

  /** Whether the caller may. */
  public static boolean may(Caller caller, CallKind kind) {
    return switch (caller) {
      case Caller.Anyone _, Caller.Server _ -> true;
      case Caller.Member member ->
          switch (kind) {
            case USE -> true;
            case SERVE -> false;
            case OPERATE -> member.user().getAdmin();
          };
    };
  }

  /**
   * The request in the name of whom the caller may act for. A user who names nobody, or itself, is
   * itself with its own groups. So is one that names user 0 and is no administrator: a mount, in
   * what it does by itself, and the machine's user 0. Only the locks of a mount for others are user
   * 0's: a program may lock what it has open whatever the mode is by now, and a lock lets nobody
   * read or write.
   *
   * @throws LuciolaException NOT_PERMITTED if it names somebody that it may not act for
   */
  public static NamespaceRequest named(Caller caller, NamespaceRequest request) {
    return switch (caller) {
      case Caller.Anyone _, Caller.Server _ -> request;
      case Caller.Member member -> named(member.user(), request);
    };
  }

  private static NamespaceRequest named(AccessUser user, NamespaceRequest request) {
    int asked = request.getIdentity().getUid();
    if (!request.hasIdentity() || asked == user.getUid()) {
      return asItself(user, request);
    }
    if (user.getAdmin() || (user.getMountForOthers() && (asked != 0 || isLock(request)))) {
      return request;
    }
    if (asked == 0) {
      return asItself(user, request);
    }
    throw new LuciolaException(
        ErrorCode.NOT_PERMITTED,
        "may not act for others: user="
            + user.getName()
            + " uid="
            + Integer.toUnsignedString(user.getUid())
            + " asked="
            + Integer.toUnsignedString(asked));
  }

  private static NamespaceRequest asItself(AccessUser user, NamespaceRequest request) {
    return request.toBuilder()
        .setIdentity(
            Identity.newBuilder()
                .setUid(user.getUid())
                .setGid(user.getGid())
                .addAllGroups(user.getGroupsList()))
        .build();
  }

  private static boolean isLock(NamespaceRequest request) {
    return request.hasSetLock() || request.hasTestLock() || request.hasAwaitLock();
  }
}

package luciola.meta.access;

import luciola.grpc.v1.AccessUser;

/** Who calls, as far as it has been proved. */
public sealed interface Caller {
  /** Anybody, where nothing has to be shown. */
  record Anyone() implements Caller {}

  /** A server of the cluster, or who has its secret. */
  record Server() implements Caller {}

  /**
   * A user.
   *
   * @param token number of the token that was shown; 0: it was a certificate
   */
  record Member(AccessUser user, long token) implements Caller {}

  /** The name, for logs. */
  default String name() {
    return switch (this) {
      case Anyone _ -> "anyone";
      case Server _ -> "server";
      case Member member -> "user:" + member.user().getName();
    };
  }
}

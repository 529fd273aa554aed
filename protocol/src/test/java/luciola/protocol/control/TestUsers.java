package luciola.protocol.control;

import com.google.protobuf.ByteString;
import java.security.SecureRandom;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.NewToken;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;

/** Users of a cluster under test, and what they show. */
public final class TestUsers {
  private TestUsers() {}

  /** Something that nobody knows. */
  public static Secret secret() {
    byte[] bytes = new byte[Secret.BYTES];
    new SecureRandom().nextBytes(bytes);
    return Secret.of(bytes);
  }

  /** Makes a user without a token. */
  public static void create(MetaConnection admin, AccessUser user) {
    var _ = admin.changeAccess(AccessChange.newBuilder().setCreateUser(user).build());
  }

  /** Makes a user with a token that is good for ever. */
  public static Credential.OfUser withToken(MetaConnection admin, AccessUser user) {
    return withToken(admin, user, 0);
  }

  /** Makes a user with a token that is good for so long; 0: for ever. */
  public static Credential.OfUser withToken(
      MetaConnection admin, AccessUser user, long lifetimeNanos) {
    create(admin, user);
    Secret drawn = secret();
    NewToken.Builder token =
        NewToken.newBuilder()
            .setUser(user.getName())
            .setHash(ByteString.copyFrom(drawn.hash()))
            .setLifetimeNanos(lifetimeNanos);
    long number =
        admin
            .changeAccess(AccessChange.newBuilder().setCreateToken(token).build())
            .getToken()
            .getId();
    return new Credential.OfUser(number, drawn);
  }
}

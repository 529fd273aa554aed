package luciola.meta.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.ChangeAccessReply;
import luciola.grpc.v1.DataKey;
import luciola.grpc.v1.NewToken;
import luciola.grpc.v1.StoredAccess;
import luciola.protocol.access.Secret;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;

class AccessStateTest {
  private static final long HOUR = TimeUnit.HOURS.toNanos(1);

  private AccessState state = AccessState.EMPTY;
  private long now = 1_000 * HOUR;

  /** What is stored, as the differences of the states say. */
  private final Map<ByteBuffer, StoredAccess> stored = new HashMap<>();

  static Secret secret(int fill) {
    byte[] bytes = new byte[Secret.BYTES];
    Arrays.fill(bytes, (byte) fill);
    return Secret.of(bytes);
  }

  private ChangeAccessReply apply(AccessChange.Builder change) {
    AccessState.Applied applied = state.apply(change.build(), now);
    for (StoredAccess record : applied.state().changedSince(state)) {
      stored.put(ByteBuffer.wrap(AccessState.key(record)), record);
    }
    applied.state().removedSince(state).forEach(key -> stored.remove(ByteBuffer.wrap(key)));
    if (applied.reply().getCode() != 0) {
      assertSame(state, applied.state(), "a refused change changes nothing");
    }
    state = applied.state();
    assertEquals(state.records(), AccessState.of(stored.values()).records());
    return applied.reply();
  }

  private static AccessChange.Builder user(String name, int uid) {
    return AccessChange.newBuilder()
        .setCreateUser(AccessUser.newBuilder().setName(name).setUid(uid).setGid(uid));
  }

  private ChangeAccessReply token(String user, Secret secret, long lifetimeNanos) {
    return apply(
        AccessChange.newBuilder()
            .setCreateToken(
                NewToken.newBuilder()
                    .setUser(user)
                    .setHash(ByteString.copyFrom(secret.hash()))
                    .setLifetimeNanos(lifetimeNanos)));
  }

  private static void assertCode(ErrorCode code, ChangeAccessReply reply) {
    assertEquals(code.number(), reply.getCode(), reply.getMessage());
  }

  @Test
  void aTokenIsGoodForItsUserUntilItExpires() {
    assertCode(ErrorCode.OK, apply(user("ann", 1000)));
    ChangeAccessReply made = token("ann", secret(1), HOUR);
    assertCode(ErrorCode.OK, made);
    assertTrue(made.getToken().getHash().isEmpty(), "hashes are told to nobody");
    long id = made.getToken().getId();
    assertEquals("ann", state.user(id, secret(1), now).orElseThrow().getName());
    assertTrue(state.user(id, secret(2), now).isEmpty());
    assertTrue(state.user(id + 1, secret(1), now).isEmpty());
    assertTrue(state.user(id, secret(1), now + HOUR - 1).isPresent());
    assertTrue(state.user(id, secret(1), now + HOUR).isEmpty());
  }

  @Test
  void whatIsTakenAwayIsGoodForNothing() {
    apply(user("ann", 1000));
    apply(user("bob", 1001));
    long ann = token("ann", secret(1), 0).getToken().getId();
    long bob = token("bob", secret(2), 0).getToken().getId();
    assertCode(ErrorCode.OK, apply(AccessChange.newBuilder().setRevokeToken(ann)));
    assertTrue(state.user(ann, secret(1), now).isEmpty());
    assertCode(ErrorCode.NOT_FOUND, apply(AccessChange.newBuilder().setRevokeToken(ann)));
    assertCode(ErrorCode.OK, apply(AccessChange.newBuilder().setRemoveUser("bob")));
    assertTrue(state.user(bob, secret(2), now).isEmpty());
    apply(user("bob", 1001));
    assertTrue(state.user(bob, secret(2), now).isEmpty(), "another user of the same name");
    assertCode(ErrorCode.NOT_FOUND, apply(AccessChange.newBuilder().setRemoveUser("cid")));
    assertCode(ErrorCode.NOT_FOUND, token("cid", secret(3), 0));
  }

  @Test
  void theSameOnceMoreHasNoSecondEffect() {
    ChangeAccessReply first = apply(user("ann", 1000));
    assertEquals(first, apply(user("ann", 1000)));
    assertCode(ErrorCode.EXISTS, apply(user("ann", 1001)));
    assertEquals(token("ann", secret(1), 0), token("ann", secret(1), 0));
    assertEquals(1, state.tokens().size());
  }

  @Test
  void numbersAreNotGivenTwice() {
    long first = apply(user("ann", 1000)).getUser().getNumber();
    long token = token("ann", secret(1), 0).getToken().getId();
    apply(AccessChange.newBuilder().setRemoveUser("ann"));
    assertNotEquals(first, apply(user("ann", 1000)).getUser().getNumber());
    assertNotEquals(token, token("ann", secret(1), 0).getToken().getId());
  }

  @Test
  void whatIsNoUserOrTokenIsRefused() {
    for (String name : new String[] {"", "Ann", "a b", "a\nb", "-a", "a".repeat(33)}) {
      assertCode(ErrorCode.INVALID_ARGUMENT, apply(user(name, 1)));
    }
    apply(user("ann", 1000));
    assertCode(
        ErrorCode.INVALID_ARGUMENT,
        apply(
            AccessChange.newBuilder()
                .setCreateToken(
                    NewToken.newBuilder().setUser("ann").setHash(ByteString.copyFromUtf8("x")))));
    assertCode(ErrorCode.INVALID_ARGUMENT, apply(AccessChange.newBuilder()));
    for (int i = 0; i < AccessState.TOKENS_OF_USER_MAX; i++) {
      assertCode(ErrorCode.OK, token("ann", secret(i), HOUR));
    }
    assertCode(ErrorCode.INVALID_ARGUMENT, token("ann", secret(-1), HOUR));
    now += HOUR;
    assertCode(ErrorCode.OK, token("ann", secret(-1), HOUR));
    assertEquals(1, state.tokens().size(), "expired ones have gone");
  }

  @Test
  void onlyTheNewestKeysAreKept() {
    for (int id = 1; id <= 5; id++) {
      apply(key(id));
      apply(key(id)); // another leader wanted it too
    }
    assertEquals(java.util.List.of(3, 4, 5), state.keys().stream().map(DataKey::getId).toList());
    assertEquals(now, state.keys().getLast().getMadeNanos());
  }

  private static AccessChange.Builder key(int id) {
    return AccessChange.newBuilder()
        .setAddKey(
            DataKey.newBuilder().setId(id).setSecret(ByteString.copyFrom(new byte[Secret.BYTES])));
  }
}

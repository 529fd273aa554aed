package luciola.meta.access;

import com.google.common.collect.ImmutableSet;
import com.google.common.collect.ImmutableSortedMap;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessCounters;
import luciola.grpc.v1.AccessToken;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.ChangeAccessReply;
import luciola.grpc.v1.DataKey;
import luciola.grpc.v1.NewToken;
import luciola.grpc.v1.StoredAccess;
import luciola.protocol.access.Secret;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Users, their tokens and the keys of the data plane, as an immutable value. Every change gives a
 * new value and a reply and depends on nothing but this value, the change and its time. A change
 * that is refused changes nothing.
 */
public final class AccessState {
  /** Nobody. */
  public static final AccessState EMPTY =
      new AccessState(
          AccessCounters.getDefaultInstance(),
          ImmutableSortedMap.of(),
          ImmutableSortedMap.of(),
          ImmutableSortedMap.of());

  /** Keys that are remembered: the newest signs, the others only verify. */
  public static final int KEYS_MAX = 3;

  static final int USERS_MAX = 10_000;
  static final int GROUPS_MAX = 256;
  static final int TOKENS_OF_USER_MAX = 100;

  private static final Pattern NAME = Pattern.compile("[a-z_][a-z0-9_.-]{0,31}");

  private final AccessCounters counters;
  private final ImmutableSortedMap<String, AccessUser> users;
  private final ImmutableSortedMap<Long, AccessToken> tokens;
  private final ImmutableSortedMap<Integer, DataKey> keys;

  /** The state after a change, and what the change is answered. */
  public record Applied(AccessState state, ChangeAccessReply reply) {}

  private AccessState(
      AccessCounters counters,
      ImmutableSortedMap<String, AccessUser> users,
      ImmutableSortedMap<Long, AccessToken> tokens,
      ImmutableSortedMap<Integer, DataKey> keys) {
    this.counters = counters;
    this.users = users;
    this.tokens = tokens;
    this.keys = keys;
  }

  /** The state that these records describe, in any order. */
  public static AccessState of(Iterable<StoredAccess> records) {
    var next = new Next(EMPTY);
    for (StoredAccess stored : records) {
      switch (stored.getRecordCase()) {
        case COUNTERS -> next.counters = stored.getCounters().toBuilder();
        case USER -> next.users.put(stored.getUser().getName(), stored.getUser());
        case TOKEN -> next.tokens.put(stored.getToken().getId(), stored.getToken());
        case KEY -> next.keys.put(stored.getKey().getId(), stored.getKey());
        case RECORD_NOT_SET ->
            throw new LuciolaException(ErrorCode.FORMAT_TOO_NEW, "access record of unknown kind");
      }
    }
    return next.build();
  }

  /** Every record. */
  public List<StoredAccess> records() {
    var records = new ArrayList<StoredAccess>();
    records.add(StoredAccess.newBuilder().setCounters(counters).build());
    users.values().forEach(user -> records.add(StoredAccess.newBuilder().setUser(user).build()));
    tokens
        .values()
        .forEach(token -> records.add(StoredAccess.newBuilder().setToken(token).build()));
    keys.values().forEach(key -> records.add(StoredAccess.newBuilder().setKey(key).build()));
    return records;
  }

  /** What is to be stored so that {@link #of} gives this state where {@code before} was stored. */
  public List<StoredAccess> changedSince(AccessState before) {
    var known = ImmutableSet.copyOf(before.records());
    return records().stream().filter(record -> !known.contains(record)).toList();
  }

  /** Keys of what is not to be stored any more. */
  public List<byte[]> removedSince(AccessState before) {
    var kept = new HashSet<ByteBuffer>();
    records().forEach(record -> kept.add(ByteBuffer.wrap(key(record))));
    return before.records().stream()
        .map(AccessState::key)
        .filter(key -> !kept.contains(ByteBuffer.wrap(key)))
        .toList();
  }

  /** The key of a record: its kind and number. */
  public static byte[] key(StoredAccess stored) {
    return switch (stored.getRecordCase()) {
      case COUNTERS -> key(1, 0);
      case USER -> key(2, stored.getUser().getNumber());
      case TOKEN -> key(3, stored.getToken().getId());
      case KEY -> key(4, stored.getKey().getId());
      case RECORD_NOT_SET -> throw new IllegalArgumentException("an empty record");
    };
  }

  private static byte[] key(int kind, long number) {
    return ByteBuffer.allocate(9).put((byte) kind).putLong(number).array();
  }

  public List<AccessUser> users() {
    return users.values().asList();
  }

  /** With their hashes, which are told to nobody. */
  public List<AccessToken> tokens() {
    return tokens.values().asList();
  }

  /** Oldest first. */
  public List<DataKey> keys() {
    return keys.values().asList();
  }

  /** The user of a name; empty if there is none. */
  public Optional<AccessUser> user(String name) {
    return Optional.ofNullable(users.get(name));
  }

  /**
   * The user who shows this secret under the number of a token.
   *
   * @param nowNanos since 1970
   * @return empty if there is no such token, it is another's, or its time is over
   */
  public Optional<AccessUser> user(long token, Secret shown, long nowNanos) {
    AccessToken known = tokens.get(token);
    if (known == null || !shown.hasHash(known.getHash().toByteArray()) || isOver(known, nowNanos)) {
      return Optional.empty();
    }
    return Optional.ofNullable(users.get(known.getUser()));
  }

  private static boolean isOver(AccessToken token, long nowNanos) {
    return token.getExpiresNanos() != 0 && token.getExpiresNanos() <= nowNanos;
  }

  /**
   * Applies a change.
   *
   * @param nowNanos time of the command since 1970
   */
  public Applied apply(AccessChange change, long nowNanos) {
    var next = new Next(this);
    try {
      ChangeAccessReply.Builder reply =
          switch (change.getChangeCase()) {
            case CREATE_USER -> next.create(change.getCreateUser());
            case REMOVE_USER -> next.remove(change.getRemoveUser());
            case CREATE_TOKEN -> next.create(change.getCreateToken(), nowNanos);
            case REVOKE_TOKEN -> next.revoke(change.getRevokeToken());
            case ADD_KEY -> next.add(change.getAddKey(), nowNanos);
            case CHANGE_NOT_SET ->
                throw new LuciolaException(ErrorCode.INVALID_ARGUMENT, "nothing is to be changed");
          };
      return new Applied(next.build(), reply.build());
    } catch (LuciolaException refused) {
      return new Applied(
          this,
          ChangeAccessReply.newBuilder()
              .setCode(refused.code().number())
              .setMessage(refused.detail())
              .build());
    }
  }

  /** What the state becomes. */
  private static final class Next {
    private AccessCounters.Builder counters;
    private final TreeMap<String, AccessUser> users;
    private final TreeMap<Long, AccessToken> tokens;
    private final TreeMap<Integer, DataKey> keys;

    Next(AccessState before) {
      this.counters = before.counters.toBuilder();
      this.users = new TreeMap<>(before.users);
      this.tokens = new TreeMap<>(before.tokens);
      this.keys = new TreeMap<>(before.keys);
    }

    AccessState build() {
      return new AccessState(
          counters.build(),
          ImmutableSortedMap.copyOf(users),
          ImmutableSortedMap.copyOf(tokens),
          ImmutableSortedMap.copyOf(keys));
    }

    ChangeAccessReply.Builder create(AccessUser asked) {
      String name = asked.getName();
      require(NAME.matcher(name).matches(), "not a user's name: name=" + name);
      require(users.size() < USERS_MAX, "too many users: max=" + USERS_MAX);
      require(asked.getGroupsCount() <= GROUPS_MAX, "too many groups: max=" + GROUPS_MAX);
      AccessUser known = users.get(name);
      if (known != null) {
        // The same once more: the answer to the first was lost.
        if (known.equals(asked.toBuilder().setNumber(known.getNumber()).build())) {
          return ChangeAccessReply.newBuilder().setUser(known);
        }
        throw new LuciolaException(ErrorCode.EXISTS, "user: name=" + name);
      }
      counters.setUserLast(counters.getUserLast() + 1);
      AccessUser user = asked.toBuilder().setNumber(counters.getUserLast()).build();
      users.put(name, user);
      return ChangeAccessReply.newBuilder().setUser(user);
    }

    ChangeAccessReply.Builder remove(String name) {
      AccessUser gone = users.remove(name);
      if (gone == null) {
        throw new LuciolaException(ErrorCode.NOT_FOUND, "user: name=" + name);
      }
      tokens.values().removeIf(token -> token.getUser().equals(name));
      return ChangeAccessReply.newBuilder().setUser(gone);
    }

    ChangeAccessReply.Builder create(NewToken asked, long nowNanos) {
      String user = asked.getUser();
      if (!users.containsKey(user)) {
        throw new LuciolaException(ErrorCode.NOT_FOUND, "user: name=" + user);
      }
      require(asked.getHash().size() == Secret.BYTES, "a token's hash has 32 bytes");
      require(asked.getLifetimeNanos() >= 0, "a token's lifetime is positive");
      for (AccessToken known : tokens.values()) {
        if (known.getHash().equals(asked.getHash())) {
          require(known.getUser().equals(user), "the token is another user's");
          return ChangeAccessReply.newBuilder().setToken(shown(known));
        }
      }
      tokens.values().removeIf(known -> known.getUser().equals(user) && isOver(known, nowNanos));
      long having = tokens.values().stream().filter(it -> it.getUser().equals(user)).count();
      require(having < TOKENS_OF_USER_MAX, "too many tokens of a user: max=" + TOKENS_OF_USER_MAX);
      counters.setTokenLast(counters.getTokenLast() + 1);
      long ends = nowNanos + asked.getLifetimeNanos();
      AccessToken token =
          AccessToken.newBuilder()
              .setId(counters.getTokenLast())
              .setUser(user)
              .setHash(asked.getHash())
              .setMadeNanos(nowNanos)
              .setExpiresNanos(asked.getLifetimeNanos() == 0 || ends < 0 ? 0 : ends)
              .build();
      tokens.put(token.getId(), token);
      return ChangeAccessReply.newBuilder().setToken(shown(token));
    }

    ChangeAccessReply.Builder revoke(long id) {
      AccessToken gone = tokens.remove(id);
      if (gone == null) {
        throw new LuciolaException(ErrorCode.NOT_FOUND, "token: id=" + id);
      }
      return ChangeAccessReply.newBuilder().setToken(shown(gone));
    }

    /** Its number says after which other it was wanted: of two that were, one is enough. */
    ChangeAccessReply.Builder add(DataKey key, long nowNanos) {
      require(key.getSecret().size() == Secret.BYTES, "a key has 32 bytes");
      int last = keys.isEmpty() ? 0 : keys.lastKey();
      if (key.getId() != last + 1) {
        return ChangeAccessReply.newBuilder();
      }
      keys.put(key.getId(), key.toBuilder().setMadeNanos(nowNanos).build());
      while (keys.size() > KEYS_MAX) {
        keys.remove(keys.firstKey());
      }
      return ChangeAccessReply.newBuilder();
    }

    private static void require(boolean holds, String otherwise) {
      if (!holds) {
        throw new LuciolaException(ErrorCode.INVALID_ARGUMENT, otherwise);
      }
    }
  }

  /** A token as others see it. */
  public static AccessToken shown(AccessToken token) {
    return token.toBuilder().setHash(ByteString.EMPTY).build();
  }
}

package luciola.meta.namespace.tree;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockKind;
import luciola.grpc.v1.LockType;
import luciola.grpc.v1.StoredLock;
import luciola.grpc.v1.StoredLockSession;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * The locks that are held, as they are stored, and the clients' sessions of them; what may be held
 * together is not decided here.
 */
public final class Locks {
  private static final int KINDS = 3;

  private final KeyValueView view;
  private final @Nullable Changes changes;

  Locks(KeyValueView view, @Nullable Changes changes) {
    this.view = view;
    this.changes = changes;
  }

  private Changes changes() {
    if (changes == null) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "a read changes a lock");
    }
    return changes;
  }

  private static byte[] key(FileLock lock) {
    return Tree.key(
        lock.getInode(),
        lock.getKind().getNumber(),
        lock.getClient(),
        lock.getOwner(),
        lock.getFirst());
  }

  private static FileLock lock(byte[] key, byte[] value) {
    ByteBuffer at = ByteBuffer.wrap(key);
    try {
      StoredLock stored = StoredLock.parseFrom(value);
      return FileLock.newBuilder()
          .setInode(at.getLong())
          .setKind(LockKind.forNumber((int) at.getLong()))
          .setClient(at.getLong())
          .setOwner(at.getLong())
          .setFirst(at.getLong())
          .setLast(stored.getLast())
          .setType(stored.getExclusive() ? LockType.LOCK_TYPE_EXCLUSIVE : LockType.LOCK_TYPE_SHARED)
          .setPid(stored.getPid())
          .build();
    } catch (InvalidProtocolBufferException e) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "unreadable lock: " + e, e);
    }
  }

  private List<FileLock> scan(byte[] from, byte @Nullable [] to) {
    var locks = new ArrayList<FileLock>();
    view.scan(Family.LOCK, from, to, (key, value) -> locks.add(lock(key, value)));
    return locks;
  }

  /** Locks of one kind on an inode, by client, owner and first byte. */
  public List<FileLock> of(long inode, LockKind kind) {
    return scan(Tree.key(inode, kind.getNumber()), Tree.key(inode, kind.getNumber() + 1L));
  }

  /** Every lock there is. */
  public List<FileLock> all() {
    return scan(Tree.key(1), null);
  }

  public void put(FileLock lock) {
    changes()
        .put(
            Family.LOCK,
            key(lock),
            StoredLock.newBuilder()
                .setLast(lock.getLast())
                .setExclusive(lock.getType() == LockType.LOCK_TYPE_EXCLUSIVE)
                .setPid(lock.getPid())
                .build()
                .toByteArray());
  }

  public void remove(FileLock lock) {
    changes().delete(Family.LOCK, key(lock));
  }

  /** Removes a client's locks on an inode. */
  public void removeOf(long inode, long client) {
    for (int kind = 0; kind < KINDS; kind++) {
      of(inode, LockKind.forNumber(kind)).stream()
          .filter(lock -> lock.getClient() == client)
          .forEach(this::remove);
    }
  }

  void removeAll(long inode) {
    scan(Tree.key(inode), Tree.key(inode + 1)).forEach(this::remove);
  }

  // Sessions.

  /** The session that a client's locks are of; 0 if it has none. */
  public long session(long client) {
    byte[] value = view.get(Family.LOCK, Tree.key(0, client));
    try {
      return value == null ? 0 : StoredLockSession.parseFrom(value).getSession();
    } catch (InvalidProtocolBufferException e) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "unreadable session: " + e, e);
    }
  }

  /** The session of a client's locks from now on. */
  public void putSession(long client, long session) {
    changes()
        .put(
            Family.LOCK,
            Tree.key(0, client),
            StoredLockSession.newBuilder().setSession(session).build().toByteArray());
  }

  /** A client's locks are gone with their session. */
  public void endSession(long client) {
    if (session(client) != 0) {
      changes().delete(Family.LOCK, Tree.key(0, client));
    }
  }

  /** Every client with a session of locks. */
  public List<Long> clients() {
    var clients = new ArrayList<Long>();
    view.scan(
        Family.LOCK,
        Tree.key(0),
        Tree.key(1),
        (key, _) -> clients.add(ByteBuffer.wrap(key).getLong(Long.BYTES)));
    return clients;
  }
}

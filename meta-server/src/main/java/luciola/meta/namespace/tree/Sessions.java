package luciola.meta.namespace.tree;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import luciola.grpc.v1.StoredSession;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/** Who has files open: to write, to read though the last name goes, or to be alone with them. */
public final class Sessions {
  private final KeyValueView view;
  private final @Nullable Changes changes;

  /** One session, as its key says. */
  public record Key(long inode, long client, long session) {
    private byte[] bytes() {
      return Tree.key(inode, client, session);
    }

    static Key of(byte[] bytes) {
      ByteBuffer at = ByteBuffer.wrap(bytes);
      return new Key(at.getLong(), at.getLong(), at.getLong());
    }
  }

  Sessions(KeyValueView view, @Nullable Changes changes) {
    this.view = view;
    this.changes = changes;
  }

  private Changes changes() {
    if (changes == null) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "a read changes the sessions");
    }
    return changes;
  }

  /** Whether anybody has a file open. */
  public boolean any(long inode) {
    return any(inode, (_, _) -> true);
  }

  /** Whether somebody has a file open for writing who is to be alone with it. */
  public boolean isHeld(long inode) {
    return any(inode, (_, session) -> session.getAlone());
  }

  /** Whether anybody has a file open for writing. */
  public boolean isWritten(long inode) {
    return any(inode, (_, session) -> !session.getReads());
  }

  /** Whether a client has a file open for writing. */
  public boolean isWrittenBy(long inode, long client) {
    return any(inode, (key, session) -> key.client() == client && !session.getReads());
  }

  /** Whether a file is open for writing in another session, perhaps of the same client. */
  public boolean isWrittenBeside(Key one) {
    return any(one.inode(), (key, session) -> !key.equals(one) && !session.getReads());
  }

  private boolean any(long inode, BiPredicate<Key, StoredSession> test) {
    boolean[] found = {false};
    view.scan(
        Family.SESSION,
        Tree.key(inode),
        Tree.key(inode + 1),
        (key, value) -> {
          found[0] = test.test(Key.of(key), Tree.parsed(StoredSession::parseFrom, value));
          return !found[0];
        });
    return found[0];
  }

  private StoredSession stored(Key key) {
    byte[] value = view.get(Family.SESSION, key.bytes());
    return value == null
        ? StoredSession.newBuilder().setReads(true).build()
        : Tree.parsed(StoredSession::parseFrom, value);
  }

  /** Whether there is this session. */
  public boolean has(Key key) {
    return view.get(Family.SESSION, key.bytes()) != null;
  }

  /** Whether there is this session, and of somebody who writes. */
  public boolean mayWrite(Key key) {
    return !stored(key).getReads();
  }

  /** Whether this session is the one that is alone with its file. */
  public boolean isAlone(Key key) {
    return stored(key).getAlone();
  }

  /** Lets a session of somebody who writes be alone with its file, or no more. */
  public void alone(Key key, boolean alone) {
    put(key, stored(key).toBuilder().setAlone(alone).build());
  }

  void put(Key key, StoredSession session) {
    changes().put(Family.SESSION, key.bytes(), session.toByteArray());
  }

  /** A session ends. */
  public void close(Key key) {
    changes().delete(Family.SESSION, key.bytes());
  }

  /** Every session there is, by inode. */
  public List<Key> all() {
    var sessions = new ArrayList<Key>();
    view.scan(Family.SESSION, Tree.key(), null, (key, _) -> sessions.add(Key.of(key)));
    return sessions;
  }
}

package luciola.meta.namespace.tree;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceCounters;
import luciola.grpc.v1.StoredDentry;
import luciola.grpc.v1.StoredSession;
import luciola.grpc.v1.UsageState;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Typed access to the namespace's families: the only code that knows their keys (but for remembered
 * replies, see {@link Requests}, and whole families, see {@link Scans}). Changes go to where the
 * tree was made with; a tree made for reading refuses them.
 */
public final class Tree {
  /** The root directory's inode. */
  public static final long ROOT = 1;

  private static final byte[] COUNTERS = {};

  private final KeyValueView view;
  private final @Nullable Changes changes;
  private final Usages usages;
  private @Nullable UsageState usageState;

  /** One name in a directory. */
  public record Name(ByteString name, long inode, InodeType type) {}

  private Tree(KeyValueView view, @Nullable Changes changes) {
    this.view = view;
    this.changes = changes;
    this.usages = new Usages(this, new UsageRecords(view, changes));
  }

  /** A tree to be read only. */
  public static Tree reading(KeyValueView view) {
    return new Tree(view, null);
  }

  /** A tree whose changes are staged. */
  public static Tree changing(Staged staged) {
    return new Tree(staged, staged);
  }

  private Changes changes() {
    if (changes == null) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "a read changes the namespace");
    }
    return changes;
  }

  static byte[] key(long... numbers) {
    ByteBuffer key = ByteBuffer.allocate(numbers.length * Long.BYTES);
    for (long number : numbers) {
      key.putLong(number);
    }
    return key.array();
  }

  interface Parser<T> {
    T parse(byte[] bytes) throws InvalidProtocolBufferException;
  }

  static <T> T parsed(Parser<T> parser, byte[] bytes) {
    try {
      return parser.parse(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "unreadable record: " + e, e);
    }
  }

  // Inodes.

  public Optional<Inode> inode(long id) {
    byte[] value = view.get(Family.INODE, key(id));
    return value == null ? Optional.empty() : Optional.of(parsed(Inode::parseFrom, value));
  }

  /** The inode that a name points to; its absence would be a broken tree. */
  public Inode namedInode(long id) {
    return inode(id)
        .orElseThrow(() ->
            new LuciolaException(ErrorCode.INVARIANT_BROKEN, "a name without inode: inode=" + id));
  }

  public void put(Inode inode) {
    changes().put(Family.INODE, key(inode.getId()), inode.toByteArray());
  }

  /** Removes an inode with its extended attributes and locks. */
  public void deleteInode(Inode inode) {
    changes().delete(Family.INODE, key(inode.getId()));
    if (inode.getType() == InodeType.INODE_TYPE_DIRECTORY) {
      usages.removed(inode.getId());
    }
    if (inode.getExtendedNameBytes() > 0) {
      extended().removeAll(inode.getId());
    }
    locks().removeAll(inode.getId());
    count(counters().setInodes(counters().getInodes() - 1));
  }

  /** The extended attributes. */
  public Extended extended() {
    return new Extended(view, changes);
  }

  /** What is below directories, and their quotas. */
  public Usages usages() {
    return usages;
  }

  /** The locks. */
  public Locks locks() {
    return new Locks(view, changes);
  }

  /** A number for a session, never given before. */
  public long newSession() {
    NamespaceCounters.Builder counters = counters();
    long session = counters.getSessionLast() + 1;
    count(counters.setSessionLast(session));
    return session;
  }

  // Names.

  /** Key of a name in something with a number: a directory, or an inode's attributes. */
  static byte[] nameKey(long directory, ByteString name) {
    byte[] key = new byte[Long.BYTES + name.size()];
    ByteBuffer.wrap(key).putLong(directory);
    name.copyTo(key, Long.BYTES);
    return key;
  }

  public Optional<Name> name(long directory, ByteString name) {
    byte[] value = view.get(Family.DENTRY, nameKey(directory, name));
    if (value == null) {
      return Optional.empty();
    }
    StoredDentry dentry = parsed(StoredDentry::parseFrom, value);
    return Optional.of(new Name(name, dentry.getInode(), dentry.getType()));
  }

  /** Gives an inode a name that is free. */
  public void putName(long directory, ByteString name, Inode inode) {
    usages.named(directory, name, inode);
    changes()
        .put(
            Family.DENTRY,
            nameKey(directory, name),
            StoredDentry.newBuilder()
                .setInode(inode.getId())
                .setType(inode.getType())
                .build()
                .toByteArray());
  }

  /** Takes a name away from the inode that has it. */
  public void deleteName(long directory, ByteString name, Inode inode) {
    usages.unnamed(directory, name, inode);
    deleteDanglingName(directory, name);
  }

  /** Takes a name away that names nothing. */
  public void deleteDanglingName(long directory, ByteString name) {
    changes().delete(Family.DENTRY, nameKey(directory, name));
  }

  /** Up to {@code limit} names after one, in byte order; after the empty name: from the start. */
  public List<Name> names(long directory, ByteString after, int limit) {
    var names = new ArrayList<Name>();
    byte[] from = nameKey(directory, after);
    view.scan(
        Family.DENTRY,
        from,
        key(directory + 1),
        (key, value) -> {
          if (!Arrays.equals(key, from)) {
            StoredDentry dentry = parsed(StoredDentry::parseFrom, value);
            ByteString name = ByteString.copyFrom(key, Long.BYTES, key.length - Long.BYTES);
            names.add(new Name(name, dentry.getInode(), dentry.getType()));
          }
          return names.size() < limit;
        });
    return names;
  }

  /** Shows the names of a directory, in byte order, until the visitor has had enough. */
  public void eachName(long directory, java.util.function.Predicate<Name> visitor) {
    view.scan(
        Family.DENTRY,
        key(directory),
        key(directory + 1),
        (key, value) -> {
          StoredDentry dentry = parsed(StoredDentry::parseFrom, value);
          ByteString name = ByteString.copyFrom(key, Long.BYTES, key.length - Long.BYTES);
          return visitor.test(new Name(name, dentry.getInode(), dentry.getType()));
        });
  }

  public boolean isEmpty(long directory) {
    return names(directory, ByteString.EMPTY, 1).isEmpty();
  }

  // Sessions.

  /** Who has files open. */
  public Sessions sessions() {
    return new Sessions(view, changes);
  }

  /**
   * Opens a session and returns its number. A removed file is garbage no more.
   *
   * @param kind what the session is for
   */
  public long openSession(Inode inode, long client, long nowNanos, StoredSession kind) {
    if (inode.getNlink() == 0) {
      forgetGarbage(new Garbage(inode.getRemovedNanos(), inode));
    }
    var session = new Sessions.Key(inode.getId(), client, newSession());
    sessions().put(session, kind.toBuilder().setOpenedNanos(nowNanos).build());
    return session.session();
  }

  // Garbage.

  /**
   * A file without name and session, or a detached directory. A file's inode stays beside the
   * record until a collector takes it.
   */
  public record Garbage(long timeNanos, Inode inode) {}

  /**
   * Makes a file without name and session garbage, under the time at which its last name went; not
   * twice. No record is older than what collectors look at: see {@link #garbageFrom}.
   */
  public void putRemoved(Inode inode) {
    if (isRemoved(inode)) {
      return;
    }
    NamespaceCounters.Builder counters = counters();
    long timeNanos = Math.max(inode.getRemovedNanos(), counters.getGarbageFromNanos());
    Inode removed = inode.toBuilder().setRemovedNanos(timeNanos).build();
    put(removed);
    putGarbage(new Garbage(timeNanos, removed));
  }

  /** Whether there is a record of garbage of a file that is still there. */
  public boolean isRemoved(Inode inode) {
    return inode.getNlink() == 0
        && view.get(Family.GARBAGE, key(inode.getRemovedNanos(), inode.getId())) != null;
  }

  public void putGarbage(Garbage garbage) {
    byte[] key = key(garbage.timeNanos(), garbage.inode().getId());
    if (view.get(Family.GARBAGE, key) == null) {
      count(counters().setGarbage(counters().getGarbage() + 1));
    }
    changes().put(Family.GARBAGE, key, garbage.inode().toByteArray());
  }

  public void deleteGarbage(Garbage garbage) {
    changes().delete(Family.GARBAGE, key(garbage.timeNanos(), garbage.inode().getId()));
    count(counters().setGarbage(counters().getGarbage() - 1));
  }

  /** Forgets a record without that anything is removed; returns whether there was one. */
  public boolean forgetGarbage(Garbage garbage) {
    boolean present =
        view.get(Family.GARBAGE, key(garbage.timeNanos(), garbage.inode().getId())) != null;
    if (present) {
      deleteGarbage(garbage);
    }
    return present;
  }

  /**
   * Up to {@code limit} records, oldest first, of those that the test lets through. Starts at the
   * oldest one known of: a scan over many deleted keys is slow.
   *
   * @param untilNanos of this time or before
   */
  public List<Garbage> garbage(
      int limit, long untilNanos, java.util.function.Predicate<Inode> wanted) {
    var garbage = new ArrayList<Garbage>();
    long fromNanos = counters().getGarbageFromNanos();
    if (untilNanos < fromNanos) {
      return garbage;
    }
    view.scan(
        Family.GARBAGE,
        key(fromNanos),
        untilNanos == Long.MAX_VALUE ? null : key(untilNanos + 1),
        (key, value) -> {
          Inode inode = parsed(Inode::parseFrom, value);
          if (wanted.test(inode)) {
            garbage.add(new Garbage(ByteBuffer.wrap(key).getLong(), inode));
          }
          return garbage.size() < limit;
        });
    return garbage;
  }

  /** Remembers that no garbage is older than this; new garbage never is. */
  public void garbageFrom(long timeNanos) {
    NamespaceCounters.Builder counters = counters();
    if (counters.getGarbageFromNanos() != timeNanos) {
      count(counters.setGarbageFromNanos(timeNanos));
    }
  }

  // Counters.

  /** A copy of the counters; changes count only through {@link #count}. */
  public NamespaceCounters.Builder counters() {
    byte[] value = view.get(Family.COUNTER, COUNTERS);
    NamespaceCounters.Builder counters =
        value == null
            ? NamespaceCounters.newBuilder()
            : parsed(NamespaceCounters::parseFrom, value).toBuilder();
    usageState = counters.getUsageState();
    return counters;
  }

  /** Whether usage is kept; known once the counters were looked at. */
  public UsageState usageState() {
    UsageState known = usageState;
    return known != null ? known : counters().getUsageState();
  }

  public void count(NamespaceCounters.Builder counters) {
    usageState = counters.getUsageState();
    changes().put(Family.COUNTER, COUNTERS, counters.build().toByteArray());
  }

  /** A number for a new inode, counted as existing. */
  public long newInode() {
    NamespaceCounters.Builder counters = counters();
    long id = counters.getInodeLast() + 1;
    count(counters.setInodeLast(id).setInodes(counters.getInodes() + 1));
    return id;
  }

  /** Every client that has a session, a lock or a remembered reply. */
  public Set<Long> clients() {
    var clients = new TreeSet<Long>();
    sessions().all().forEach(session -> clients.add(session.client()));
    clients.addAll(locks().clients());
    clients.addAll(Requests.clients(view));
    return clients;
  }
}

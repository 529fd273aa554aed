package luciola.client.mount;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import luciola.client.cluster.InodeFiles;
import luciola.client.cluster.InodeReader;
import luciola.client.cluster.InodeWriter;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * A file that programs of this mount have open: all of them share one writer with one session, so
 * that each reads what the others wrote. An open file whose last name goes away is kept alive by a
 * session.
 */
final class OpenInode {
  /** Of a length that is asked for again only where a file seems to end. */
  static final long FOR_EVER = Long.MAX_VALUE;

  private static final AtomicLong TURNS = new AtomicLong();

  private final InodeFiles files;
  private final long inode;
  private final InodeReader reader;
  private final long lengthNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable InodeWriter writer;
  private volatile long wroteNanos;
  private volatile boolean mayHaveExtended;
  private volatile int mode;

  /** Who opened it last to write, or first. */
  private volatile Identity opener = Callers.MOUNT;

  private volatile @Nullable AppendTurn turn;

  /** Session of a file that is only read and is to outlive its name; 0 if there is none. */
  private volatile long keptBy;

  private final long openedNanos = System.nanoTime();
  private volatile long learnedNanos = openedNanos;
  private volatile boolean closed;

  /** Open files; guarded by the table that has this. */
  int handles;

  /**
   * An inode that was just told of.
   *
   * @param lengthNanos how long its length is taken for right
   */
  OpenInode(InodeFiles files, Inode inode, long lengthNanos) {
    this.lengthNanos = lengthNanos;
    this.files = files;
    this.inode = inode.getId();
    this.reader = files.reader(inode);
    this.mode = inode.getMode();
  }

  /** What an open or a lock told. */
  void learn(Inode opened) {
    if (opened.getExtendedNameBytes() > 0) {
      mayHaveExtended = true;
    }
    mode = opened.getMode();
    learnedNanos = System.nanoTime();
    InodeWriter there = writer;
    if (there == null) {
      reader.learn(opened.getLength());
    } else {
      there.learn(opened);
    }
  }

  /** Who may do with it, whatever becomes of its mode, what he could when he opened it. */
  void openedBy(Identity who, boolean writes) {
    if (writes || opener.equals(Callers.MOUNT)) {
      opener = who;
    }
  }

  /** Permissions and special bits, as this mount knows them. */
  int mode() {
    return mode;
  }

  /** From now on it is asked for extended attributes. */
  void mayHaveExtended() {
    mayHaveExtended = true;
  }

  /** Whether it had no extended attributes whenever it was opened, and got none here since. */
  boolean hasNoExtended() {
    return !mayHaveExtended;
  }

  /** The writer, in a session that is opened if there is none. */
  InodeWriter writer(Identity who) {
    InodeWriter there = writer;
    if (there != null) {
      return there;
    }
    lock.lock();
    try {
      there = writer;
      if (there == null) {
        NamespaceRequest.Builder asked =
            NamespaceRequest.newBuilder().setOpen(Open.newBuilder().setAt(at()).setWrite(true));
        NamespaceReply reply =
            who.equals(Callers.MOUNT) ? Callers.call(files, opener, asked) : files.call(who, asked);
        there = files.writer(reply.getInode(), reply.getOpen().getSession());
        writer = there;
      }
      return there;
    } finally {
      lock.unlock();
    }
  }

  /** A session that was opened with the file; ended at once if it has one already. */
  void adopt(Inode opened, long session) {
    lock.lock();
    try {
      if (writer == null) {
        writer = files.writer(opened, session);
      } else {
        end(session);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether a session keeps it that was opened for readers. */
  boolean isKept() {
    return keptBy != 0;
  }

  /** Whether it has been read for so long, and no session keeps it. */
  boolean isToBeKept(long ageNanos) {
    return !closed && writer == null && keptBy == 0 && System.nanoTime() - openedNanos >= ageNanos;
  }

  /** From now on a session keeps it, though its last name may go. */
  void keep() {
    lock.lock();
    try {
      if (!closed && writer == null && keptBy == 0) {
        keptBy =
            Callers.call(
                    files,
                    opener,
                    NamespaceRequest.newBuilder()
                        .setOpen(Open.newBuilder().setAt(at()).setKeep(true)))
                .getOpen()
                .getSession();
        files.sessionBegan();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Its session is lost, and what was not written yet; the next write opens another one. */
  void lose() {
    lock.lock();
    try {
      InodeWriter there = writer;
      if (there != null) {
        writer = null;
        there.lose();
      }
      if (keptBy != 0) {
        keptBy = 0;
        files.sessionEnded();
      }
    } finally {
      lock.unlock();
    }
  }

  private At at() {
    return At.newBuilder().setInode(inode).build();
  }

  private void end(long session) {
    files.call(
        Callers.MOUNT,
        NamespaceRequest.newBuilder()
            .setClose(Close.newBuilder().setInode(inode).setSession(session)));
  }

  void write(Identity who, long offset, MemorySegment bytes) {
    writer(who).write(offset, bytes);
    wroteNanos = WallNanos.now();
  }

  /** Writes at the end that is known here; who calls has the turn to append. */
  void append(MemorySegment bytes) {
    InodeWriter there = writer(Callers.MOUNT);
    there.write(there.length(), bytes);
    wroteNanos = WallNanos.now();
  }

  /** The turns in which it is appended to. */
  AppendTurn turn(LockOperations locks) {
    lock.lock();
    try {
      AppendTurn there = turn;
      if (there == null) {
        there = new AppendTurn(inode, TURNS.incrementAndGet(), this, locks);
        turn = there;
      }
      return there;
    } finally {
      lock.unlock();
    }
  }

  void truncate(Identity who, long length) {
    writer(who).truncate(length);
  }

  /** Everything written is durable, and its length and time are known to all. */
  void publish() {
    InodeWriter there = writer;
    if (there != null && (there.isModified() || !there.isSettled())) {
      there.publish();
    }
  }

  /** Everything written is where others' reads find it, and they know where the file ends. */
  void show() {
    InodeWriter there = writer;
    if (there != null) {
      there.sync();
    }
  }

  /** Reads; what programs of this mount wrote before is in it. */
  CompletableFuture<Long> read(long offset, MemorySegment into) {
    InodeWriter there = writer;
    if (there != null) {
      if (!there.isSettled()) {
        there.settle();
      }
      if (offset + into.byteSize() > there.length() || isLengthOld()) {
        there.learn(attributes());
      }
      reader.learn(there.length());
    } else if (offset + into.byteSize() > reader.length() || isLengthOld()) {
      reader.learn(attributes().getLength());
    }
    return reader.read(offset, into);
  }

  private boolean isLengthOld() {
    return lengthNanos != FOR_EVER && System.nanoTime() - learnedNanos > lengthNanos;
  }

  /** Whether a read may have to wait for writes. */
  boolean isSettled() {
    InodeWriter there = writer;
    return there == null || there.isSettled();
  }

  private Inode attributes() {
    long asked = System.nanoTime();
    Inode told =
        files
            .call(
                Callers.MOUNT,
                NamespaceRequest.newBuilder()
                    .setGetAttributes(GetAttributes.newBuilder().setInode(inode)))
            .getInode();
    learnedNanos = asked;
    return told;
  }

  /** An inode as this mount's programs see it: what they wrote counts before it is published. */
  Inode seen(Inode known) {
    mode = known.getMode();
    InodeWriter there = writer;
    if (there == null) {
      return known;
    }
    there.learnIfIdle(known);
    if (!there.isModified()) {
      return known;
    }
    long changed = Math.max(wroteNanos, known.getModifiedNanos());
    return known.toBuilder()
        .setLength(there.length())
        .setModifiedNanos(changed)
        .setChangedNanos(Math.max(changed, known.getChangedNanos()))
        .build();
  }

  /**
   * Nobody has it open any more.
   *
   * @throws LuciolaException what could not be written; the session has ended all the same
   */
  void close() {
    lock.lock();
    try {
      closed = true;
      reader.close();
      InodeWriter there = writer;
      if (there != null) {
        there.close();
      }
      if (keptBy != 0) {
        files.sessionEnded();
        end(keptBy);
      }
    } finally {
      lock.unlock();
      closeTurn();
    }
  }

  private void closeTurn() {
    AppendTurn appending = turn;
    if (appending != null) {
      appending.close();
    }
  }
}

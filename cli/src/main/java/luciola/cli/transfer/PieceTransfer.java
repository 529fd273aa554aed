package luciola.cli.transfer;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Copies one long file in pieces, several at once. Which pieces are there is written beside it, so
 * that a later run copies only the others. The worker that ends last gives the file its name.
 */
final class PieceTransfer {
  /** More pieces than this are made longer. */
  private static final int PIECES_MAX = 50_000;

  private final FileTransfer files;
  private final Side to;
  private final Transfer transfer;
  private final String source;
  private final Found what;
  private final String target;
  private final String partial;
  private final String state;
  private final long pieceBytes;
  private final int pieces;
  private final AtomicInteger left;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private Map<Integer, Integer> known = Map.of();
  private @Nullable Journal journal;

  PieceTransfer(FileTransfer files, String source, Found what, String target) {
    this.files = files;
    this.to = files.to();
    this.transfer = files.transfer();
    this.source = source;
    this.what = what;
    this.target = target;
    String name = Temporary.beside(target, source, what);
    this.partial = name + ".part";
    this.state = name + ".done";
    long bytes = files.options().pieceBytes();
    while (what.bytes() / bytes >= PIECES_MAX) {
      bytes *= 2;
    }
    this.pieceBytes = bytes;
    this.pieces = Math.toIntExact((what.bytes() + bytes - 1) / bytes);
    this.left = new AtomicInteger(pieces);
  }

  /** Takes up what an earlier run left, and queues the pieces. */
  void submit() throws InterruptedException {
    transfer.found(what.bytes());
    try {
      begin();
    } catch (IOException | RuntimeException e) {
      failure.set(e);
      end();
      return;
    }
    for (int i = 0; i < pieces; i++) {
      int piece = i;
      transfer.execute(() -> run(piece));
    }
  }

  /** An earlier run that got as far as the name left its state, perhaps. */
  void forgetState() {
    to.removeQuietly(state);
  }

  private void begin() throws IOException, InterruptedException {
    String said = "bytes=" + what.bytes() + " piece=" + pieceBytes + " of=" + what.modifiedNanos();
    Journal.Left found = Journal.Left.NOTHING;
    if (files.options().resume
        && to.find(partial).filter(there -> there.bytes() == what.bytes()).isPresent()) {
      found = Journal.read(to, state, said);
    }
    if (!files.options().resume) {
      transfer
          .unfinished()
          .begin(
              partial,
              () -> {
                to.removeQuietly(partial);
                to.removeQuietly(state);
              });
    }
    known = found.crcs();
    if (found.end() > 0) {
      journal = Journal.append(to, state, found);
      return;
    }
    to.removeQuietly(partial);
    to.removeQuietly(state);
    try (ByteTarget made = to.create(partial)) {
      made.extend(what.bytes());
    }
    journal = Journal.create(to, state, said);
  }

  private void run(int piece) throws InterruptedException {
    try {
      if (failure.get() == null) {
        copy(piece);
      }
    } catch (IOException | RuntimeException e) {
      failure.compareAndSet(null, e);
    } finally {
      if (left.decrementAndGet() == 0) {
        end();
      }
    }
  }

  private void copy(int piece) throws IOException, InterruptedException {
    long at = piece * pieceBytes;
    long end = Math.min(what.bytes(), at + pieceBytes);
    Integer crc = known.get(piece);
    if (crc != null && isThere(at, new FileCopy.Copied(end - at, crc))) {
      transfer.resumed(end - at);
      return;
    }
    FileCopy.Copied copied;
    try (ByteSource in = files.from().open(source);
        ByteTarget out = to.write(partial)) {
      copied = transfer.copy().copy(in, at, end, out::write, transfer::moved);
    }
    if (copied.bytes() < end - at) {
      throw files.changed(source);
    }
    if (files.options().verify) {
      files.check(partial, target, at, copied);
    }
    Journal told = journal;
    if (told != null) {
      told.done(piece, copied.crc32c());
    }
  }

  /** What was written before a crash of this machine may not have been kept. */
  private boolean isThere(long at, FileCopy.Copied wanted)
      throws IOException, InterruptedException {
    return (to.keeps() && !files.options().verify)
        || files.checksum(to, partial, at, at + wanted.bytes()).equals(wanted);
  }

  private void end() {
    try (Journal _ = journal) {
      Throwable wrong = failure.get();
      if (wrong == null) {
        files.give(source, what, what.bytes(), partial, target);
      }
    } catch (IOException | RuntimeException e) {
      failure.compareAndSet(null, e);
    }
    Throwable wrong = failure.get();
    if (wrong == null) {
      forgetState();
      if (files.options().verify) {
        transfer.verified();
      }
      transfer.fileDone();
    } else {
      if (to.isFull(wrong) || !files.options().resume) {
        to.removeQuietly(partial);
        forgetState();
      }
      transfer.failed(source, wrong);
    }
    transfer.unfinished().end(partial);
  }
}

package luciola.cli.transfer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.LuciolaException;

/**
 * Copies files and trees from one side to the other. Directories are walked by the caller's thread,
 * in memory one list for each level; files are copied by workers. Directories get their modes and
 * times, and what is to be deleted goes, when all files are copied.
 */
public final class TreeCopy implements AutoCloseable {
  private final Side from;
  private final Side to;
  private final TransferOptions options;
  private final Transfer transfer;
  private final FileTransfer files;
  private final List<Made> made = new ArrayList<>();
  private final List<Extra> extras = new ArrayList<>();
  private final Queue<Differing> differing = new ConcurrentLinkedQueue<>();

  /** A directory whose attributes come last. */
  private record Made(String path, Found like) {}

  /** A name that the source lacks. */
  private record Extra(String path, boolean directory) {}

  /** A file whose contents are not the same. */
  private record Differing(String source, Found what, String target) {}

  private TreeCopy(
      Invocation invocation, String command, Side from, Side to, TransferOptions options) {
    this.from = from;
    this.to = to;
    this.options = options;
    this.transfer = new Transfer(invocation, command, options);
    this.files = new FileTransfer(from, to, transfer, options);
  }

  /** From this machine into a cluster. */
  public static TreeCopy into(
      LuciolaFileSystem fs, Invocation invocation, String command, TransferOptions options) {
    return new TreeCopy(invocation, command, new LocalSide(), new RemoteSide(fs), options);
  }

  /** From a cluster to this machine. */
  public static TreeCopy outOf(
      LuciolaFileSystem fs, Invocation invocation, String command, TransferOptions options) {
    return new TreeCopy(invocation, command, new RemoteSide(fs), new LocalSide(), options);
  }

  /** Within a cluster. */
  public static TreeCopy within(
      LuciolaFileSystem fs, Invocation invocation, String command, TransferOptions options) {
    Side side = new RemoteSide(fs);
    return new TreeCopy(invocation, command, side, side, options);
  }

  /** Copies what the path leads to, with everything in it, to this path. */
  public void add(String source, String target) throws IOException, InterruptedException {
    Found what = from.follow(source);
    entry(source, what, target, options.resume ? to.find(target) : Optional.empty());
  }

  /** Waits for all of it and returns the exit code. */
  public int finish() throws InterruptedException {
    transfer.drain();
    for (Differing each : differing) {
      copy(each.source(), each.what(), each.target());
    }
    transfer.await();
    if (transfer.failures() == 0) {
      for (Extra extra : extras) {
        tried(extra.path(), () -> delete(extra));
      }
    }
    if (!options.dryRun) {
      for (Made directory : made.reversed()) {
        tried(directory.path(), () -> to.change(directory.path(), directory.like()));
      }
    }
    return transfer.report();
  }

  private void delete(Extra extra) throws IOException {
    if (options.dryRun) {
      transfer.wouldDo("delete", extra.path());
    } else if (extra.directory()) {
      to.removeTree(extra.path());
    } else {
      to.remove(extra.path());
    }
    transfer.deleted();
  }

  @Override
  public void close() {
    transfer.close();
  }

  /** Something that may fail without stopping the rest. */
  private interface Deed {
    void run() throws IOException;
  }

  private void tried(String name, Deed deed) {
    try {
      deed.run();
    } catch (IOException | LuciolaException failure) {
      transfer.failed(name, failure);
    }
  }

  private void entry(String source, Found what, String target, Optional<Found> there)
      throws IOException, InterruptedException {
    Optional<Found> left = there;
    if (options.exact && there.isPresent() && there.get().isDirectory() != what.isDirectory()) {
      makeRoom(target, there.get());
      left = Optional.empty();
    }
    switch (what.kind()) {
      case DIRECTORY -> directory(source, what, target, left);
      case FILE -> file(source, what, target, left);
      case LINK -> link(source, what, target, left);
      case OTHER -> transfer.failed(source, new IOException("neither file, directory nor link"));
    }
  }

  private void makeRoom(String target, Found there) throws IOException {
    if (there.isDirectory() && !options.delete) {
      throw new IOException(target + ": a directory is in the way; --delete removes it");
    }
    if (options.dryRun) {
      transfer.wouldDo("delete", target);
    } else if (there.isDirectory()) {
      to.removeTree(target);
    } else {
      to.remove(target);
    }
    transfer.deleted();
  }

  private void directory(String source, Found what, String target, Optional<Found> there)
      throws IOException, InterruptedException {
    // Listed before the copy is made: a copy into itself ends.
    Map<String, Found> entries = from.list(source);
    if (there.isEmpty()) {
      make(target);
    }
    Map<String, Found> known =
        options.resume && there.isPresent() ? to.list(target) : Map.<String, Found>of();
    made(target, what, there);
    for (Map.Entry<String, Found> entry : entries.entrySet()) {
      String name = entry.getKey();
      if (Temporary.isName(name)) {
        continue;
      }
      String path = from.in(source, name);
      try {
        entry(path, entry.getValue(), to.in(target, name), Optional.ofNullable(known.get(name)));
      } catch (IOException | LuciolaException failure) {
        transfer.failed(path, failure);
      }
    }
    if (options.delete) {
      known.forEach((name, found) -> {
        if (!entries.containsKey(name) || Temporary.isName(name)) {
          extras.add(new Extra(to.in(target, name), found.isDirectory()));
        }
      });
    }
  }

  private void make(String target) throws IOException {
    if (options.dryRun) {
      transfer.wouldDo("directory", target);
    } else {
      to.makeDirectory(target);
    }
    transfer.directoryMade();
  }

  private void made(String target, Found what, Optional<Found> there) {
    boolean same =
        there
            .filter(found -> found.mode() == what.mode())
            .filter(found -> found.modifiedNanos() == what.modifiedNanos())
            .isPresent();
    if (there.isPresent() && options.exact && !same) {
      if (options.dryRun) {
        transfer.wouldDo("attributes", target);
      }
      transfer.changed();
    }
    if (there.isEmpty() || options.exact) {
      made.add(new Made(target, what));
    }
  }

  private void link(String source, Found what, String target, Optional<Found> there)
      throws InterruptedException {
    transfer.execute(() ->
        tried(
            source,
            () -> {
              String leadsTo = from.readLink(source);
              if (there.filter(found -> found.kind() == Found.Kind.LINK).isPresent()
                  && to.readLink(target).equals(leadsTo)
                  && there.get().modifiedNanos() == what.modifiedNanos()) {
                return;
              }
              if (options.dryRun) {
                transfer.wouldDo("link", target);
              } else {
                makeLink(leadsTo, what, target);
              }
              transfer.linkDone();
            }));
  }

  private void makeLink(String leadsTo, Found what, String target) throws IOException {
    String temporary = Temporary.beside(target);
    transfer.unfinished().begin(temporary, () -> to.remove(temporary));
    boolean whole = false;
    try {
      to.link(leadsTo, temporary);
      to.change(temporary, what);
      to.rename(temporary, target);
      whole = true;
    } finally {
      if (!whole) {
        to.removeQuietly(temporary);
      }
      transfer.unfinished().end(temporary);
    }
  }

  private void file(String source, Found what, String target, Optional<Found> there)
      throws InterruptedException {
    if (options.resume && !options.checksum && there.filter(what::looksLike).isPresent()) {
      leaveOut(source, what, target, there.get());
    } else if (options.checksum
        && there
            .filter(found -> found.kind() == Found.Kind.FILE && found.bytes() == what.bytes())
            .isPresent()) {
      transfer.execute(() -> compare(source, what, target, there.get()));
    } else {
      copy(source, what, target);
    }
  }

  private void copy(String source, Found what, String target) throws InterruptedException {
    if (options.dryRun) {
      transfer.wouldDo("copy", target);
      transfer.fileDone();
    } else {
      files.submit(source, what, target);
    }
  }

  private void leaveOut(String source, Found what, String target, Found there) {
    transfer.leftOut(what.bytes());
    if (files.isLong(what) && !options.dryRun) {
      new PieceTransfer(files, source, what, target).forgetState();
    }
    if (options.exact
        && (there.mode() != what.mode() || there.modifiedNanos() != what.modifiedNanos())) {
      if (options.dryRun) {
        transfer.wouldDo("attributes", target);
      } else {
        tried(target, () -> to.change(target, what));
      }
      transfer.changed();
    }
  }

  /** Reads both; copies are made when all have been compared. */
  private void compare(String source, Found what, String target, Found there)
      throws InterruptedException {
    try {
      if (files
          .checksum(from, source, 0, what.bytes())
          .equals(files.checksum(to, target, 0, what.bytes()))) {
        leaveOut(source, what, target, there);
      } else {
        differing.add(new Differing(source, what, target));
      }
    } catch (IOException | LuciolaException failure) {
      transfer.failed(source, failure);
    }
  }
}

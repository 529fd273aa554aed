package luciola.cli.soak.load;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import luciola.client.FileType;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Makes, renames and removes names in a directory of its own. Nobody else does, so each change must
 * give exactly what it gives in a plain map: one that is refused because it was done before was
 * done twice, and one that does not find what an earlier one made shows that it was lost.
 */
final class NameWorker extends Worker {
  private static final int NAMES = 12;
  private static final long AGAIN_NANOS = 50_000_000;

  private final LuciolaFileSystem files;
  private final NameFolder folder;
  private final Pace pace;
  private int steps;

  NameWorker(
      int number,
      LuciolaFileSystem files,
      NameFolder folder,
      Pace pace,
      LoadOptions options,
      Meter meter,
      Findings findings,
      RandomGenerator random,
      BooleanSupplier stopping) {
    super("names-" + number, options, meter, findings, random, stopping);
    this.files = files;
    this.folder = folder;
    this.pace = pace;
  }

  /** Makes the directory. */
  void prepare() {
    files.mkdirs(folder.path());
    files.mkdir(folder.path(NameFolder.COUNTER + 0));
    folder.names().put(NameFolder.COUNTER + 0, FileType.DIRECTORY);
  }

  @Override
  void step() {
    pace.await(0);
    String name = "n" + random().nextInt(NAMES);
    String other = "n" + random().nextInt(NAMES);
    switch (random().nextInt(7)) {
      case 0 -> make(name, FileType.FILE, () -> create(folder.path(name)));
      case 1 ->
          make(
              name,
              FileType.DIRECTORY,
              () -> {
                var _ = files.mkdir(folder.path(name));
              });
      case 2 -> make(name, FileType.SYMLINK, () -> files.symlink("/nowhere", folder.path(name)));
      case 3 -> remove(name);
      case 4 -> rename(name, other);
      case 5 -> count();
      default -> {}
    }
    if (++steps % 50 == 0) {
      compare("a name is what its last change made it");
    }
  }

  private void create(String path) {
    files.openWrite(path, OpenOptions.CREATE_NEW).close();
  }

  private void make(String name, FileType type, Attempt change) {
    var after = new TreeMap<>(folder.names());
    boolean taken = after.putIfAbsent(name, type) != null;
    change("make " + name, change, taken ? ErrorCode.EXISTS : null, after);
  }

  private void remove(String name) {
    var after = new TreeMap<>(folder.names());
    boolean there = after.remove(name) != null;
    change(
        "remove " + name,
        () -> files.remove(folder.path(name)),
        there ? null : ErrorCode.NOT_FOUND,
        after);
  }

  private void rename(String from, String to) {
    var after = new TreeMap<>(folder.names());
    FileType moved = after.remove(from);
    ErrorCode refused = null;
    if (moved == null) {
      refused = ErrorCode.NOT_FOUND;
    } else if (!from.equals(to) && after.containsKey(to)) {
      refused = ErrorCode.EXISTS;
    } else {
      after.put(to, moved);
    }
    if (from.equals(to)) {
      return;
    }
    change(
        "rename " + from + " " + to,
        () -> files.renameNoReplace(folder.path(from), folder.path(to)),
        refused,
        after);
  }

  private void count() {
    long now = folder.counted();
    var after = new TreeMap<>(folder.names());
    after.remove(NameFolder.COUNTER + now);
    after.put(NameFolder.COUNTER + (now + 1), FileType.DIRECTORY);
    folder.counts(now + 1);
    change(
        "count " + (now + 1),
        () ->
            files.rename(
                folder.path(NameFolder.COUNTER + now), folder.path(NameFolder.COUNTER + (now + 1))),
        null,
        after);
    folder.hasCounted(folder.names().containsKey(NameFolder.COUNTER + (now + 1)) ? now + 1 : now);
  }

  /**
   * One change.
   *
   * @param refused how it must be refused; null if it must be done
   * @param after what is there if it is done
   */
  private void change(
      String what, Attempt change, @Nullable ErrorCode refused, Map<String, FileType> after) {
    long started = begin(OperationKind.CHANGE_NAME, folder.path() + " " + what);
    try {
      change.run();
      if (refused != null) {
        findings().add("a change is refused as it must be", about(), refused.name(), "it was done");
      }
      become(after);
      meter().done(OperationKind.CHANGE_NAME, started, 0, 0);
    } catch (LuciolaException e) {
      failed(e, started, refused, after);
    } finally {
      ended();
    }
  }

  private void failed(
      LuciolaException e, long started, @Nullable ErrorCode refused, Map<String, FileType> after) {
    switch (e.code()) {
      case EXISTS, NOT_FOUND, NOT_EMPTY, IS_A_DIRECTORY, NOT_A_DIRECTORY, INVALID_ARGUMENT -> {
        if (e.code() != refused) {
          findings()
              .add(
                  "a change is done once",
                  about(),
                  refused == null ? "it is done" : refused.name(),
                  e.toString());
          become(look());
        }
        meter().done(OperationKind.CHANGE_NAME, started, 0, 0);
      }
      default -> {
        // Nobody knows whether it was done; what is there says it.
        meter().failed(OperationKind.CHANGE_NAME, e.code().name());
        Map<String, FileType> seen = look();
        if (seen.equals(after)) {
          become(after);
        } else {
          compare(seen, "a change of unknown outcome was done or not");
        }
      }
    }
  }

  private void become(Map<String, FileType> now) {
    folder.names().clear();
    folder.names().putAll(now);
  }

  /** What is there, as soon as somebody says it. */
  private Map<String, FileType> look() {
    while (true) {
      try {
        return NameFolder.seen(files.list(folder.path()));
      } catch (LuciolaException e) {
        meter().failed(OperationKind.LIST_NAMES, e.code().name());
        LockSupport.parkNanos(AGAIN_NANOS);
      }
    }
  }

  private void compare(String rule) {
    compare(look(), rule);
  }

  private void compare(Map<String, FileType> seen, String rule) {
    String differs = folder.difference(seen);
    if (!differs.isEmpty()) {
      findings().add(rule, about(), "as the changes say", differs);
      become(seen);
    }
  }

  @Override
  void end() {}
}

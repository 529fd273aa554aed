package luciola.cli.soak.load;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.LuciolaException;

/**
 * Lists directories that others change, through another client: the counter in them is never less
 * than what had been acknowledged before it asked, nor more than what had been asked for after.
 */
final class NameWatcher extends Worker {
  private final LuciolaFileSystem files;
  private final List<NameFolder> folders;
  private final Pace pace;

  NameWatcher(
      int number,
      LuciolaFileSystem files,
      List<NameFolder> folders,
      Pace pace,
      LoadOptions options,
      Meter meter,
      Findings findings,
      RandomGenerator random,
      BooleanSupplier stopping) {
    super("watcher-" + number, options, meter, findings, random, stopping);
    this.files = files;
    this.folders = folders;
    this.pace = pace;
  }

  @Override
  void step() {
    pace.await(0);
    NameFolder folder = folders.get(random().nextInt(folders.size()));
    long least = folder.counted();
    long started = begin(OperationKind.LIST_NAMES, folder.path());
    try {
      OptionalLong seen = counter(folder);
      long most = folder.counting();
      if (seen.isEmpty() || seen.getAsLong() < least || seen.getAsLong() > most) {
        findings()
            .add("a list is not old", about(), "counter " + least + " to " + most, seen.toString());
      }
      meter().done(OperationKind.LIST_NAMES, started, 0, 0);
    } catch (LuciolaException e) {
      meter().failed(OperationKind.LIST_NAMES, e.code().name());
    } finally {
      ended();
    }
  }

  private OptionalLong counter(NameFolder folder) {
    return files.list(folder.path()).stream()
        .filter(entry -> entry.name().startsWith(NameFolder.COUNTER))
        .mapToLong(entry -> Long.parseLong(entry.name().substring(NameFolder.COUNTER.length())))
        .max();
  }

  @Override
  void end() {}
}

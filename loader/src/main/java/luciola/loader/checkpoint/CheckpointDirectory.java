package luciola.loader.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import luciola.client.DirectoryEntry;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** The root directory of a run's checkpoints: what is committed, what was left, what goes. */
final class CheckpointDirectory {
  private final LuciolaFileSystem files;
  private final String root;

  CheckpointDirectory(LuciolaFileSystem files, String root) {
    this.files = files;
    this.root = root;
  }

  String path(String name) {
    return (root.equals("/") ? "" : root) + "/" + name;
  }

  String committedPath(long step) {
    return path(CheckpointName.committed(step));
  }

  /** Steps of committed checkpoints, ascending; none if the root is missing. */
  List<Long> committed() {
    return entries().stream()
        .filter(entry -> entry.stat().isDirectory())
        .map(entry -> CheckpointName.step(entry.name()))
        .flatMap(Optional::stream)
        .sorted()
        .toList();
  }

  private List<DirectoryEntry> entries() {
    try {
      return files.list(root);
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  /** Removes what interrupted saves and removals left; returns how many. */
  int removeLeftovers() {
    List<String> names =
        entries().stream().map(DirectoryEntry::name).filter(CheckpointName::isLeftover).toList();
    names.forEach(name -> files.removeRecursively(path(name)));
    return names.size();
  }

  /** Removes all committed checkpoints but the newest. */
  void retainLast(int count) {
    List<Long> steps = committed();
    for (long step : steps.subList(0, Math.max(0, steps.size() - count))) {
      remove(step);
    }
  }

  /** Takes a checkpoint out of sight at once, then removes it. */
  void remove(long step) {
    String away = path(CheckpointName.beingRemoved(step, nonce()));
    files.renameNoReplace(committedPath(step), away);
    files.removeRecursively(away);
  }

  static long nonce() {
    return RandomGenerator.getDefault().nextLong();
  }
}

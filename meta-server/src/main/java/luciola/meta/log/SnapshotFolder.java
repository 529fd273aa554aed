package luciola.meta.log;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import luciola.meta.store.RocksStore;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.SnapshotRetentionPolicy;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.impl.FileListSnapshotInfo;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots of the state, each a folder {@code checkpoint.TERM_INDEX} with the files of a database.
 * Ratis replaces the whole folder when it receives one from the leader.
 */
final class SnapshotFolder implements StateMachineStorage {
  private static final Pattern NAME = Pattern.compile("checkpoint\\.(\\d+)_(\\d+)");

  private @Nullable Path directory;
  private @Nullable Path temporary;
  private volatile @Nullable SnapshotInfo latest;

  /** One snapshot: where and of which position. */
  record Checkpoint(Path path, TermIndex position) {}

  @Override
  public void init(RaftStorage storage) throws IOException {
    directory = storage.getStorageDir().getStateMachineDir().toPath();
    temporary = storage.getStorageDir().getTmpDir().toPath();
    Files.createDirectories(directory());
    load();
  }

  private Path directory() {
    if (directory == null) {
      throw new IllegalStateException("not initialised");
    }
    return directory;
  }

  /** The newest snapshot; empty if there is none. */
  Optional<Checkpoint> newest() throws IOException {
    return checkpoints().stream().max(Comparator.comparing(Checkpoint::position));
  }

  private List<Checkpoint> checkpoints() throws IOException {
    var checkpoints = new ArrayList<Checkpoint>();
    try (Stream<Path> files = Files.list(directory())) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (name.matches()) {
          checkpoints.add(
              new Checkpoint(
                  file,
                  TermIndex.valueOf(Long.parseLong(name.group(1)), Long.parseLong(name.group(2)))));
        }
      }
    }
    return checkpoints;
  }

  /** Looks again at what is there, after Ratis has put a received snapshot in place. */
  void load() throws IOException {
    Optional<Checkpoint> newest = newest();
    latest = newest.isEmpty() ? null : describe(newest.get());
  }

  private static SnapshotInfo describe(Checkpoint checkpoint) throws IOException {
    var files = new ArrayList<FileInfo>();
    try (Stream<Path> found = Files.list(checkpoint.path())) {
      for (Path file : (Iterable<Path>) found::iterator) {
        files.add(new FileInfo(file, MD5FileUtil.computeMd5ForFile(file.toFile())));
      }
    }
    return new FileListSnapshotInfo(files, checkpoint.position());
  }

  /** Makes a snapshot of the store, durable before it is named; returns its index. */
  long take(RocksStore store) throws IOException {
    Path unfinished = directory().resolve("unfinished");
    RocksStore.delete(unfinished);
    RocksStore.Position position = store.checkpoint(unfinished);
    Path finished = directory().resolve("checkpoint." + position.term() + "_" + position.index());
    if (Files.exists(finished)) {
      RocksStore.delete(unfinished);
      return position.index();
    }
    sync(unfinished);
    Files.move(unfinished, finished, StandardCopyOption.ATOMIC_MOVE);
    sync(directory());
    load();
    return position.index();
  }

  /** Makes a folder and the files in it durable. */
  static void sync(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (Files.isRegularFile(file)) {
          try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.force(true);
          }
        }
      }
    }
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public @Nullable SnapshotInfo getLatestSnapshot() {
    return latest;
  }

  @Override
  public void format() {}

  @Override
  public void cleanupOldSnapshots(SnapshotRetentionPolicy policy) throws IOException {
    List<Checkpoint> old =
        checkpoints().stream()
            .sorted(Comparator.comparing(Checkpoint::position).reversed())
            .skip(1)
            .toList();
    for (Checkpoint checkpoint : old) {
      RocksStore.delete(checkpoint.path());
    }
  }

  @Override
  public File getSnapshotDir() {
    return directory().toFile();
  }

  @Override
  public @Nullable File getTmpDir() {
    return temporary == null ? null : temporary.toFile();
  }
}

package luciola.loader.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.loader.checkpoint.StagedCheckpoint.StagedFile;
import luciola.loader.safetensors.SafetensorsHeader;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Saves checkpoints in the background. {@link #save} returns when the tensors are copied; a thread
 * of the writer computes checksums, writes, syncs and commits, in the order of the saves. Used by
 * one thread.
 *
 * <p>A commit is: every file written into {@code .step-N.tmp-…}, every file synced, the directory
 * renamed to {@code step-N}. A crash at any moment leaves either the new checkpoint whole or none
 * of it, and never touches an older one. What it leaves behind is removed by the next writer.
 */
public final class CheckpointWriter implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointWriter.class);
  private static final String MANIFEST = "manifest.json";

  private final LuciolaFileSystem files;
  private final CheckpointConfig config;
  private final CheckpointDirectory directory;
  private final StagingBuffers buffers = new StagingBuffers();
  private final AtomicReference<@Nullable LuciolaException> failure = new AtomicReference<>();
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("luciola-checkpoint").daemon().factory());
  private volatile long lastCommitted = -1;
  private @Nullable Future<?> last;

  /** Makes the root if it is missing and removes what interrupted saves left there. */
  public CheckpointWriter(LuciolaFileSystem files, CheckpointConfig config) {
    this.files = files;
    this.config = config;
    this.directory = new CheckpointDirectory(files, config.root());
    files.mkdirs(config.root());
    int leftovers = directory.removeLeftovers();
    if (leftovers > 0) {
      LOG.info("checkpoint leftovers removed root={} count={}", config.root(), leftovers);
    }
  }

  /**
   * Allocates and touches the staging memory for checkpoints like this one, so that the first save
   * is as short as the later ones.
   */
  public void prepare(CheckpointContents contents) throws InterruptedException {
    buffers.prepare(StagedCheckpoint.stagingBytes(StagedCheckpoint.layout(contents)));
  }

  /**
   * Copies the tensors and returns; waits while two earlier checkpoints are still being written.
   * Nothing done to the tensors afterwards changes what is saved.
   *
   * <p>A committed checkpoint is never replaced: saving its step again fails in the background with
   * EXISTS.
   *
   * @throws LuciolaException of an earlier save that failed, once; this one is then not begun
   */
  public void save(CheckpointContents contents) throws InterruptedException {
    raiseFailure();
    List<SafetensorsHeader> headers = StagedCheckpoint.layout(contents);
    StagingBuffers.Buffer buffer = buffers.take();
    try {
      raiseFailure();
      MemorySegment staging = buffer.atLeast(StagedCheckpoint.stagingBytes(headers));
      StagedCheckpoint staged = StagedCheckpoint.copy(contents, headers, staging);
      last = thread.submit(() -> writeAndGiveBack(staged, buffer));
    } catch (RuntimeException | Error e) {
      buffers.giveBack(buffer);
      throw e;
    }
  }

  /**
   * Waits until everything saved is committed.
   *
   * @throws LuciolaException of a save that failed, once
   */
  public void await() throws InterruptedException {
    Future<?> waitFor = last;
    if (waitFor != null) {
      try {
        waitFor.get();
      } catch (ExecutionException e) {
        throw new IllegalStateException("checkpoint thread failed", e.getCause());
      }
    }
    raiseFailure();
  }

  /** The newest step this writer has committed. */
  public OptionalLong lastCommitted() {
    long step = lastCommitted;
    return step < 0 ? OptionalLong.empty() : OptionalLong.of(step);
  }

  private void raiseFailure() {
    LuciolaException e = failure.getAndSet(null);
    if (e != null) {
      throw new LuciolaException(
          e.code(), "checkpoint save in the background failed: root=" + config.root(), e);
    }
  }

  private void writeAndGiveBack(StagedCheckpoint staged, StagingBuffers.Buffer buffer) {
    try {
      write(staged);
    } catch (LuciolaException e) {
      failed(staged.step(), e);
    } catch (RuntimeException | Error e) {
      failed(
          staged.step(),
          new LuciolaException(ErrorCode.INTERNAL, "checkpoint write: step=" + staged.step(), e));
    } finally {
      buffers.giveBack(buffer);
    }
  }

  private void failed(long step, LuciolaException e) {
    LOG.warn("checkpoint failed root={} step={} error={}", config.root(), step, e.getMessage());
    failure.compareAndSet(null, e);
  }

  private void write(StagedCheckpoint staged) {
    long begun = System.nanoTime();
    String temporary =
        directory.path(CheckpointName.beingWritten(staged.step(), CheckpointDirectory.nonce()));
    try {
      writeFiles(staged, temporary);
      files.renameNoReplace(temporary, directory.committedPath(staged.step()));
    } catch (RuntimeException | Error e) {
      removeQuietly(temporary);
      throw e;
    }
    lastCommitted = staged.step();
    long bytes = staged.files().stream().mapToLong(file -> file.image().byteSize()).sum();
    LOG.info(
        "checkpoint committed root={} step={} bytes={} millis={}",
        config.root(),
        staged.step(),
        bytes,
        (System.nanoTime() - begun) / 1_000_000);
    directory.retainLast(config.keepLast());
  }

  private void writeFiles(StagedCheckpoint staged, String temporary) {
    files.mkdir(temporary);
    byte[] manifest = ManifestCodec.encode(staged.manifest());
    for (StagedFile file : staged.files()) {
      writeFile(temporary + "/" + file.name(), file.image());
    }
    writeFile(temporary + "/" + MANIFEST, MemorySegment.ofArray(manifest));
  }

  private void writeFile(String path, MemorySegment image) {
    try (WritableFile file = files.openWrite(path, OpenOptions.CREATE_NEW)) {
      for (long at = 0; at < image.byteSize(); at += config.writeBytes()) {
        file.write(at, image.asSlice(at, Math.min(config.writeBytes(), image.byteSize() - at)));
      }
      file.sync();
    }
  }

  private void removeQuietly(String temporary) {
    try {
      if (files.find(temporary).isPresent()) {
        files.removeRecursively(temporary);
      }
    } catch (LuciolaException e) {
      LOG.warn("checkpoint leftover stays path={} error={}", temporary, e.getMessage());
    }
  }

  /**
   * Waits for what was saved, then ends.
   *
   * @throws LuciolaException of a save that failed and was not yet thrown
   */
  @Override
  public void close() {
    thread.close();
    buffers.close();
    raiseFailure();
  }
}

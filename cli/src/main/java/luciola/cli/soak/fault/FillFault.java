package luciola.cli.soak.fault;

import java.util.function.BooleanSupplier;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Files are written until there is no space, and removed again. */
final class FillFault {
  private static final long FILLER_BYTES = 4 << 20;
  private static final int FILLERS_MAX = 400;

  private final FaultScene scene;
  private final LuciolaFileSystem files;
  private final BooleanSupplier stopping;

  FillFault(FaultScene scene, LuciolaFileSystem files, BooleanSupplier stopping) {
    this.scene = scene;
    this.files = files;
    this.stopping = stopping;
  }

  void full() {
    scene.say("writing until there is no space");
    String folder = "/filler-" + scene.random.nextInt(1 << 20);
    int written = 0;
    ErrorCode last = ErrorCode.OK;
    try {
      files.mkdirs(folder);
      while (written < FILLERS_MAX && last != ErrorCode.NO_SPACE && !stopping.getAsBoolean()) {
        last = fill(folder + "/" + written++);
      }
      FaultScene.quiet(scene.random.nextInt(2_000));
    } catch (LuciolaException e) {
      scene.say("filling ended: " + e.getMessage());
    } finally {
      clear(folder);
    }
    scene.say("filled with " + written + " files of 4 MiB, ended by " + last + "; removed");
  }

  private ErrorCode fill(String path) {
    try (WritableFile file = files.openWrite(path, OpenOptions.CREATE_NEW)) {
      file.write(0, new byte[(int) FILLER_BYTES]);
      file.sync();
      return ErrorCode.OK;
    } catch (LuciolaException e) {
      return e.code();
    }
  }

  private void clear(String folder) {
    for (int attempt = 0; attempt < 30 && !Thread.currentThread().isInterrupted(); attempt++) {
      try {
        files.removeRecursively(folder);
        return;
      } catch (LuciolaException e) {
        if (e.code() == ErrorCode.NOT_FOUND) {
          return;
        }
        FaultScene.quiet(500);
      }
    }
  }
}

package luciola.cli.mount;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.fuse.FuseSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "umount",
    description = {
      "Unmounts a directory that was mounted with luciola mount; needs root.",
      "What programs wrote and closed is in the cluster already. One that is in use is refused."
    })
public final class UmountCommand implements Callable<Integer> {
  private static final int EPERM = 1;
  private static final int EBUSY = 16;

  private final Invocation invocation;

  @Parameters(paramLabel = "DIR", description = "The directory.")
  private Path directory = Path.of("");

  @Option(
      names = "--lazy",
      description =
          "Even if it is in use, or its process is dead: the directory is free at once, programs"
              + " that have files open there get errors or keep them until they close them.")
  private boolean lazy;

  public UmountCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() throws IOException {
    Path where = MountPoint.real(invocation.resolve(directory));
    if (!MountPoint.isOurs(where)) {
      throw CommandFailure.failed("nothing of luciola is mounted on " + where);
    }
    int errno = FuseSession.unmount(where, lazy);
    return switch (errno) {
      case 0 -> ExitCode.DONE;
      case EBUSY ->
          throw CommandFailure.failed(
              where + " is in use; end the programs that use it, or add --lazy");
      case EPERM -> throw CommandFailure.failed("unmounting needs root: " + where);
      default -> throw CommandFailure.failed("cannot unmount " + where + ": errno " + errno);
    };
  }
}

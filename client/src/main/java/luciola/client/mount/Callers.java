package luciola.client.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import luciola.client.fuse.FuseCall;
import luciola.grpc.v1.Identity;

/** Who asks: the user and groups of the program behind a request. */
final class Callers {
  /** The mount itself, for what programs may do because they have the file open. */
  static final Identity MOUNT = Identity.getDefaultInstance();

  private static final String GROUPS = "Groups:";

  private Callers() {}

  static Identity of(FuseCall call) {
    Identity.Builder who = Identity.newBuilder().setUid(call.uid()).setGid(call.gid());
    if (call.uid() != 0) {
      groups(call.pid()).forEach(who::addGroups);
    }
    return who.build();
  }

  /** Its groups beside the primary one; none if the process is of another machine, or gone. */
  private static List<Integer> groups(int pid) {
    if (pid <= 0) {
      return List.of();
    }
    try {
      Path status = Path.of("/proc", Integer.toString(pid), "status");
      return Files.readAllLines(status, StandardCharsets.ISO_8859_1).stream()
          .filter(line -> line.startsWith(GROUPS))
          .flatMap(line -> Arrays.stream(line.substring(GROUPS.length()).trim().split(" ")))
          .filter(group -> !group.isEmpty())
          .map(Integer::parseUnsignedInt)
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}

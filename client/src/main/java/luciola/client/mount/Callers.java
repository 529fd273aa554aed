package luciola.client.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import luciola.client.cluster.InodeFiles;
import luciola.client.fuse.FuseCall;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Who asks: the user and groups of the program behind a request. */
final class Callers {
  /** The mount itself, for what programs may do because they have the file open. */
  static final Identity MOUNT = Identity.getDefaultInstance();

  private static final String GROUPS = "Groups:";

  private Callers() {}

  /**
   * As the mount itself. A cluster that lets it act for its users only may refuse that: then in the
   * name of one of them, who could do it when he opened the file, or owns it.
   */
  static NamespaceReply call(InodeFiles files, Identity instead, NamespaceRequest.Builder request) {
    try {
      return files.call(MOUNT, request.clone());
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.PERMISSION_DENIED || e.code() == ErrorCode.NOT_PERMITTED) {
        return files.call(instead, request);
      }
      throw e;
    }
  }

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

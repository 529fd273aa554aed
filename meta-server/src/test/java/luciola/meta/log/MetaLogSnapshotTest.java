package luciola.meta.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two of three members go on, and throw away the log that the third would need. */
class MetaLogSnapshotTest {
  private static final int MADE = 400;
  private static final String NAME = "n".repeat(200);

  @TempDir Path directory;

  @Test
  void aMemberThatMissedTheLogIsFilledBySnapshot() throws Exception {
    List<Member> members = RunningMember.three();
    try (var one = new RunningMember(directory, members, members.get(0));
        var two = new RunningMember(directory, members, members.get(1))) {
      RunningMember.await(() -> one.log.leads() || two.log.leads());
      MetaLog leader = one.log.leads() ? one.log : two.log;
      RunningMember.submit(
          leader,
          Command.newBuilder().setInitCluster(InitCluster.newBuilder().setClusterId(9)).build());
      for (int i = 0; i < MADE; i++) {
        RunningMember.submit(
            leader,
            Command.newBuilder()
                .setNamespace(
                    NamespaceRequest.newBuilder()
                        .setMakeDirectory(
                            MakeDirectory.newBuilder()
                                .setAt(At.newBuilder().setPath(ByteString.copyFromUtf8(NAME + i)))))
                .build());
      }
      assertEquals(MADE + 1, (one.log.leads() ? one : two).inodes());
      try (var three = new RunningMember(directory, members, members.get(2))) {
        RunningMember.await(
            () -> three.inodes() == MADE + 1 && three.log.cluster().clusterId() == 9);
        assertTrue(
            logFiles("m3").stream()
                .noneMatch(name -> name.startsWith("log_0-") || name.endsWith("_0")),
            "it never had the start of the log: " + logFiles("m3"));
        RunningMember.submit(leader, Command.getDefaultInstance());
      }
      // What came by snapshot is still there after a restart of its own.
      try (var three = new RunningMember(directory, members, members.get(2))) {
        assertEquals(MADE + 1, three.inodes());
      }
    }
  }

  private List<String> logFiles(String member) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve(member).resolve("raft"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("log_"))
          .toList();
    }
  }
}

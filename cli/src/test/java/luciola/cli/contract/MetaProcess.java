package luciola.cli.contract;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import luciola.meta.log.Member;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;

/** One of several meta-servers in a process of its own, which can be killed. */
final class MetaProcess implements AutoCloseable {
  private final Member member;
  private final Process process;

  private MetaProcess(Member member, Process process) {
    this.member = member;
    this.process = process;
  }

  /** Members on ports that are free now. */
  static List<Member> members(int count) throws IOException {
    var members = new ArrayList<Member>();
    for (int i = 1; i <= count; i++) {
      members.add(new Member("m" + i, "127.0.0.1", freePort(), freePort()));
    }
    return members;
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return probe.getLocalPort();
    }
  }

  static MetaProcess start(Path directory, Member member, List<Member> members) throws IOException {
    String all =
        members.stream()
            .map(each -> each.id() + ":" + each.raftPort() + ":" + each.servicePort())
            .collect(Collectors.joining(","));
    return new MetaProcess(
        member,
        StorageProcess.launch(
            MetaProcess.class, directory.resolve(member.id()), member.id() + "," + all));
  }

  Member member() {
    return member;
  }

  String address() {
    return member.serviceAddress();
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor(30, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  /** The process itself: a data directory, its own name and all members. */
  public static void main(String[] arguments) throws InterruptedException {
    String[] words = arguments[1].split(",", -1);
    var members = new ArrayList<Member>();
    for (int i = 1; i < words.length; i++) {
      String[] parts = words[i].split(":", -1);
      members.add(
          new Member(
              parts[0], "127.0.0.1", Integer.parseInt(parts[1]), Integer.parseInt(parts[2])));
    }
    Member self =
        members.stream()
            .filter(member -> member.id().equals(words[0]))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException(words[0]));
    MetaServer server =
        MetaServer.start(
            MetaServerConfig.of(Path.of(arguments[0]))
                .withAddress("127.0.0.1", self.servicePort())
                .withMembers(self.id(), members));
    System.out.println(StorageProcess.READY + server.port());
    new CountDownLatch(1).await();
  }
}

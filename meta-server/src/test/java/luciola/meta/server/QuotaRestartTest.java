package luciola.meta.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.SetQuota;
import luciola.grpc.v1.ShowQuota;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Counting what is there goes on where a server ended, and is right while things change. */
class QuotaRestartTest {
  private static final int TREES = 300;
  private static final int DEPTH = 9;

  @TempDir Path directory;

  private MetaServerConfig config() {
    return MetaServerConfig.of(directory.resolve("meta")).withAddress("127.0.0.1", 0);
  }

  private static NamespaceReply ok(LoopbackClient client, NamespaceRequest.Builder request) {
    NamespaceReply reply = client.call(request.setIdentity(Identity.getDefaultInstance()));
    assertEquals("", reply.getMessage());
    return reply;
  }

  private static NamespaceRequest.Builder mkdirs(LoopbackClient client, String path) {
    return client
        .request()
        .setMakeDirectory(
            MakeDirectory.newBuilder()
                .setAt(LoopbackClient.at(path))
                .setMode(0777)
                .setParents(true));
  }

  private static NamespaceRequest.Builder limit(LoopbackClient client, long inodes) {
    return client
        .request()
        .setSetQuota(SetQuota.newBuilder().setAt(LoopbackClient.at("t")).setInodes(inodes));
  }

  private static Quota shown(LoopbackClient client) {
    return ok(
            client,
            client.request().setShowQuota(ShowQuota.newBuilder().setAt(LoopbackClient.at("t"))))
        .getQuotas()
        .getQuotas(0);
  }

  private static Quota counted(LoopbackClient client) {
    long start = System.nanoTime();
    Quota quota = shown(client);
    while (quota.getCounting()) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60), "not counted: " + quota);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
      quota = shown(client);
    }
    return quota;
  }

  @Test
  void countingGoesOnAfterARestart() {
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 5)) {
      for (int i = 0; i < TREES; i++) {
        ok(client, mkdirs(client, "t/" + i + "/a".repeat(DEPTH - 1)));
      }
      ok(client, limit(client, 10_000_000));
    }
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 6)) {
      ok(
          client,
          client
              .request()
              .setRemoveTree(RemoveTree.newBuilder().setAt(LoopbackClient.at("t/7/a"))));
      ok(client, mkdirs(client, "t/8/b/c"));
      assertEquals(TREES * DEPTH - (DEPTH - 1) + 2, counted(client).getUsedInodes());
      ok(client, limit(client, TREES * DEPTH - (DEPTH - 1) + 2));
    }
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 7)) {
      NamespaceReply refused = client.call(mkdirs(client, "t/more"));
      assertEquals(ErrorCode.QUOTA_EXCEEDED, ErrorCode.ofNumber(refused.getCode()));
      assertEquals(TREES * DEPTH - (DEPTH - 1) + 2, counted(client).getUsedInodes());
    }
  }
}

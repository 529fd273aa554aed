package luciola.storage.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import luciola.grpc.v1.CreateTableRequest;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.storage.engine.EngineConfig;
import luciola.storage.engine.Waits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three storage-servers, one meta-server, real connections. */
class StorageServerTest {
  private static final ClusterTimings TIMINGS =
      new ClusterTimings(100_000_000L, 1_500_000_000L, 2_500_000_000L);
  private static final int REPLICAS = 3;

  @TempDir Path directory;

  private MetaServer metaServer;
  private final List<StorageServer> servers = new ArrayList<>();
  private TestClient client;
  private ChainId chain;

  @BeforeEach
  void start() throws IOException {
    metaServer =
        MetaServer.start(
            MetaServerConfig.of(directory.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withTimings(TIMINGS, 60_000_000_000L));
    for (int i = 0; i < REPLICAS; i++) {
      servers.add(server(i));
    }
    client =
        new TestClient(
            MetaConnection.connect(MetaOptions.of(List.of("127.0.0.1:" + metaServer.port()))));
    client.meta.createTable(
        CreateTableRequest.newBuilder().setReplicas(REPLICAS).setChains(2).build());
    Waits.until(() -> "table", () -> client.routing.routing().chains().size() == 2);
    chain = client.routing.routing().chains().keySet().stream().sorted().toList().getLast();
    client.await(chain, "all serve", it -> TestClient.serve(it, REPLICAS));
  }

  private StorageServer server(int number) throws IOException {
    Path home = directory.resolve("s" + number);
    return StorageServer.start(
        StorageServerConfig.of(
                home.resolve("node"),
                List.of(home.resolve("t")),
                List.of("127.0.0.1:" + metaServer.port()))
            .withEngine(EngineConfig.DEFAULTS.withCapacityBytes(4L << 30)));
  }

  @AfterEach
  void stop() {
    client.close();
    servers.forEach(StorageServer::close);
    metaServer.close();
  }

  private static ChunkId chunk(int number) {
    return new ChunkId(new InodeId(5), number);
  }

  private static byte[] bytes(long seed, int length) {
    var bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private List<TargetId> members() {
    return client.chain(chain).members().stream().map(member -> member.target()).toList();
  }

  /** Number of the server that has a target. */
  private int serverOf(TargetId target) {
    int port = client.routing.routing().nodeOf(target).orElseThrow().port();
    for (int i = 0; i < REPLICAS; i++) {
      if (servers.get(i).port() == port) {
        return i;
      }
    }
    throw new AssertionError("no server of target=" + target);
  }

  @Test
  void whatIsWrittenAtTheHeadIsReadAtEveryReplica() {
    byte[] small = bytes(1, 5000);
    byte[] large = bytes(2, 3_000_000);
    assertEquals(5000, client.write(chain, chunk(0), 0, small).chunkBytes());
    client.write(chain, chunk(1), 0, large);
    for (TargetId member : members()) {
      client.awaitBytes(chain, member, chunk(0), small);
      client.awaitBytes(chain, member, chunk(1), large);
    }
    client.update(chain, chunk(0), new Update.Remove(), new byte[0]);
    for (TargetId member : members()) {
      MemorySegment into = Arena.ofAuto().allocate(10);
      Waits.until(
          () -> "removed at " + member,
          () ->
              client.readOnce(chain, member, chunk(0), 0, into).code()
                  == ErrorCode.CHUNK_NOT_FOUND);
    }
  }

  @Test
  void aReturnedReplicaIsFilledWhileWritesGoOn() throws IOException {
    byte[] before = bytes(1, 200_000);
    client.write(chain, chunk(0), 0, before);
    client.write(chain, chunk(1), 0, bytes(2, 300_000));
    TargetId tail = members().getLast();
    int number = serverOf(tail);
    servers.get(number).close();
    client.await(chain, "two serve", it -> TestClient.serve(it, REPLICAS - 1));
    byte[] meanwhile = bytes(3, 150_000);
    client.write(chain, chunk(1), 0, meanwhile);
    client.update(chain, chunk(1), new Update.Truncate(150_000), new byte[0]);
    client.write(chain, chunk(2), 4096, bytes(4, 10));
    client.update(chain, chunk(0), new Update.Remove(), new byte[0]);
    servers.set(number, server(number));
    Chain whole = client.await(chain, "all serve again", it -> TestClient.serve(it, REPLICAS));
    assertTrue(whole.serving().contains(tail));
    client.awaitBytes(chain, tail, chunk(1), meanwhile);
    byte[] gap = new byte[4106];
    System.arraycopy(bytes(4, 10), 0, gap, 4096, 10);
    client.awaitBytes(chain, tail, chunk(2), gap);
    ReadReply.Result removed =
        client.readOnce(chain, tail, chunk(0), 0, Arena.ofAuto().allocate(10));
    assertEquals(ErrorCode.CHUNK_NOT_FOUND, removed.code());
  }

  @Test
  void theHeadMayGoAndAllMayRestart() throws IOException {
    byte[] first = bytes(1, 100_000);
    client.write(chain, chunk(0), 0, first);
    int head = serverOf(members().getFirst());
    servers.get(head).close();
    byte[] second = bytes(2, 70_000);
    client.write(chain, chunk(1), 0, second);
    for (int i = 0; i < REPLICAS; i++) {
      if (i != head) {
        servers.get(i).close();
      }
    }
    for (int i = 0; i < REPLICAS; i++) {
      servers.set(i, server(i));
    }
    client.await(chain, "all serve again", it -> TestClient.serve(it, REPLICAS));
    for (TargetId member : members()) {
      client.awaitBytes(chain, member, chunk(0), first);
      client.awaitBytes(chain, member, chunk(1), second);
    }
  }

  @Test
  void aFlippedBitIsRepairedFromAnotherReplica() throws IOException {
    byte[] data = bytes(7, 250_000);
    client.write(chain, chunk(0), 0, data);
    for (TargetId member : members()) {
      client.awaitBytes(chain, member, chunk(0), data);
    }
    TargetId victim = members().getLast();
    flipOneBit(directory.resolve("s" + serverOf(victim)).resolve("t").resolve("blocks"), data);
    MemorySegment into = Arena.ofAuto().allocate(100);
    ReadReply.Result bad = client.readOnce(chain, victim, chunk(0), 100_000, into);
    assertEquals(ErrorCode.CHECKSUM_MISMATCH, bad.code());
    client.awaitBytes(chain, victim, chunk(0), data);
    assertEquals(ErrorCode.OK, client.readOnce(chain, victim, chunk(0), 100_000, into).code());
  }

  /** Finds the bytes in the block files and turns one bit of them. */
  private static void flipOneBit(Path blocks, byte[] data) throws IOException {
    try (Stream<Path> files = Files.list(blocks)) {
      for (Path path : files.toList()) {
        try (var file = new RandomAccessFile(path.toFile(), "rw")) {
          var start = new byte[64];
          for (long at = 0; at + data.length <= file.length(); at += 4096) {
            file.seek(at);
            file.readFully(start);
            if (java.util.Arrays.equals(start, 0, 64, data, 0, 64)) {
              file.seek(at + 100_050);
              int old = file.read();
              file.seek(at + 100_050);
              file.write(old ^ 8);
              return;
            }
          }
        }
      }
    }
    throw new AssertionError("bytes were not found: blocks=" + blocks);
  }

  @Test
  void aDirectoryInUseOrOfAnotherClusterIsRefused() throws IOException {
    LuciolaException inUse = assertThrows(LuciolaException.class, () -> server(0));
    assertTrue(String.valueOf(inUse.getMessage()).contains("in use"));
    servers.get(0).close();
    Path identity = directory.resolve("s0/node/identity");
    String text = Files.readString(identity);
    Files.writeString(identity, text.replaceAll("cluster=.*", "cluster=abc"));
    LuciolaException other = assertThrows(LuciolaException.class, () -> server(0));
    assertEquals(ErrorCode.WRONG_CLUSTER, other.code());
    Files.writeString(identity, text.replaceAll("format=.*", "format=3"));
    LuciolaException newer = assertThrows(LuciolaException.class, () -> server(0));
    assertEquals(ErrorCode.FORMAT_TOO_NEW, newer.code());
    Files.writeString(identity, text);
    servers.set(0, server(0));
  }
}

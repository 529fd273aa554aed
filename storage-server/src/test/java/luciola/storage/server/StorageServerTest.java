package luciola.storage.server;

import static luciola.storage.server.ServerCluster.bytes;
import static luciola.storage.server.ServerCluster.chunk;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.storage.engine.Waits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three storage-servers, one meta-server, real connections. */
class StorageServerTest {
  private static final int REPLICAS = 3;

  @TempDir Path directory;

  private ServerCluster cluster;
  private TestClient client;
  private ChainId chain;

  @BeforeEach
  void start() throws IOException {
    cluster = new ServerCluster(directory, REPLICAS, 2, config -> config, null);
    client = cluster.client;
    chain = cluster.chain;
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void whatIsWrittenAtTheHeadIsReadAtEveryReplica() {
    byte[] small = bytes(1, 5000);
    byte[] large = bytes(2, 3_000_000);
    assertEquals(5000, client.write(chain, chunk(0), 0, small).chunkBytes());
    client.write(chain, chunk(1), 0, large);
    for (TargetId member : cluster.members()) {
      client.awaitBytes(chain, member, chunk(0), small);
      client.awaitBytes(chain, member, chunk(1), large);
    }
    client.update(chain, chunk(0), new Update.Remove(), new byte[0]);
    for (TargetId member : cluster.members()) {
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
    TargetId tail = cluster.members().getLast();
    int number = cluster.serverOf(tail);
    cluster.stop(number);
    cluster.awaitServing(REPLICAS - 1);
    byte[] meanwhile = bytes(3, 150_000);
    client.write(chain, chunk(1), 0, meanwhile);
    client.update(chain, chunk(1), new Update.Truncate(150_000), new byte[0]);
    client.write(chain, chunk(2), 4096, bytes(4, 10));
    client.update(chain, chunk(0), new Update.Remove(), new byte[0]);
    cluster.start(number);
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
    int head = cluster.serverOf(cluster.members().getFirst());
    cluster.stop(head);
    byte[] second = bytes(2, 70_000);
    client.write(chain, chunk(1), 0, second);
    for (int i = 0; i < REPLICAS; i++) {
      if (i != head) {
        cluster.stop(i);
      }
    }
    for (int i = 0; i < REPLICAS; i++) {
      cluster.start(i);
    }
    cluster.awaitServing(REPLICAS);
    for (TargetId member : cluster.members()) {
      client.awaitBytes(chain, member, chunk(0), first);
      client.awaitBytes(chain, member, chunk(1), second);
    }
  }

  @Test
  void aFlippedBitIsRepairedFromAnotherReplica() throws IOException {
    byte[] data = bytes(7, 250_000);
    client.write(chain, chunk(0), 0, data);
    for (TargetId member : cluster.members()) {
      client.awaitBytes(chain, member, chunk(0), data);
    }
    TargetId victim = cluster.members().getLast();
    BlockDamage.flip(100_050).toBlockOf(data, cluster.blocks(cluster.serverOf(victim)));
    MemorySegment into = Arena.ofAuto().allocate(100);
    ReadReply.Result bad = client.readOnce(chain, victim, chunk(0), 100_000, into);
    assertEquals(ErrorCode.CHECKSUM_MISMATCH, bad.code());
    client.awaitBytes(chain, victim, chunk(0), data);
    assertEquals(ErrorCode.OK, client.readOnce(chain, victim, chunk(0), 100_000, into).code());
  }

  @Test
  void aDirectoryInUseOrOfAnotherClusterIsRefused() throws IOException {
    LuciolaException inUse = assertThrows(LuciolaException.class, () -> cluster.start(0));
    assertTrue(String.valueOf(inUse.getMessage()).contains("in use"));
    cluster.stop(0);
    Path identity = directory.resolve("s0/node/identity");
    String text = Files.readString(identity);
    Files.writeString(identity, text.replaceAll("cluster=.*", "cluster=abc"));
    LuciolaException other = assertThrows(LuciolaException.class, () -> cluster.start(0));
    assertEquals(ErrorCode.WRONG_CLUSTER, other.code());
    Files.writeString(identity, text.replaceAll("format=.*", "format=4"));
    LuciolaException newer = assertThrows(LuciolaException.class, () -> cluster.start(0));
    assertEquals(ErrorCode.FORMAT_TOO_NEW, newer.code());
    Files.writeString(identity, text);
    cluster.start(0);
  }
}

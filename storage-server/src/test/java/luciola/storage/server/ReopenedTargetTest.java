package luciola.storage.server;

import static luciola.storage.server.ServerCluster.bytes;
import static luciola.storage.server.ServerCluster.chunk;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.OperateExactly;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.Update;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.PublicState;
import luciola.storage.disk.TargetDirectory;
import luciola.storage.engine.Waits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A disk fails and is mended while its server runs. */
@Timeout(300)
final class ReopenedTargetTest {
  private static final int CHUNKS = 12;
  private static final int LENGTH = 300_000;
  private static final ReopenSettings SOON =
      new ReopenSettings(Duration.ofMillis(50), Duration.ofMillis(400), 100_000);
  private static final ReopenSettings ASKED_ONLY =
      new ReopenSettings(Duration.ofMillis(50), Duration.ofMillis(400), 0);

  @TempDir Path directory;

  private final BreakableDisks disks = new BreakableDisks();

  private ServerCluster cluster(int replicas, ReopenSettings reopen) throws IOException {
    return new ServerCluster(
        directory,
        replicas,
        1,
        config -> config.withReopen(reopen).withScrub(64 << 20, Duration.ofMillis(300)),
        disks);
  }

  private static String reported(ServerCluster cluster, TargetId target) {
    return cluster
        .report(target)
        .filter(report -> report.getLocalState() == LocalState.LOCAL_STATE_OFFLINE)
        .map(TargetReport::getError)
        .orElse("");
  }

  private static void awaitReport(ServerCluster cluster, TargetId target, String words) {
    Waits.until(
        () -> words + " report=" + cluster.report(target),
        () -> reported(cluster, target).contains(words));
  }

  /** Nothing of a target is in use: its directory could be unmounted. */
  private static boolean closed(Path target) {
    try (TargetDirectory _ = TargetDirectory.existing(target)) {
      return true;
    } catch (LuciolaException inUse) {
      return false;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Reads everywhere until told to end; every answer with bytes has the right ones. */
  private static CompletableFuture<Long> reading(
      ServerCluster cluster, List<TargetId> targets, AtomicBoolean ended) {
    return CompletableFuture.supplyAsync(() -> {
      MemorySegment into = Arena.ofAuto().allocate(LENGTH);
      long good = 0;
      for (int round = 0; !ended.get(); round++) {
        int number = round % CHUNKS;
        try {
          ReadReply.Result result =
              cluster.client.readOnce(
                  cluster.chain,
                  targets.get(round / CHUNKS % targets.size()),
                  chunk(number),
                  0,
                  into);
          if (result.code() == ErrorCode.OK) {
            assertTrue(
                Arrays.equals(bytes(number, LENGTH), into.toArray(ValueLayout.JAVA_BYTE)),
                "chunk " + number);
            good++;
          }
          assertFalse(result.code() == ErrorCode.CHECKSUM_MISMATCH, "bytes and checksums");
        } catch (CompletionException e) {
          // The target is away.
        }
      }
      return good;
    });
  }

  @Test
  void aMendedDiskServesAgainWithEverythingWhileItsServerGoesOn() throws IOException {
    try (ServerCluster cluster = cluster(3, SOON)) {
      for (int i = 0; i < CHUNKS; i++) {
        cluster.client.write(cluster.chain, chunk(i), 0, bytes(i, LENGTH));
      }
      var ended = new AtomicBoolean();
      var readers = new ArrayList<CompletableFuture<Long>>();
      List<TargetId> members = cluster.members();
      readers.add(reading(cluster, members, ended));
      readers.add(reading(cluster, members, ended));
      for (int time = 0; time < 2; time++) {
        // First the head, which orders the updates, then whoever is the last.
        List<TargetId> now = cluster.members();
        TargetId victim = time == 0 ? now.getFirst() : now.getLast();
        Path disk = cluster.target(cluster.serverOf(victim));
        disks.broken(disk);
        int first = 100 * (time + 1);
        cluster.client.write(cluster.chain, chunk(first), 0, bytes(first, LENGTH));
        cluster.awaitServing(2);
        awaitReport(cluster, victim, "said by the test");
        awaitReport(cluster, victim, "not open again");
        Waits.until(() -> "everything of the target is closed", () -> closed(disk));
        cluster.client.write(cluster.chain, chunk(first + 1), 0, bytes(first + 1, 5000));
        cluster.client.update(cluster.chain, chunk(first), new Update.Remove(), new byte[0]);
        disks.mended(disk);
        cluster.awaitServing(3);
        for (int i = 0; i < CHUNKS; i++) {
          cluster.client.awaitBytes(cluster.chain, victim, chunk(i), bytes(i, LENGTH));
        }
        cluster.client.awaitBytes(cluster.chain, victim, chunk(first + 1), bytes(first + 1, 5000));
        MemorySegment into = Arena.ofAuto().allocate(8);
        assertEquals(
            ErrorCode.CHUNK_NOT_FOUND,
            cluster.client.readOnce(cluster.chain, victim, chunk(first), 0, into).code(),
            "what was removed meanwhile is removed there too");
        Waits.until(() -> "no error is left", () -> reported(cluster, victim).isEmpty());
      }
      ended.set(true);
      for (CompletableFuture<Long> reader : readers) {
        assertTrue(reader.join() > 0);
      }
    }
  }

  @Test
  void theOnlyReplicaBringsItsChainBack() throws IOException {
    try (ServerCluster cluster = cluster(1, SOON)) {
      cluster.client.write(cluster.chain, chunk(0), 0, bytes(0, LENGTH));
      TargetId target = cluster.members().getFirst();
      Path disk = cluster.target(0);
      disks.broken(disk);
      CompletableFuture<?> writing =
          CompletableFuture.supplyAsync(
              () -> cluster.client.write(cluster.chain, chunk(1), 0, bytes(1, LENGTH)));
      cluster.client.await(
          cluster.chain,
          "last serving",
          chain -> chain.stateOf(target).filter(PublicState.LAST_SERVING::equals).isPresent());
      Waits.until(() -> "closed", () -> closed(disk));
      disks.mended(disk);
      cluster.awaitServing(1);
      writing.join();
      cluster.client.awaitBytes(cluster.chain, target, chunk(0), bytes(0, LENGTH));
      cluster.client.awaitBytes(cluster.chain, target, chunk(1), bytes(1, LENGTH));
    }
  }

  private static void ask(ServerCluster cluster, TargetId target) {
    cluster.client.meta.operate(
        OperateRequest.newBuilder()
            .setExactly(OperateExactly.newBuilder().addReopenTargets(target.value()))
            .build());
  }

  @Test
  void whatIsNotThisTargetIsRefusedAndLeftAsItIs() throws IOException {
    try (ServerCluster cluster = cluster(2, ASKED_ONLY)) {
      cluster.client.write(cluster.chain, chunk(0), 0, bytes(0, LENGTH));
      TargetId victim = cluster.members().getLast();
      Path disk = cluster.target(cluster.serverOf(victim));
      Path aside = directory.resolve("aside");
      disks.broken(disk);
      cluster.client.write(cluster.chain, chunk(1), 0, bytes(1, LENGTH));
      Waits.until(() -> "closed", () -> closed(disk));
      disks.mended(disk);
      assertFalse(reported(cluster, victim).contains("not open again"), "nobody has asked yet");

      Files.move(disk, aside);
      ask(cluster, victim);
      awaitReport(cluster, victim, "does not exist");
      assertFalse(Files.exists(disk), "nothing is made");

      Files.createDirectory(disk);
      ask(cluster, victim);
      awaitReport(cluster, victim, "has no identity");
      try (Stream<Path> made = Files.list(disk)) {
        assertEquals(0, made.count());
      }

      String identity = Files.readString(aside.resolve("identity"));
      Path there = disk.resolve("identity");
      Files.writeString(there, identity.replaceAll("uuid=[0-9a-f]+", "uuid=77"));
      ask(cluster, victim);
      awaitReport(cluster, victim, "another target lies in the directory");
      Files.writeString(there, identity.replaceAll("cluster=[0-9a-f]+", "cluster=77"));
      ask(cluster, victim);
      awaitReport(cluster, victim, "another cluster");

      Files.delete(there);
      Files.deleteIfExists(disk.resolve("lock"));
      Files.delete(disk);
      Files.move(aside, disk);
      cluster.client.write(cluster.chain, chunk(2), 0, bytes(2, LENGTH));
      ask(cluster, victim);
      cluster.awaitServing(2);
      for (int i = 0; i < 3; i++) {
        cluster.client.awaitBytes(cluster.chain, victim, chunk(i), bytes(i, LENGTH));
      }
    }
  }
}

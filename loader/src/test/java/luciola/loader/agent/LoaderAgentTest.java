package luciola.loader.agent;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.loader.order.EpochLedger;
import luciola.loader.order.LastBatch;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.SharedRegion;
import luciola.loader.train.TokenBatch;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoaderAgentTest {
  private static final int SEQUENCE = 32;

  @TempDir Path directory;
  private AgentFixture fixture;

  @BeforeEach
  void start() {
    fixture = new AgentFixture(directory);
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  private static DatasetRequest corpus(int batch) {
    return DatasetRequest.of("/corpus", SEQUENCE, batch, 9);
  }

  private AgentClient open(DatasetRequest request) throws InterruptedException {
    return AgentClient.open(fixture.socket, request);
  }

  private static List<Long> ids(TokenBatch batch) {
    List<Long> ids = new ArrayList<>();
    for (int row = 0; row < batch.rows(); row++) {
      ids.add(batch.sampleId(row));
    }
    return ids;
  }

  private static List<List<Long>> drain(AgentClient client) throws InterruptedException {
    List<List<Long>> all = new ArrayList<>();
    Optional<TokenBatch> next = client.next();
    while (next.isPresent()) {
      try (TokenBatch batch = next.get()) {
        all.add(ids(batch));
      }
      next = client.next();
    }
    return all;
  }

  @Test
  void everyRowIsTheWindowOfItsSample() throws InterruptedException {
    int rows = 0;
    try (AgentClient client = open(corpus(7).until(2))) {
      assertEquals((fixture.tokens.length - 1) / SEQUENCE, client.samples());
      Optional<TokenBatch> next = client.next();
      while (next.isPresent()) {
        try (TokenBatch batch = next.get()) {
          byte[] data = batch.tokens().toArray(JAVA_BYTE);
          assertEquals(batch.rows() * (SEQUENCE + 1), data.length);
          for (int row = 0; row < batch.rows(); row++) {
            int from = (int) batch.sampleId(row) * SEQUENCE;
            assertArrayEquals(
                Arrays.copyOfRange(fixture.tokens, from, from + SEQUENCE + 1),
                Arrays.copyOfRange(data, row * (SEQUENCE + 1), (row + 1) * (SEQUENCE + 1)));
          }
          rows += batch.rows();
        }
        next = client.next();
      }
      assertEquals(2 * client.samples(), rows);
      TransferReport report = client.report();
      assertEquals(rows * (SEQUENCE + 1L), report.batchBytes());
    }
  }

  @Test
  void threeRanksTogetherAreGivenEverySampleOnce() throws InterruptedException {
    EpochLedger ledger = new EpochLedger((fixture.tokens.length - 1) / SEQUENCE);
    for (int rank = 0; rank < 3; rank++) {
      try (AgentClient client = open(corpus(5).shared(rank, 3).until(1))) {
        List<List<Long>> steps = drain(client);
        assertEquals(client.stepsPerEpoch(), steps.size());
        for (List<Long> step : steps) {
          step.forEach(ledger::deliver);
        }
      }
    }
    assertEquals(new EpochLedger.Verdict.ExactlyOnce(ledger.delivered()), ledger.verdict());
  }

  @Test
  void goesOnExactlyAfterAnyBatchAlsoWithAnotherNumberOfRanks() throws InterruptedException {
    List<List<Long>> whole = new ArrayList<>();
    List<String> positions = new ArrayList<>();
    try (AgentClient client = open(corpus(8).until(2))) {
      positions.add(client.startPosition());
      Optional<TokenBatch> next = client.next();
      while (next.isPresent()) {
        try (TokenBatch batch = next.get()) {
          whole.add(ids(batch));
          positions.add(batch.positionAfter());
        }
        next = client.next();
      }
    }
    for (int done = 0; done < whole.size(); done += 9) {
      try (AgentClient resumed = open(corpus(8).until(2).from(positions.get(done)))) {
        assertEquals(whole.subList(done, whole.size()), drain(resumed));
      }
      try (AgentClient first = open(corpus(4).shared(0, 2).from(positions.get(done)));
          AgentClient second = open(corpus(4).shared(1, 2).from(positions.get(done)));
          TokenBatch low = first.next().orElseThrow();
          TokenBatch high = second.next().orElseThrow()) {
        List<Long> both = new ArrayList<>(ids(low));
        both.addAll(ids(high));
        assertEquals(whole.get(done), both);
      }
    }
  }

  @Test
  void recordsComeAsRowsOfTheirOwnSize() throws InterruptedException {
    int rows = 0;
    DatasetRequest request = DatasetRequest.of("/records", 1, 7, 3).until(1).ending(LastBatch.PAD);
    try (AgentClient client = open(request)) {
      Optional<TokenBatch> next = client.next();
      while (next.isPresent()) {
        try (AgentBatch batch = (AgentBatch) next.get()) {
          assertEquals(7, batch.rows());
          for (int row = 0; row < batch.rows(); row++) {
            assertArrayEquals(
                fixture.documents.get((int) batch.sampleId(row)).bytes(),
                batch.row(row).toArray(JAVA_BYTE));
          }
          rows += batch.validRows();
        }
        next = client.next();
      }
    }
    assertEquals(AgentFixture.DOCUMENTS, rows);
  }

  @Test
  void readsAheadOnlyAsFarAsThereAreSlots() throws InterruptedException {
    try (AgentClient client = open(corpus(2).withSlots(2))) {
      TokenBatch first = client.next().orElseThrow();
      TokenBatch second = client.next().orElseThrow();
      assertEquals(2, client.report().batches());
      byte[] held = first.tokens().toArray(JAVA_BYTE);
      second.close();
      try (TokenBatch third = client.next().orElseThrow()) {
        assertEquals(2, third.rows());
        assertArrayEquals(held, first.tokens().toArray(JAVA_BYTE), "a held slot was written to");
      }
      first.close();
    }
  }

  @Test
  void aBatchUsedAfterItsSlotWentBackThrows() throws InterruptedException {
    AgentClient client = open(corpus(2));
    TokenBatch batch = client.next().orElseThrow();
    MemorySegment tokens = batch.tokens();
    batch.close();
    batch.close();
    assertThrows(IllegalStateException.class, () -> tokens.get(JAVA_BYTE, 0));
    TokenBatch outlives = client.next().orElseThrow();
    MemorySegment late = outlives.tokens();
    client.close();
    client.close();
    assertThrows(IllegalStateException.class, () -> late.get(JAVA_BYTE, 0));
    outlives.close();
  }

  @Test
  void aTrainerThatDiesGivesItsMemoryBack() throws InterruptedException {
    AgentSocket dying = AgentSocket.connect(fixture.socket);
    ObjectNode request = corpus(4).encode().put("op", "open").put("id", 1).put("protocol", 1);
    dying.send(new AgentMessage.Control(request));
    AgentMessage.Control opened = (AgentMessage.Control) dying.receive().orElseThrow();
    long bytes = opened.body().path("regionBytes").asLong();
    SharedRegion region = SharedRegion.open(Path.of(opened.body().path("region").asText()), bytes);
    dying.send(new AgentMessage.Control(AgentMessage.json().put("op", "mapped")));
    assertTrue(dying.receive().isPresent(), "a batch is in its hands");
    assertEquals(bytes, fixture.agent.regionBytes());
    assertFalse(Files.exists(region.path()), "nothing would stay behind after a crash");
    dying.close();
    AgentFixture.await("slots come back", () -> fixture.agent.regionBytes() == 0);
    AgentFixture.await("connection is gone", () -> fixture.agent.trainers() == 0);
    region.close();
  }

  @Test
  void aTrainerThatDiesBeforeMappingLeavesNoFile() throws InterruptedException {
    AgentSocket dying = AgentSocket.connect(fixture.socket);
    ObjectNode request = corpus(4).encode().put("op", "open").put("id", 1).put("protocol", 1);
    dying.send(new AgentMessage.Control(request));
    AgentMessage.Control opened = (AgentMessage.Control) dying.receive().orElseThrow();
    Path region = Path.of(opened.body().path("region").asText());
    assertTrue(Files.exists(region));
    dying.close();
    AgentFixture.await("region is removed", () -> !Files.exists(region));
    AgentFixture.await("budget is back", () -> fixture.agent.regionBytes() == 0);
  }

  private ErrorCode refused(DatasetRequest request, String expected) {
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> open(request).close(), request.toString());
    assertTrue(String.valueOf(fault.getMessage()).contains(expected), fault.getMessage());
    return fault.code();
  }

  @Test
  void whatIsWrongWithARequestIsSaid() {
    assertEquals(
        ErrorCode.NOT_FOUND, refused(DatasetRequest.of("/nowhere", 8, 8, 1), "path=/nowhere"));
    assertEquals(ErrorCode.INVALID_ARGUMENT, refused(corpus(0), "batch must be 1"));
    assertEquals(ErrorCode.INVALID_ARGUMENT, refused(corpus(4).shared(2, 2), "rank=2 world=2"));
    assertEquals(
        ErrorCode.INVALID_ARGUMENT,
        refused(DatasetRequest.of("/corpus", 1_000_000, 1, 1), "no sample of this length"));
    assertEquals(ErrorCode.INVALID_ARGUMENT, refused(corpus(4).withSlots(5000), "slots must be 1"));
    assertEquals(ErrorCode.WRONG_POSITION, refused(corpus(4).from("step 7"), "not a position"));
    assertEquals(
        ErrorCode.WRONG_POSITION,
        refused(
            corpus(4).from("luciola-position/1 plan=00000000000000aa seed=9 epoch=0 done=0"),
            "another dataset"));
  }

  @Test
  void aPositionOfAnotherSequenceLengthOrSeedIsRefused() throws InterruptedException {
    String position;
    try (AgentClient client = open(corpus(4));
        TokenBatch batch = client.next().orElseThrow()) {
      position = batch.positionAfter();
    }
    assertEquals(
        ErrorCode.WRONG_POSITION,
        refused(DatasetRequest.of("/corpus", SEQUENCE + 1, 4, 9).from(position), "sample length"));
    assertEquals(
        ErrorCode.WRONG_POSITION,
        refused(DatasetRequest.of("/corpus", SEQUENCE, 4, 10).from(position), "another seed"));
  }

  @Test
  void aCorruptSampleStopsTheRunAndItsAddressIsTold() throws InterruptedException {
    byte[] shard;
    try (ReadableFile file = fixture.files.openRead("/records/shard-00000.rec");
        Arena arena = Arena.ofShared()) {
      MemorySegment all = arena.allocate(file.length());
      file.read(0, all).join();
      shard = all.toArray(JAVA_BYTE);
    }
    shard[64] ^= 1;
    try (WritableFile file =
        fixture.files.openWrite("/records/shard-00000.rec", OpenOptions.EXISTING)) {
      file.write(0, shard);
    }
    try (AgentClient client = open(DatasetRequest.of("/records", 1, 4, 1).until(1))) {
      LuciolaException fault = assertThrows(LuciolaException.class, () -> drain(client));
      assertEquals(ErrorCode.CORRUPT_DATA, fault.code());
      assertTrue(
          String.valueOf(fault.getMessage())
              .contains("path=/records/shard-00000.rec sample=0 offset=64"),
          fault.getMessage());
    }
  }

  @Test
  void nonsenseEndsOneConnectionAndNoOther() throws Exception {
    try (AgentClient good = open(corpus(4))) {
      for (byte[] nonsense :
          List.of(
              new byte[200],
              "GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.UTF_8),
              new byte[] {
                3, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
              })) {
        assertConnectionEnds(nonsense);
      }
      good.next().orElseThrow().close();
    }
    AgentFixture.await("all are gone", () -> fixture.agent.trainers() == 0);
  }

  private void assertConnectionEnds(byte[] sent) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(fixture.socket));
      channel.write(ByteBuffer.wrap(sent));
      ByteBuffer answer = ByteBuffer.allocate(4096);
      int got = 0;
      while (got >= 0) {
        answer.clear();
        got = channel.read(answer);
      }
      assertEquals(-1, got);
    } catch (IOException e) {
      assertTrue(String.valueOf(e.getMessage()).contains("reset"), e.toString());
    }
  }

  @Test
  void sharedMemoryIsBounded() throws InterruptedException {
    AgentConfiguration wide = AgentConfiguration.of(directory.resolve("small.sock"));
    AgentConfiguration small =
        new AgentConfiguration(
            wide.socket(),
            wide.sharedMemory(),
            3 * 4096,
            wide.slotBytesMax(),
            8,
            8,
            8,
            wide.rings());
    try (LoaderAgent agent = LoaderAgent.start(small, fixture.files);
        AgentClient fits = AgentClient.open(agent.socket(), corpus(4).withSlots(2))) {
      LuciolaException fault =
          assertThrows(
              LuciolaException.class,
              () -> AgentClient.open(agent.socket(), corpus(4).withSlots(2)).close());
      assertEquals(ErrorCode.OVERLOADED, fault.code());
      fits.next().orElseThrow().close();
    }
  }

  @Test
  void oneSocketHasOneAgentAndADeadOnesSocketIsTakenOver() throws IOException {
    LuciolaException second =
        assertThrows(
            LuciolaException.class,
            () -> LoaderAgent.start(AgentConfiguration.of(fixture.socket), fixture.files).close());
    assertEquals(ErrorCode.EXISTS, second.code());
    Path left = directory.resolve("left.sock");
    java.nio.channels.ServerSocketChannel dead =
        java.nio.channels.ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    dead.bind(UnixDomainSocketAddress.of(left));
    dead.close();
    assertTrue(Files.exists(left));
    LoaderAgent.start(AgentConfiguration.of(left), fixture.files).close();
    assertFalse(Files.exists(left));
  }

  @Test
  void closingTheAgentEndsItsTrainersWithAnError() throws InterruptedException {
    try (AgentClient client = open(corpus(2))) {
      fixture.agent.close();
      LuciolaException fault =
          assertThrows(
              LuciolaException.class,
              () -> {
                while (true) {
                  client.next().orElseThrow().close();
                }
              });
      assertEquals(ErrorCode.CONNECTION_LOST, fault.code());
    }
    LuciolaException none = assertThrows(LuciolaException.class, () -> open(corpus(2)).close());
    assertEquals(ErrorCode.CONNECTION_LOST, none.code());
    assertEquals(0, fixture.agent.regionBytes());
  }
}

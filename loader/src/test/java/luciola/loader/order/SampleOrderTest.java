package luciola.loader.order;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import luciola.loader.order.EpochLedger.Verdict;
import luciola.loader.order.SampleOrder.Share;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class SampleOrderTest {
  private static final long DATASET = 0xFEEDFACECAFEBEEFL;

  private static SampleOrder order(OrderPlan plan, int rank, int world, int batch, LastBatch last) {
    return new SampleOrder(plan, new Share(rank, world, batch, last));
  }

  /** One step of all ranks; notes the rows and returns where the run stands. */
  private static LoaderPosition step(
      OrderPlan plan, LoaderPosition at, int world, int batch, LastBatch last, EpochLedger ledger) {
    LoaderPosition after = order(plan, 0, world, batch, last).batchAt(at).after();
    for (int rank = 0; rank < world; rank++) {
      RankBatch given = order(plan, rank, world, batch, last).batchAt(at);
      ledger.deliver(given.samples(), given.valid());
      assertEquals(after, given.after(), "ranks disagree");
    }
    return after;
  }

  @Test
  void allRanksTogetherGetEverySampleOnce() {
    Random random = new Random(1);
    for (int run = 0; run < 300; run++) {
      OrderPlan plan = new OrderPlan(DATASET, 1 + random.nextInt(700), random.nextLong());
      int world = 1 + random.nextInt(9);
      int batch = 1 + random.nextInt(20);
      LastBatch last = random.nextBoolean() ? LastBatch.SHORT : LastBatch.PAD;
      EpochLedger ledger = new EpochLedger(plan.samples());
      LoaderPosition at = plan.start();
      long steps = 0;
      while (at.epoch() == 0) {
        at = step(plan, at, world, batch, last, ledger);
        steps++;
      }
      assertInstanceOf(Verdict.ExactlyOnce.class, ledger.verdict());
      assertEquals(order(plan, 0, world, batch, last).stepsPerEpoch(), steps);
      assertEquals(0, at.samplesDone());
    }
  }

  @Test
  void resumesExactlyAtEveryPositionWithAnyNumberOfRanks() {
    OrderPlan plan = new OrderPlan(DATASET, 97, 3);
    long[] whole = sequence(plan, plan.start());
    for (int done = 0; done < 97; done++) {
      LoaderPosition at =
          LoaderPosition.parse(new LoaderPosition(plan.fingerprint(), plan.seed(), 0, done).text());
      for (int world : new int[] {1, 2, 3, 5}) {
        List<Long> rest = new ArrayList<>();
        LoaderPosition next = at;
        while (next.epoch() == 0) {
          LoaderPosition now = next;
          for (int rank = 0; rank < world; rank++) {
            RankBatch given = order(plan, rank, world, 4, LastBatch.SHORT).batchAt(now);
            Arrays.stream(given.samples()).forEach(rest::add);
            next = given.after();
          }
        }
        assertArrayEquals(
            Arrays.copyOfRange(whole, done, whole.length),
            rest.stream().mapToLong(Long::longValue).toArray(),
            "done=" + done + " world=" + world);
      }
    }
  }

  private static long[] sequence(OrderPlan plan, LoaderPosition from) {
    List<Long> all = new ArrayList<>();
    LoaderPosition at = from;
    SampleOrder order = order(plan, 0, 1, 1, LastBatch.SHORT);
    while (at.epoch() == from.epoch()) {
      RankBatch given = order.batchAt(at);
      all.add(given.samples()[0]);
      at = given.after();
    }
    return all.stream().mapToLong(Long::longValue).toArray();
  }

  @Test
  void changingTheNumberOfRanksInMidEpochLosesAndRepeatsNothing() {
    OrderPlan plan = new OrderPlan(DATASET, 1000, 8);
    EpochLedger ledger = new EpochLedger(plan.samples());
    LoaderPosition at = plan.start();
    int[] worlds = {4, 1, 7, 3, 16};
    for (int steps = 0; at.epoch() == 0; steps++) {
      at = step(plan, at, worlds[steps % worlds.length], 5, LastBatch.SHORT, ledger);
    }
    assertEquals(new Verdict.ExactlyOnce(1000), ledger.verdict());
  }

  @Test
  void dropLeavesOutTheRestAndSaysSo() {
    OrderPlan plan = new OrderPlan(DATASET, 103, 8);
    EpochLedger ledger = new EpochLedger(plan.samples());
    LoaderPosition at = plan.start();
    while (at.epoch() == 0) {
      at = step(plan, at, 2, 10, LastBatch.DROP, ledger);
    }
    assertEquals(100, ledger.delivered());
    assertEquals(3, assertInstanceOf(Verdict.Broken.class, ledger.verdict()).missing());
    LuciolaException tooBig =
        assertThrows(LuciolaException.class, () -> order(plan, 0, 2, 60, LastBatch.DROP));
    assertEquals(ErrorCode.INVALID_ARGUMENT, tooBig.code());
  }

  @Test
  void padFillsWithTheEpochsFirstSamplesAndCountsThem() {
    OrderPlan plan = new OrderPlan(DATASET, 10, 8);
    long[] whole = sequence(plan, plan.start());
    LoaderPosition last = new LoaderPosition(plan.fingerprint(), 8, 0, 9);
    RankBatch first = order(plan, 0, 2, 2, LastBatch.PAD).batchAt(last);
    RankBatch second = order(plan, 1, 2, 2, LastBatch.PAD).batchAt(last);
    assertArrayEquals(new long[] {whole[9], whole[0]}, first.samples());
    assertEquals(1, first.valid());
    assertArrayEquals(new long[] {whole[1], whole[2]}, second.samples());
    assertEquals(0, second.valid());
    assertTrue(first.endsEpoch());
    assertEquals(1, first.after().epoch());
  }

  @Test
  void epochsSeedsAndDatasetsAreOrderedDifferently() {
    OrderPlan plan = new OrderPlan(DATASET, 500, 1);
    long[] first = sequence(plan, plan.start());
    long[] nextEpoch = sequence(plan, new LoaderPosition(plan.fingerprint(), 1, 1, 0));
    OrderPlan otherSeed = new OrderPlan(DATASET, 500, 2);
    OrderPlan otherData = new OrderPlan(DATASET + 1, 500, 1);
    assertNotEquals(Arrays.toString(first), Arrays.toString(nextEpoch));
    assertNotEquals(
        Arrays.toString(first), Arrays.toString(sequence(otherSeed, otherSeed.start())));
    assertNotEquals(
        Arrays.toString(first), Arrays.toString(sequence(otherData, otherData.start())));
  }

  @Test
  void refusesAPositionOfAnotherDatasetSeedOrLength() {
    OrderPlan plan = new OrderPlan(DATASET, 50, 1);
    SampleOrder order = order(plan, 0, 1, 4, LastBatch.SHORT);
    assertRefused(order, new OrderPlan(DATASET + 1, 50, 1).start(), "another dataset");
    assertRefused(order, new OrderPlan(DATASET, 51, 1).start(), "another dataset");
    assertRefused(order, new OrderPlan(DATASET, 50, 2).start(), "another seed");
    assertRefused(order, new LoaderPosition(plan.fingerprint(), 1, 0, 51), "past the end");
  }

  private static void assertRefused(SampleOrder order, LoaderPosition position, String why) {
    LuciolaException refused = assertThrows(LuciolaException.class, () -> order.resume(position));
    assertEquals(ErrorCode.WRONG_POSITION, refused.code());
    assertTrue(String.valueOf(refused.getMessage()).contains(why), refused.getMessage());
  }

  @Test
  void refusesTextThatIsNoPosition() {
    String good = new OrderPlan(DATASET, 50, -7).start().text();
    assertEquals(new OrderPlan(DATASET, 50, -7).start(), LoaderPosition.parse(good));
    for (String bad :
        List.of(
            "",
            good + "x",
            good.replace("/1", "/2"),
            good.replace("done=0", "done=" + "9".repeat(19)),
            "x".repeat(999))) {
      LuciolaException refused =
          assertThrows(LuciolaException.class, () -> LoaderPosition.parse(bad));
      assertEquals(ErrorCode.WRONG_POSITION, refused.code());
    }
  }

  @Test
  void theLedgerNamesWhatIsMissingRepeatedAndStrange() {
    EpochLedger ledger = new EpochLedger(5);
    ledger.deliver(new long[] {0, 1, 1, 9, 3, 4}, 5);
    Verdict.Broken broken = assertInstanceOf(Verdict.Broken.class, ledger.verdict());
    assertEquals(List.of(2L, 4L), broken.missingNamed());
    assertEquals(List.of(1L), broken.repeatedNamed());
    assertEquals(List.of(9L), broken.strangeNamed());
    assertEquals(2, broken.missing());
  }

  @Test
  void theVectorsOfTheDocumentHold() {
    OrderPlan plan = new OrderPlan(0x1122334455667788L, 10, 7);
    assertEquals("1e5dd4d197d95b7e", Long.toHexString(plan.fingerprint()));
    assertArrayEquals(new long[] {5, 8, 0, 4, 3, 9, 2, 6, 7, 1}, sequence(plan, plan.start()));
    assertArrayEquals(
        new long[] {6, 4, 7, 1, 0, 3, 9, 8, 2, 5},
        sequence(plan, new LoaderPosition(plan.fingerprint(), 7, 1, 0)));
  }
}

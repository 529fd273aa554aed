package luciola.simulation.check;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import luciola.protocol.frame.Update;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.Test;

final class ReadsAreLinearizableTest {
  private static final ChunkId CHUNK = new ChunkId(new InodeId(1), 0);

  private final History history = new History();

  private void write(long value, long from, long to) {
    History.Operation write =
        history.updateCalled(
            "w",
            CHUNK,
            new Update.Write(0, Content.CELL, Content.CELL),
            Content.of(1, value),
            from);
    if (to != History.OPEN) {
      history.acknowledged(write, to);
    }
  }

  private void read(long value, long from, long to) {
    history.read("r", CHUNK, from, to, value == 0 ? Content.MISSING : Content.of(1, value));
  }

  private void isFine() {
    assertDoesNotThrow(() -> new ReadsAreLinearizable(10_000).check(history));
  }

  private void isWrong() {
    assertThrows(RuleBroken.class, () -> new ReadsAreLinearizable(10_000).check(history));
  }

  @Test
  void acceptsReadsOfEitherValueDuringAWrite() {
    write(1, 0, 10);
    read(0, 1, 4);
    read(1, 5, 9);
    isFine();
  }

  @Test
  void refusesAReadThatGoesBack() {
    write(1, 0, 10);
    read(1, 1, 4);
    read(0, 5, 9);
    isWrong();
  }

  @Test
  void refusesALostWrite() {
    write(1, 0, 10);
    write(2, 11, 20);
    read(1, 21, 30);
    isWrong();
  }

  @Test
  void letsAnUnacknowledgedWriteHappenLateOrNever() {
    write(1, 0, 10);
    write(2, 11, History.OPEN);
    read(1, 20, 30);
    isFine();
    read(2, 40, 50);
    isFine();
    read(1, 60, 70);
    isWrong();
  }

  @Test
  void refusesAWriteThatHappensTwice() {
    write(1, 0, 10);
    write(2, 11, 20);
    read(2, 21, 22);
    read(1, 23, 24);
    isWrong();
  }

  @Test
  void followsRemovalAndTruncation() {
    write(1, 0, 10);
    history.acknowledged(
        history.updateCalled(
            "w", CHUNK, new Update.Truncate(2 * Content.CELL), Content.of(0, 0), 11),
        12);
    history.read(
        "r",
        CHUNK,
        13,
        14,
        Content.of(1, 1).after(new Update.Truncate(2 * Content.CELL), Content.MISSING));
    history.acknowledged(
        history.updateCalled("w", CHUNK, new Update.Remove(), Content.of(0, 0), 15), 16);
    read(0, 17, 18);
    isFine();
    read(1, 19, 20);
    isWrong();
  }

  @Test
  void writesThatNobodySawMakeNothingHarder() {
    write(1, 0, 10);
    for (int i = 0; i < 100; i++) {
      history.updateCalled(
          "lost",
          CHUNK,
          new Update.Write(0, Content.CELL, Content.CELL),
          Content.of(1, 100 + i),
          11);
    }
    for (int i = 2; i < 30; i++) {
      write(i, 20 + i * 10, 50 + i * 10);
    }
    read(29, 1000, 1001);
    isFine();
    read(28, 1002, 1003);
    isWrong();
  }

  @Test
  void saysWhenAHistoryIsTooHard() {
    for (int i = 0; i < 12; i++) {
      write(i + 1, 0, 100);
    }
    read(99, 101, 102);
    var checker = new ReadsAreLinearizable(100);
    checker.check(history);
    assertEquals(1, checker.undecided());
  }
}

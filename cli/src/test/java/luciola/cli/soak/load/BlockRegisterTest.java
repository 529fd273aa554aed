package luciola.cli.soak.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class BlockRegisterTest {
  private final BlockRegister register = new BlockRegister();

  private boolean readReturns(BlockRegister.Read read, BlockValue value) {
    return register.endRead(read, (each, _) -> value.equals(each)).isEmpty();
  }

  private boolean readReturns(BlockValue value) {
    return readReturns(register.beginRead(), value);
  }

  private static BlockValue written(long sequence) {
    return new BlockValue.Written(sequence);
  }

  private void writeAcknowledged() {
    register.acknowledge(register.beginWrite());
  }

  @Test
  void aNewBlockIsZeros() {
    assertTrue(readReturns(new BlockValue.Zeros()));
    assertFalse(readReturns(written(1)));
  }

  @Test
  void nothingOlderThanTheNewestAcknowledgedIsRight() {
    writeAcknowledged();
    writeAcknowledged();
    assertTrue(readReturns(written(2)));
    assertFalse(readReturns(written(1)));
    assertFalse(readReturns(new BlockValue.Zeros()));
  }

  @Test
  void aWriteOnItsWayMayBeSeenOrNot() {
    writeAcknowledged();
    BlockRegister.Read first = register.beginRead();
    register.beginWrite();
    assertTrue(readReturns(first, written(1)));
    assertTrue(readReturns(written(1)));
    assertTrue(readReturns(written(2)));
  }

  @Test
  void whatOneReaderHasSeenNobodyMisses() {
    writeAcknowledged();
    BlockRegister.Read early = register.beginRead();
    register.beginWrite();
    assertTrue(readReturns(written(2)));
    assertTrue(readReturns(early, written(1)), "it began before the other ended");
    assertFalse(readReturns(written(1)), "it began after the other ended");
  }

  @Test
  void aSlowReadMayReturnWhatWasNewestWhenItBegan() {
    writeAcknowledged();
    BlockRegister.Read slow = register.beginRead();
    for (int each = 0; each < 1_000; each++) {
      writeAcknowledged();
    }
    assertTrue(readReturns(slow, written(1)));
    assertFalse(readReturns(written(1)));
  }

  @Test
  void nothingIsReadBeforeItIsWritten() {
    BlockRegister.Read read = register.beginRead();
    assertFalse(readReturns(read, written(1)));
  }

  @Test
  void aCutLeavesTheFront() {
    writeAcknowledged();
    register.acknowledge(register.beginCut(100));
    assertTrue(readReturns(new BlockValue.Front(1, 100)));
    assertFalse(readReturns(written(1)));
    register.acknowledge(register.beginCut(50));
    assertTrue(readReturns(new BlockValue.Front(1, 50)));
    register.acknowledge(register.beginCut(80));
    assertTrue(readReturns(new BlockValue.Front(1, 50)));
    register.acknowledge(register.beginCut(0));
    assertTrue(readReturns(new BlockValue.Zeros()));
    assertFalse(readReturns(new BlockValue.Front(1, 50)));
  }

  @Test
  void anUnknownOutcomeStaysPossibleAndProvesNothing() {
    writeAcknowledged();
    register.unknown(register.beginWrite());
    assertFalse(register.certain());
    writeAcknowledged();
    assertTrue(readReturns(written(3)));
    assertTrue(readReturns(written(2)));
    assertTrue(readReturns(written(3)), "it may have come late");
    assertFalse(readReturns(written(1)));
  }

  @Test
  void theExpectationNamesTheWindow() {
    writeAcknowledged();
    register.beginWrite();
    Optional<String> expected =
        register.endRead(register.beginRead(), (value, _) -> value.equals(new BlockValue.Zeros()));
    assertEquals(
        Optional.of(
            "floor=1 acknowledged=1 observed=0 begun=2"
                + " allowed=[1=Written[sequence=1], 2=Written[sequence=2]]"),
        expected);
  }

  @Test
  void aComparisonHearsWhatWasAcknowledgedWhenTheReadBegan() {
    writeAcknowledged();
    BlockRegister.Read read = register.beginRead();
    writeAcknowledged();
    var heard = new ArrayList<String>();
    assertTrue(
        register
            .endRead(
                read,
                (value, acknowledged) -> {
                  heard.add(value + " " + acknowledged);
                  return value.equals(written(2));
                })
            .isEmpty());
    assertEquals(List.of("Written[sequence=1] true", "Written[sequence=2] false"), heard);
  }
}

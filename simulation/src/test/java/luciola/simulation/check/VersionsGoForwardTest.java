package luciola.simulation.check;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.Test;

final class VersionsGoForwardTest {
  private static final ChunkId CHUNK = new ChunkId(new InodeId(1), 0);

  private final VersionsGoForward rule = new VersionsGoForward();

  @Test
  void aReadThatBeganBeforeAnotherEndedMaySeeLess() {
    long before = rule.called(CHUNK);
    rule.read(CHUNK, new ChunkVersion(5), before, "a");
    assertDoesNotThrow(() -> rule.read(CHUNK, new ChunkVersion(4), before, "b"));
  }

  @Test
  void aReadThatBeganAfterAnotherEndedMayNot() {
    rule.read(CHUNK, new ChunkVersion(5), rule.called(CHUNK), "a");
    long after = rule.called(CHUNK);
    assertThrows(RuleBroken.class, () -> rule.read(CHUNK, new ChunkVersion(4), after, "b"));
  }

  @Test
  void whatWasAcknowledgedIsSeen() {
    rule.acknowledged(CHUNK, new ChunkVersion(3), rule.called(CHUNK));
    long after = rule.called(CHUNK);
    assertThrows(RuleBroken.class, () -> rule.read(CHUNK, new ChunkVersion(2), after, "b"));
    assertDoesNotThrow(() -> rule.read(CHUNK, new ChunkVersion(3), after, "b"));
  }

  @Test
  void anUpdateMakesAVersionOfItsOwn() {
    rule.acknowledged(CHUNK, new ChunkVersion(3), rule.called(CHUNK));
    long after = rule.called(CHUNK);
    assertThrows(RuleBroken.class, () -> rule.acknowledged(CHUNK, new ChunkVersion(3), after));
  }
}

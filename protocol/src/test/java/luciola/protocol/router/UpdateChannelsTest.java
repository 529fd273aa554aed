package luciola.protocol.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ClientId;
import org.junit.jupiter.api.Test;

final class UpdateChannelsTest {
  private final UpdateChannels channels = new UpdateChannels(new ClientId(9), 2);

  @Test
  void boundsUpdatesInFlight() {
    UpdateTag first = channels.take().orElseThrow();
    assertTrue(channels.take().isPresent());
    assertEquals(Optional.empty(), channels.take());
    assertEquals(2, channels.inFlight());
    channels.settled(first);
    assertTrue(channels.take().isPresent());
  }

  @Test
  void growsTheSequenceOfAChannelByOne() {
    UpdateTag other = channels.take().orElseThrow();
    for (int sequence = 1; sequence <= 5; sequence++) {
      UpdateTag tag = channels.take().orElseThrow();
      assertEquals(new UpdateTag(new ClientId(9), 1 - other.channel(), sequence), tag);
      channels.settled(tag);
    }
  }

  @Test
  void settlesEachUpdateOnce() {
    UpdateTag tag = channels.take().orElseThrow();
    channels.settled(tag);
    assertThrows(IllegalStateException.class, () -> channels.settled(tag));
    channels.take();
    channels.take();
    assertThrows(IllegalStateException.class, () -> channels.settled(tag));
  }
}

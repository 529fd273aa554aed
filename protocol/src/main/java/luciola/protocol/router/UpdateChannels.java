package luciola.protocol.router;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ClientId;

/**
 * Tags for a client's updates. A channel carries one update at a time, because the replicas keep
 * only the last outcome of each channel: an update that is not settled yet must stay the newest of
 * its channel or a retry could not be told from a new one. So the number of channels bounds the
 * updates in flight. Not safe for several threads.
 */
public final class UpdateChannels {
  private final ClientId client;
  private final long[] sequences;
  private final ArrayDeque<Integer> free = new ArrayDeque<>();
  private final BitSet used = new BitSet();

  /**
   * All channels free.
   *
   * @param channels updates in flight at once, 1 or more
   */
  public UpdateChannels(ClientId client, int channels) {
    if (channels < 1) {
      throw new IllegalArgumentException("channels must be positive: channels=" + channels);
    }
    this.client = client;
    this.sequences = new long[channels];
    Arrays.setAll(sequences, _ -> 0);
    for (int channel = 0; channel < channels; channel++) {
      free.add(channel);
    }
  }

  /** A tag for a new update, its channel taken until {@link #settled}; empty if none is free. */
  public Optional<UpdateTag> take() {
    Integer channel = free.poll();
    if (channel == null) {
      return Optional.empty();
    }
    used.set(channel);
    return Optional.of(new UpdateTag(client, channel, ++sequences[channel]));
  }

  /** The update has its outcome, or will never be sent again: its channel is free. */
  public void settled(UpdateTag tag) {
    if (!tag.client().equals(client)
        || !used.get(tag.channel())
        || sequences[tag.channel()] != tag.sequence()) {
      throw new IllegalStateException("not in flight: " + tag);
    }
    used.clear(tag.channel());
    free.add(tag.channel());
  }

  /** Channels in use. */
  public int inFlight() {
    return used.cardinality();
  }
}

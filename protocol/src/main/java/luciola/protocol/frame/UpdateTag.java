package luciola.protocol.frame;

import luciola.protocol.id.ClientId;

/**
 * Names one client update for ever, so that a retry applies once. A channel carries one update at a
 * time; its sequence grows by one with each new update and stays the same through all retries.
 */
public record UpdateTag(ClientId client, int channel, long sequence) {
  public UpdateTag {
    if (channel < 0 || sequence < 1) {
      throw new IllegalArgumentException(
          "bad update tag: channel=" + channel + " sequence=" + sequence);
    }
  }
}

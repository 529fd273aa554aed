package luciola.storage.chain;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ClientId;
import org.jspecify.annotations.Nullable;

/** Client updates that are being staged: the engine has no dedup record of them yet. */
final class InFlightTags {
  private final Map<Channel, Staged> staged = new HashMap<>();

  private record Channel(ClientId client, int number) {}

  /** An update between its stage and its durable-notice. */
  record Staged(ActiveChunk chunk, PendingUpdate update, UpdateTag tag) {}

  void staged(ActiveChunk chunk, PendingUpdate update) {
    update.tag.ifPresent(tag -> staged.put(channel(tag), new Staged(chunk, update, tag)));
  }

  /** The update is durable, or is gone. */
  void durable(PendingUpdate update) {
    update.tag.ifPresent(tag ->
        staged.computeIfPresent(channel(tag), (_, last) -> last.update() == update ? null : last));
  }

  Optional<Staged> last(UpdateTag tag) {
    @Nullable Staged last = staged.get(channel(tag));
    return Optional.ofNullable(last);
  }

  private static Channel channel(UpdateTag tag) {
    return new Channel(tag.client(), tag.channel());
  }
}

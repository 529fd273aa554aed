package luciola.protocol.control;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import luciola.grpc.v1.DataKey;
import luciola.protocol.access.Secret;
import luciola.protocol.access.TicketKeys;

/** Keys of the data plane as messages. */
public final class DataKeyMessages {
  private DataKeyMessages() {}

  /** The keys of messages, which the leader of the meta-servers made. */
  public static TicketKeys keys(List<DataKey> messages) {
    return new TicketKeys(
        messages.stream().collect(Collectors.toMap(DataKey::getId, DataKeyMessages::key)));
  }

  private static TicketKeys.Key key(DataKey message) {
    return new TicketKeys.Key(
        Secret.of(message.getSecret().toByteArray()),
        TimeUnit.NANOSECONDS.toSeconds(message.getMadeNanos() + message.getSettleNanos()));
  }
}

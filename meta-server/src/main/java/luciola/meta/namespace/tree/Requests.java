package luciola.meta.namespace.tree;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.NamespaceReply;
import luciola.protocol.control.CallLedger;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Remembered replies: a change that is sent again, also after a change of leader or a restart, gets
 * the reply of its first time and has no second effect. Kept until the client acknowledges, at most
 * {@link #KEPT_MAX} of a client, and as long as the client is heard of.
 */
public final class Requests {
  /** Replies kept of one client: it begins no call that would drop one it still waits for. */
  public static final int KEPT_MAX = CallLedger.REMEMBERED;

  private static final int NAMED_MAX = 8;

  private final Staged staged;

  public Requests(Staged staged) {
    this.staged = staged;
  }

  private static byte[] key(long client, long sequence) {
    return ByteBuffer.allocate(2 * Long.BYTES).putLong(client).putLong(sequence).array();
  }

  /** The reply of the first time. */
  public Optional<NamespaceReply> find(long client, long sequence) {
    byte[] value = staged.get(Family.REQUEST, key(client, sequence));
    try {
      return value == null ? Optional.empty() : Optional.of(NamespaceReply.parseFrom(value));
    } catch (InvalidProtocolBufferException e) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "unreadable reply: " + e, e);
    }
  }

  /** Newest sequence whose reply may have been dropped: what is not newer is not carried out. */
  public long dropped(long client) {
    byte[] value = staged.get(Family.REQUEST, key(client, 0));
    return value == null ? 0 : ByteBuffer.wrap(value).getLong();
  }

  /** Remembers a reply and drops what is acknowledged or too old. */
  public void remember(
      long client, long sequence, long acknowledged, long dropped, NamespaceReply reply) {
    long drop = Math.max(Math.min(acknowledged, sequence - 1), sequence - KEPT_MAX);
    for (byte[] key : kept(client, dropped, drop)) {
      staged.delete(Family.REQUEST, key);
    }
    if (drop > dropped || dropped == 0) {
      staged.put(
          Family.REQUEST,
          key(client, 0),
          ByteBuffer.allocate(Long.BYTES).putLong(Math.max(0, drop)).array());
    }
    staged.put(Family.REQUEST, key(client, sequence), reply.toByteArray());
  }

  /**
   * Keys after {@code dropped} up to {@code drop}. What was dropped before is never looked at
   * again: a scan over many deleted keys is slow. A few keys are named without looking.
   */
  private List<byte[]> kept(long client, long dropped, long drop) {
    if (drop - dropped > NAMED_MAX) {
      return Staged.keys(staged, Family.REQUEST, key(client, dropped + 1), key(client, drop + 1));
    }
    var keys = new ArrayList<byte[]>();
    for (long sequence = dropped + 1; sequence <= drop; sequence++) {
      keys.add(key(client, sequence));
    }
    return keys;
  }

  /** Forgets a client. */
  public void forget(long client) {
    for (byte[] key : Staged.keys(staged, Family.REQUEST, key(client, 0), key(client, -1))) {
      staged.delete(Family.REQUEST, key);
    }
  }

  /** Every client with a remembered reply. */
  static List<Long> clients(KeyValueView view) {
    var clients = new ArrayList<Long>();
    byte[][] from = {key(0, 0)};
    boolean[] found = {true};
    while (found[0]) {
      found[0] = false;
      view.scan(
          Family.REQUEST,
          from[0],
          null,
          (key, _) -> {
            long client = ByteBuffer.wrap(key).getLong();
            clients.add(client);
            found[0] = client != -1;
            from[0] = key(client + 1, 0);
            return false;
          });
    }
    return clients;
  }
}

package luciola.protocol.access;

import com.google.common.collect.ImmutableSortedMap;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import luciola.protocol.error.ErrorCode;

/**
 * The keys that sign tickets: a new one every so often. It signs only after a while, when every
 * server has heard of it; the ones before still verify. Immutable.
 */
public final class TicketKeys {
  /** No key: nothing can be signed and nothing verified. */
  public static final TicketKeys NONE = new TicketKeys(ImmutableSortedMap.of());

  private static final String ALGORITHM = "HmacSHA256";

  private final ImmutableSortedMap<Integer, Key> keys;

  /**
   * A key.
   *
   * @param signsFromSeconds since 1970; before, it only verifies
   */
  public record Key(Secret secret, long signsFromSeconds) {}

  /** What came of a check: the code, and with OK the ticket. */
  public record Opened(ErrorCode code, Optional<Ticket> ticket) {
    static Opened refused(ErrorCode code) {
      return new Opened(code, Optional.empty());
    }
  }

  /**
   * @param keys by number; later ones are newer
   */
  public TicketKeys(Map<Integer, Key> keys) {
    this.keys = ImmutableSortedMap.copyOf(keys);
  }

  public boolean isEmpty() {
    return keys.isEmpty();
  }

  /**
   * Signs with the newest key that signs by now, or the oldest if none does.
   *
   * @throws IllegalStateException without a key
   */
  public SealedTicket seal(Ticket ticket, long nowSeconds) {
    Map.Entry<Integer, Key> signing =
        keys.descendingMap().entrySet().stream()
            .filter(key -> key.getValue().signsFromSeconds() <= nowSeconds)
            .findFirst()
            .orElseGet(keys::firstEntry);
    if (signing == null) {
      throw new IllegalStateException("no key to sign with");
    }
    byte[] bytes = ticket.write(signing.getKey());
    byte[] mac = mac(signing.getValue().secret(), bytes);
    System.arraycopy(mac, 0, bytes, Ticket.SIGNED_BYTES, mac.length);
    return SealedTicket.of(bytes);
  }

  /**
   * Checks a ticket's form and signature; whether it has expired, and what it is good for, is for
   * the caller to see.
   *
   * @return UNAUTHENTICATED if it is none or forged or its key is forgotten; NO_LEASE if its key is
   *     newer than all that are known here: the caller tries again
   */
  public Opened open(SealedTicket sealed) {
    ByteBuffer in = sealed.view();
    if (!Ticket.isWellFormed(in)) {
      return Opened.refused(ErrorCode.UNAUTHENTICATED);
    }
    int id = in.getInt(4);
    Key key = keys.get(id);
    if (key == null) {
      boolean newer = keys.isEmpty() || id == keys.lastKey() + 1;
      return Opened.refused(newer ? ErrorCode.NO_LEASE : ErrorCode.UNAUTHENTICATED);
    }
    byte[] bytes = sealed.bytes();
    byte[] shown = new byte[Secret.BYTES];
    System.arraycopy(bytes, Ticket.SIGNED_BYTES, shown, 0, shown.length);
    return MessageDigest.isEqual(mac(key.secret(), bytes), shown)
        ? new Opened(ErrorCode.OK, Optional.of(Ticket.read(in)))
        : Opened.refused(ErrorCode.UNAUTHENTICATED);
  }

  private static byte[] mac(Secret secret, byte[] ticket) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(secret.raw(), ALGORITHM));
      mac.update(ticket, 0, Ticket.SIGNED_BYTES);
      return mac.doFinal();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every Java platform has " + ALGORITHM, impossible);
    }
  }
}

package luciola.protocol.control;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.RenewAccessReply;
import luciola.grpc.v1.RenewAccessRequest;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.access.Ticket;
import luciola.protocol.connection.Tickets;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.UpdateRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tickets of one caller: its pass and the capabilities that came with replies. Once started it
 * renews all of them at a third of their life. Capabilities that were not used for longest are
 * forgotten beyond a bound. Any thread.
 */
public final class Wallet implements Tickets, AutoCloseable {
  /** Inodes whose capabilities are kept. */
  public static final int INODES_MAX = 131_072;

  private static final Logger LOG = LoggerFactory.getLogger(Wallet.class);
  private static final int RENEWED_TOGETHER = 1024;
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final MetaConnection meta;
  private final Held held = new Held();
  private volatile @Nullable SealedTicket pass;
  private volatile boolean admin;
  private @Nullable Thread renewing;

  Wallet(MetaConnection meta) {
    this.meta = meta;
  }

  /** The newest capability of an inode for each of the two rights. */
  private record Rights(Optional<SealedTicket> read, Optional<SealedTicket> write) {
    static final Rights NONE = new Rights(Optional.empty(), Optional.empty());

    Rights with(SealedTicket sealed, Ticket ticket) {
      return new Rights(
          ticket.allowsAny(Ticket.READ) ? Optional.of(sealed) : read,
          ticket.allowsAny(Ticket.WRITE) ? Optional.of(sealed) : write);
    }
  }

  private static final class Held extends LinkedHashMap<Long, Rights> {
    Held() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<Long, Rights> eldest) {
      return size() > INODES_MAX;
    }
  }

  /**
   * Gets a pass and keeps it, and all capabilities, from expiring until closed. Does nothing where
   * the caller shows nothing or the cluster asks for none.
   *
   * @throws LuciolaException as a call to the meta-servers
   */
  public synchronized void start() {
    if (renewing != null || !meta.options().access().saysWho()) {
      return;
    }
    long lifetimeNanos = renew();
    if (lifetimeNanos > 0) {
      renewing = Thread.ofVirtual().name("tickets").start(() -> renewAlways(lifetimeNanos));
    }
  }

  private void renewAlways(long firstLifetimeNanos) {
    long lifetimeNanos = firstLifetimeNanos;
    long pauseNanos = lifetimeNanos / 3;
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(Duration.ofNanos(pauseNanos));
        lifetimeNanos = renew();
        pauseNanos = Math.max(RETRY_NANOS / 10, lifetimeNanos / 3);
      } catch (LuciolaException e) {
        LOG.warn("tickets not renewed: error={}", e.getMessage());
        pauseNanos = Math.min(RETRY_NANOS, lifetimeNanos / 3);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Renews everything; how long it is good for. */
  private long renew() {
    List<SealedTicket> all = all();
    long lifetimeNanos = Long.MAX_VALUE;
    for (int from = 0; from == 0 || from < all.size(); from += RENEWED_TOGETHER) {
      List<SealedTicket> some = all.subList(from, Math.min(all.size(), from + RENEWED_TOGETHER));
      RenewAccessReply reply =
          meta.renewAccess(
              RenewAccessRequest.newBuilder()
                  .setClientId(meta.client().value())
                  .addAllCapabilities(
                      some.stream().map(it -> ByteString.copyFrom(it.bytes())).toList())
                  .build());
      if (reply.getPass().isEmpty()) {
        return 0;
      }
      SealedTicket renewed = SealedTicket.of(reply.getPass().toByteArray());
      admin = renewed.claimed().allowsAny(Ticket.ADMIN);
      pass = renewed;
      learned(reply.getCapabilitiesList());
      lifetimeNanos = Math.min(lifetimeNanos, reply.getLifetimeNanos());
    }
    return lifetimeNanos;
  }

  private List<SealedTicket> all() {
    var all = new LinkedHashSet<SealedTicket>();
    synchronized (held) {
      held.values()
          .forEach(rights -> {
            rights.read().ifPresent(all::add);
            rights.write().ifPresent(all::add);
          });
    }
    return List.copyOf(all);
  }

  /** Takes capabilities that came with a reply; empty ones are none. */
  void learned(List<ByteString> capabilities) {
    if (capabilities.isEmpty()) {
      return;
    }
    synchronized (held) {
      for (ByteString capability : capabilities) {
        if (capability.size() == SealedTicket.BYTES) {
          SealedTicket sealed = SealedTicket.of(capability.toByteArray());
          Ticket ticket = sealed.claimed();
          held.merge(
              ticket.inode(),
              Rights.NONE.with(sealed, ticket),
              (before, _) -> before.with(sealed, ticket));
        }
      }
    }
  }

  @Override
  public List<SealedTicket> of(Request request) {
    SealedTicket shown = pass;
    if (shown == null) {
      return List.of();
    }
    if (admin || request instanceof Hello) {
      return List.of(shown);
    }
    return switch (request) {
      case ReadRequest read -> read(read);
      case UpdateRequest update -> one(update.chunk().inode().value(), true);
      case ChunkListRequest list -> {
        List<SealedTicket> writing = one(list.inode().value(), true);
        yield writing.isEmpty() ? one(list.inode().value(), false) : writing;
      }
      case InventoryRequest _ -> List.of(shown);
      default -> List.of();
    };
  }

  private List<SealedTicket> one(long inode, boolean write) {
    synchronized (held) {
      Rights rights = held.getOrDefault(inode, Rights.NONE);
      return (write ? rights.write() : rights.read()).map(List::of).orElse(List.of());
    }
  }

  private List<SealedTicket> read(ReadRequest read) {
    var tickets = new ArrayList<SealedTicket>(1);
    var seen = new LinkedHashSet<Long>();
    long last = 0;
    synchronized (held) {
      for (ReadRequest.Range range : read.ranges()) {
        long inode = range.chunk().inode().value();
        if (inode != last && seen.add(inode)) {
          held.getOrDefault(inode, Rights.NONE).read().ifPresent(tickets::add);
        }
        last = inode;
      }
    }
    return tickets;
  }

  @Override
  public synchronized void close() {
    if (renewing != null) {
      renewing.interrupt();
    }
  }
}

package luciola.meta.log;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member that began with an empty disk in a group that has a log. A leader that knew the member
 * before it lost its disk goes on from what it had then, and gives it nothing (RATIS-2523): a new
 * leader asks it what it has. So when a leader is known and nothing comes, the lead is handed to
 * another member.
 */
final class LateStart implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(LateStart.class);
  private static final long LOOK_MILLIS = 250;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long PATIENCE_MAX_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final long TRANSFER_MILLIS = 3_000;

  private final RaftPeerId self;
  private final RaftSetup setup;
  private final Division division;
  private final Supplier<Optional<String>> leads;

  /** Where to look how far this member is. */
  interface Division {
    DivisionInfo info() throws IOException;
  }

  /**
   * Begins.
   *
   * @param leads who leads, as the others say: this member itself hears too little to know
   */
  LateStart(RaftPeerId self, RaftSetup setup, Division division, Supplier<Optional<String>> leads) {
    this.self = self;
    this.setup = setup;
    this.division = division;
    this.leads = leads;
  }

  /** Ends when the first entry was applied here, or when it is interrupted. */
  @Override
  public void run() {
    Optional<RaftPeerId> known = Optional.empty();
    long knownSinceNanos = 0;
    long patienceNanos = PATIENCE_NANOS;
    try {
      while (division.info().getLastAppliedIndex() < 0) {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        Optional<RaftPeerId> leader = leads.get().map(RaftPeerId::valueOf);
        long now = System.nanoTime();
        if (!leader.equals(known)) {
          known = leader;
          knownSinceNanos = now;
        } else if (leader.isPresent() && now - knownSinceNanos > patienceNanos) {
          askForAnother(leader.get());
          // A group that is only slow must not change its leader all the time.
          patienceNanos = Math.min(2 * patienceNanos, PATIENCE_MAX_NANOS);
          knownSinceNanos = System.nanoTime();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.warn("late start ends", e);
    }
  }

  private void askForAnother(RaftPeerId leader) {
    List<RaftPeerId> others =
        setup.group().getPeers().stream()
            .map(peer -> peer.getId())
            .filter(id -> !id.equals(leader) && !id.equals(self))
            .toList();
    for (RaftPeerId next : others) {
      LOG.info("nothing comes from the leader, asks for another: leader={} next={}", leader, next);
      try (RaftClient client =
          RaftClient.newBuilder()
              .setProperties(setup.properties())
              .setParameters(setup.parameters())
              .setRaftGroup(setup.group())
              .setLeaderId(leader)
              .build()) {
        RaftClientReply reply = client.admin().transferLeadership(next, TRANSFER_MILLIS);
        if (reply.isSuccess()) {
          return;
        }
        LOG.warn("no other leader: next={} cause={}", next, String.valueOf(reply.getException()));
      } catch (IOException e) {
        LOG.warn("no other leader: next={}", next, e);
      }
    }
  }
}

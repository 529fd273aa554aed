package luciola.protocol.routing;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;

/**
 * An ordered set of targets that hold the same chunks. The first serving member is the head: it
 * orders updates and is the authority on what is committed. The last serving member is the tail.
 *
 * @param members in chain order: serving, last-serving, syncing, waiting, offline
 */
public record Chain(ChainId id, ChainVersion version, List<ChainMember> members) {
  public Chain {
    members = List.copyOf(members);
    if (members.isEmpty()) {
      throw new IllegalArgumentException("a chain has a member: chain=" + id);
    }
    var seen = new HashSet<TargetId>();
    PublicState previous = PublicState.SERVING;
    for (ChainMember member : members) {
      if (!seen.add(member.target())) {
        throw new IllegalArgumentException("target twice in chain=" + id + " " + members);
      }
      if (member.state().compareTo(previous) < 0) {
        throw new IllegalArgumentException("members out of order in chain=" + id + " " + members);
      }
      previous = member.state();
    }
  }

  /** Serving members, head first. */
  public List<TargetId> serving() {
    return inState(PublicState.SERVING);
  }

  /** Members a write travels through, in order: serving, then syncing. */
  public List<TargetId> writePath() {
    return members.stream()
        .filter(member -> member.state().receivesWrites())
        .map(ChainMember::target)
        .toList();
  }

  /** The member that orders updates; empty while none serves. */
  public Optional<TargetId> head() {
    List<TargetId> serving = serving();
    return serving.isEmpty() ? Optional.empty() : Optional.of(serving.getFirst());
  }

  /** The last serving member; empty while none serves. */
  public Optional<TargetId> tail() {
    List<TargetId> serving = serving();
    return serving.isEmpty() ? Optional.empty() : Optional.of(serving.getLast());
  }

  /** State of one member; empty if it is not in this chain. */
  public Optional<PublicState> stateOf(TargetId target) {
    return members.stream()
        .filter(member -> member.target().equals(target))
        .map(ChainMember::state)
        .findFirst();
  }

  /** The member that {@code target} forwards to; empty if it is the last on the write path. */
  public Optional<TargetId> successorOf(TargetId target) {
    List<TargetId> path = writePath();
    int at = path.indexOf(target);
    return at < 0 || at == path.size() - 1 ? Optional.empty() : Optional.of(path.get(at + 1));
  }

  /** The member that forwards to {@code target}; empty if it is the head or off the write path. */
  public Optional<TargetId> predecessorOf(TargetId target) {
    List<TargetId> path = writePath();
    int at = path.indexOf(target);
    return at <= 0 ? Optional.empty() : Optional.of(path.get(at - 1));
  }

  private List<TargetId> inState(PublicState state) {
    return members.stream()
        .filter(member -> member.state() == state)
        .map(ChainMember::target)
        .toList();
  }
}

package luciola.meta.placement;

import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import luciola.grpc.v1.FailureDomain;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;

/**
 * Which members chains should have instead of those that they have: as few changes as the purpose
 * needs, each to the target that has least to do and has met the chain's other members least, on
 * another leaf where there is one. One use, one thread.
 */
public final class MovePlanner {
  private final List<Existing> chains;
  private final Set<TargetId> eligible;
  private final Grid grid;
  private final Layout layout;

  /**
   * A chain as it is to be by now.
   *
   * @param members its present members, or those that are already wanted
   */
  public record Existing(ChainId id, List<TargetId> members, FailureDomain domain) {
    public Existing {
      members = List.copyOf(members);
    }
  }

  /** A chain that is to have other members; those that stay come first, in their order. */
  public record Move(ChainId chain, List<TargetId> wanted) {
    public Move {
      wanted = List.copyOf(wanted);
    }
  }

  /**
   * @param places every target that is known
   * @param eligible those that may take more replicas
   * @param existing every chain
   */
  public MovePlanner(List<Place> places, Set<TargetId> eligible, List<Existing> existing) {
    this.eligible = ImmutableSet.copyOf(eligible);
    this.grid = Grid.any(places, FailureDomain.FAILURE_DOMAIN_TARGET, 1);
    this.chains = existing.stream().sorted((a, b) -> a.id().compareTo(b.id())).toList();
    this.layout =
        new Layout(
            grid,
            chains.stream()
                .map(chain -> chain.members().stream().mapToInt(this::number).toArray())
                .toArray(int[][]::new));
  }

  private int number(TargetId target) {
    return grid.number(target)
        .orElseThrow(
            () -> new LuciolaException(ErrorCode.INVALID_ARGUMENT, "unknown target=" + target));
  }

  /**
   * Every chain with a member among these targets gets another instead.
   *
   * @throws LuciolaException INVALID_ARGUMENT if a chain would have too few replicas; it names it
   */
  public List<Move> drain(Set<TargetId> leaving) {
    return drain(leaving, false);
  }

  /** Like {@link #drain(Set)}; a chain for which there is no other place stays as it is. */
  public List<Move> drainWherePossible(Set<TargetId> leaving) {
    return drain(leaving, true);
  }

  private List<Move> drain(Set<TargetId> leaving, boolean wherePossible) {
    for (int at = 0; at < chains.size(); at++) {
      int[] members = layout.chain(at);
      for (int place = 0; place < members.length; place++) {
        if (leaving.contains(grid.target(members[place]))) {
          Optional<Integer> instead = bestFor(at, place, leaving);
          if (instead.isEmpty() && wherePossible) {
            continue;
          }
          if (instead.isEmpty()) {
            throw new LuciolaException(
                ErrorCode.INVALID_ARGUMENT,
                "too few replicas would be left: no other target can take the place of one that"
                    + " leaves: chain="
                    + chains.get(at).id()
                    + " target="
                    + grid.target(members[place])
                    + " replicas="
                    + members.length
                    + " left="
                    + (members.length - 1)
                    + "; add a storage-server first");
          }
          layout.put(at, place, instead.get());
        }
      }
    }
    return moves();
  }

  /** Every chain of one target gets the other in its place. */
  public List<Move> replace(TargetId former, TargetId instead) {
    int from = number(former);
    int to = number(instead);
    for (int at = 0; at < chains.size(); at++) {
      int[] members = layout.chain(at);
      for (int place = 0; place < members.length; place++) {
        if (members[place] == from) {
          if (!apart(at, place, to)) {
            throw new LuciolaException(
                ErrorCode.INVALID_ARGUMENT,
                "two replicas would share a failure domain: chain="
                    + chains.get(at).id()
                    + " old="
                    + former
                    + " new="
                    + instead);
          }
          layout.put(at, place, to);
        }
      }
    }
    return moves();
  }

  /**
   * Moves replicas from targets with most chains to those with fewest until all have equally many.
   *
   * @param movesMax at most so many replicas; 0: no bound
   */
  public List<Move> rebalance(int movesMax) {
    var blocked = new HashSet<Long>();
    int moved = 0;
    while (movesMax == 0 || moved < movesMax) {
      Optional<int[]> step = nextEvening(blocked);
      if (step.isEmpty()) {
        break;
      }
      int[] move = step.get();
      layout.put(move[0], move[1], move[2]);
      moved++;
    }
    return moves();
  }

  /** Chain, place and new target of the move that evens out most; empty if none does. */
  private Optional<int[]> nextEvening(Set<Long> blocked) {
    while (true) {
      int most = -1;
      int least = -1;
      int widest = 1;
      List<Integer> takers = eligible.stream().map(this::number).sorted().toList();
      for (int to : takers) {
        for (int from = 0; from < grid.size(); from++) {
          int gap = layout.load(from) - layout.load(to);
          if (gap > widest && !blocked.contains((long) from * grid.size() + to)) {
            widest = gap;
            most = from;
            least = to;
          }
        }
      }
      if (most < 0) {
        return Optional.empty();
      }
      int[] best = null;
      int bestMet = Integer.MAX_VALUE;
      for (int at = 0; at < chains.size(); at++) {
        int[] members = layout.chain(at);
        for (int place = 0; place < members.length; place++) {
          if (members[place] == most && apart(at, place, least)) {
            int met = layout.met(at, place, least) - layout.met(at, place, most);
            if (met < bestMet) {
              bestMet = met;
              best = new int[] {at, place, least};
            }
          }
        }
      }
      if (best != null) {
        return Optional.of(best);
      }
      blocked.add((long) most * grid.size() + least);
    }
  }

  private Optional<Integer> bestFor(int chain, int place, Set<TargetId> leaving) {
    int best = -1;
    long bestCost = Long.MAX_VALUE;
    for (TargetId candidate : eligible.stream().sorted().toList()) {
      int number = number(candidate);
      if (!leaving.contains(candidate) && apart(chain, place, number)) {
        long cost =
            (sameLeaf(chain, place, number) ? 1L << 56 : 0)
                + ((long) layout.load(number) << 24)
                + layout.met(chain, place, number);
        if (cost < bestCost) {
          best = number;
          bestCost = cost;
        }
      }
    }
    return best < 0 ? Optional.empty() : Optional.of(best);
  }

  private boolean apart(int chain, int place, int target) {
    FailureDomain domain = chains.get(chain).domain();
    int[] members = layout.chain(chain);
    for (int i = 0; i < members.length; i++) {
      if (members[i] == target
          || (i != place && !grid.place(members[i]).apart(grid.place(target), domain))) {
        return false;
      }
    }
    return true;
  }

  private boolean sameLeaf(int chain, int place, int target) {
    String leaf = grid.place(target).leaf();
    int[] members = layout.chain(chain);
    for (int i = 0; i < members.length; i++) {
      if (i != place && !leaf.isEmpty() && grid.place(members[i]).leaf().equals(leaf)) {
        return true;
      }
    }
    return false;
  }

  private List<Move> moves() {
    var moves = new ArrayList<Move>();
    for (int at = 0; at < chains.size(); at++) {
      List<TargetId> former = chains.get(at).members();
      var wanted = new ArrayList<TargetId>();
      for (int member : layout.chain(at)) {
        wanted.add(grid.target(member));
      }
      if (!wanted.equals(former)) {
        wanted.sort((a, b) -> Integer.compare(rank(former, a), rank(former, b)));
        moves.add(new Move(chains.get(at).id(), wanted));
      }
    }
    return moves;
  }

  private static int rank(List<TargetId> former, TargetId target) {
    int at = former.indexOf(target);
    return at < 0 ? former.size() : at;
  }
}

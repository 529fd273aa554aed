package luciola.meta.placement;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.grpc.v1.FailureDomain;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.TargetId;

/**
 * The targets that chains are laid over, numbered from 0, and which of them a chain may not have
 * together.
 *
 * <p>The failure domain is a rule. Leaves are one too where there are enough of them for every
 * replica to have its own; where there are fewer, they say nothing.
 */
final class Grid {
  private final List<Place> places;
  private final Map<TargetId, Integer> numbers = new HashMap<>();
  private final int[] group;
  private final int groups;
  private final FailureDomain domain;

  private Grid(List<Place> places, FailureDomain domain) {
    this.places = places;
    this.domain = domain;
    this.group = new int[places.size()];
    var names = new HashMap<String, Integer>();
    for (int i = 0; i < places.size(); i++) {
      numbers.put(places.get(i).target(), i);
      String name = places.get(i).domain(domain);
      names.putIfAbsent(name, names.size());
      group[i] = names.get(name);
    }
    this.groups = names.size();
  }

  /**
   * @throws LuciolaException INVALID_ARGUMENT if there are fewer domains than replicas
   */
  static Grid of(List<Place> places, FailureDomain domain, int replicas) {
    Grid grid = new Grid(List.copyOf(places), domain);
    if (replicas < 1 || grid.groups < replicas) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "each replica of a chain needs a "
              + name(domain)
              + " of its own, with a target that is alive and not being drained: replicas="
              + replicas
              + " "
              + name(domain)
              + "s="
              + grid.groups
              + " targets="
              + places.size());
    }
    if (domain == FailureDomain.FAILURE_DOMAIN_TARGET) {
      return grid;
    }
    Grid leaves = new Grid(grid.places, FailureDomain.FAILURE_DOMAIN_LEAF);
    // A machine under two leaves would be in two groups: then only machines count.
    return leaves.groups >= replicas && nested(grid, leaves) ? leaves : grid;
  }

  /** Like {@link #of} for chains that exist, however few domains there are by now. */
  static Grid any(List<Place> places, FailureDomain domain, int replicas) {
    Grid plain = new Grid(List.copyOf(places), domain);
    return plain.groups >= replicas ? of(places, domain, replicas) : plain;
  }

  private static boolean nested(Grid hosts, Grid leaves) {
    var leafOf = new TreeMap<Integer, Integer>();
    for (int i = 0; i < hosts.group.length; i++) {
      Integer before = leafOf.putIfAbsent(hosts.group[i], leaves.group[i]);
      if (before != null && before != leaves.group[i]) {
        return false;
      }
    }
    return true;
  }

  private static String name(FailureDomain domain) {
    return switch (domain) {
      case FAILURE_DOMAIN_TARGET -> "target";
      case FAILURE_DOMAIN_LEAF -> "leaf";
      case FAILURE_DOMAIN_HOST, FAILURE_DOMAIN_UNSPECIFIED, UNRECOGNIZED -> "host";
    };
  }

  /** What replicas of a chain are kept apart by. */
  FailureDomain domain() {
    return domain;
  }

  int size() {
    return places.size();
  }

  /** Domains there are. */
  int groups() {
    return groups;
  }

  /** The number of a target's domain. */
  int group(int number) {
    return group[number];
  }

  boolean apart(int a, int b) {
    return group[a] != group[b];
  }

  TargetId target(int number) {
    return places.get(number).target();
  }

  Place place(int number) {
    return places.get(number);
  }

  Optional<Integer> number(TargetId target) {
    return Optional.ofNullable(numbers.get(target));
  }

  /** Targets that may be in a chain with this one. */
  int peers(int number) {
    int peers = 0;
    for (int other : group) {
      peers += other == group[number] ? 0 : 1;
    }
    return peers;
  }
}

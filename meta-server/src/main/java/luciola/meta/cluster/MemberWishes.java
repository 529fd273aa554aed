package luciola.meta.cluster;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.Map;
import java.util.Set;
import luciola.protocol.id.TargetId;

/**
 * What is wanted of the members of one chain, beside what follows from their reports.
 *
 * @param wanted the members that the chain is to have; empty: those that it has
 * @param addable targets that may be added now
 * @param out members that are not to serve, each with the number of others that must serve for it
 *     to be taken out, 1 or more
 */
public record MemberWishes(
    Set<TargetId> wanted, Set<TargetId> addable, Map<TargetId, Integer> out) {
  /** Nothing but what reports say. */
  public static final MemberWishes NONE = new MemberWishes(Set.of(), Set.of(), Map.of());

  public MemberWishes {
    wanted = ImmutableSet.copyOf(wanted);
    addable = ImmutableSet.copyOf(addable);
    out = ImmutableMap.copyOf(out);
  }
}

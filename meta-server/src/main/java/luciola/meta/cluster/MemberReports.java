package luciola.meta.cluster;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.Map;
import java.util.Set;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.LocalState;

/**
 * What is known of the members of one chain.
 *
 * @param local states as far as they may be acted upon; a member that is missing is unknown
 * @param told members whose living server reported that it acts by the present chain version
 */
public record MemberReports(Map<TargetId, LocalState> local, Set<TargetId> told) {
  public MemberReports {
    local = ImmutableMap.copyOf(local);
    told = ImmutableSet.copyOf(told);
  }
}

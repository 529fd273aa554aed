package luciola.simulation.cluster;

import java.util.HashSet;
import java.util.Set;
import luciola.protocol.frame.UpdateTag;
import luciola.simulation.check.AcknowledgedWritesSurvive;
import luciola.simulation.check.History;
import luciola.simulation.check.NoUpdateAppliedTwice;
import luciola.simulation.check.OneAuthority;
import luciola.simulation.check.VersionsGoForward;

/** The rules of one run, with what they have seen so far. */
final class Rules {
  final History history = new History();
  final NoUpdateAppliedTwice once = new NoUpdateAppliedTwice();
  final AcknowledgedWritesSurvive survive = new AcknowledgedWritesSurvive();
  final OneAuthority authority = new OneAuthority();
  final VersionsGoForward forward = new VersionsGoForward();

  /** Updates whose client died. */
  final Set<UpdateTag> orphans = new HashSet<>();
}

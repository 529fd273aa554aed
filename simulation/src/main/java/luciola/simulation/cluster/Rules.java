package luciola.simulation.cluster;

import luciola.simulation.check.AcknowledgedWritesSurvive;
import luciola.simulation.check.History;
import luciola.simulation.check.NoUpdateAppliedTwice;
import luciola.simulation.check.OneAuthority;

/** The rules of one run, with what they have seen so far. */
final class Rules {
  final History history = new History();
  final NoUpdateAppliedTwice once = new NoUpdateAppliedTwice();
  final AcknowledgedWritesSurvive survive = new AcknowledgedWritesSurvive();
  final OneAuthority authority = new OneAuthority();
}

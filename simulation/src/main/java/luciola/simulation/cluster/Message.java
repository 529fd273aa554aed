package luciola.simulation.cluster;

import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.simulation.check.Content;

/** What travels on the data plane: a frame and its payload. */
record Message(Request request, Content payload) {
  /** The answer to one. */
  record Answer(Reply reply, Content payload) {}
}

package luciola.simulation.cluster;

import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import org.jspecify.annotations.Nullable;

/** What travels on the data plane: a frame and its payload. */
@SuppressWarnings("ArrayRecordComponent")
record Message(Request request, byte[] payload) {
  static final byte[] NO_BYTES = {};

  /**
   * The answer to one.
   *
   * @param reply null: the connection is gone
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Answer(@Nullable Reply reply, byte[] payload) {
    static final Answer GONE = new Answer(null, NO_BYTES);
  }
}

package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.error.ErrorCode;

/**
 * Answers {@link CollectRequest} and {@link ForgetRequest}.
 *
 * @param chainVersion by which the member acts
 * @param yes one for each removal, in order: whether it may be forgotten, whether it is; none after
 *     a failure
 */
public record CollectReply(ErrorCode code, int chainVersion, List<Boolean> yes) implements Reply {
  public CollectReply {
    yes = List.copyOf(yes);
  }
}

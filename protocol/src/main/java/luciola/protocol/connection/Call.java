package luciola.protocol.connection;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;

/**
 * One request that a server has received with all its payload. It is answered exactly once, from
 * any thread and in any order with others.
 */
public interface Call {
  Request request();

  /**
   * The bytes that came with the request ({@link PayloadBuffer#empty()} if there were none). Given
   * back by the connection when the call is answered; who needs it longer retains it before.
   */
  PayloadBuffer payload();

  /** Number of the calling instance, as its Hello said. */
  long caller();

  /** Whether the caller can still be reached; the work for a lost caller may be left out. */
  boolean isOpen();

  /** Answers without payload. */
  default void reply(Reply reply) {
    reply(reply, ReplyBody.NONE);
  }

  /**
   * Answers. Never throws for a caller that is gone: the body is released and that is all.
   *
   * @throws IllegalStateException if the call was answered already
   * @throws IllegalArgumentException if the reply is not of the request's kind or its header
   *     announces another number of payload bytes than {@code body} has; the body is released
   */
  void reply(Reply reply, ReplyBody body);

  /** Answers that the request as a whole failed. */
  default void fail(ErrorCode code) {
    reply(Reply.failure(request(), code));
  }
}

package luciola.protocol.error;

/** What the receiver of an error does next. */
public enum CallerAction {
  /** Not an error. */
  PROCEED,
  /** Send the same request again after a short wait; it has had no effect or is idempotent. */
  RETRY,
  /** Fetch newer routing information, then send the request again. */
  REFRESH_ROUTING,
  /** Find the leader of the meta-servers, then send the request again. */
  FIND_LEADER,
  /** Try another replica; report this one. */
  OTHER_REPLICA,
  /** Tell the application. */
  GIVE_UP,
  /** The process cannot go on safely. */
  STOP
}

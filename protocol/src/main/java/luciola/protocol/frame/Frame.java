package luciola.protocol.frame;

/**
 * A message of the data plane. Requests are answered by exactly one reply of their kind with the
 * same request id, or the connection closes.
 */
public sealed interface Frame permits Request, Reply {}

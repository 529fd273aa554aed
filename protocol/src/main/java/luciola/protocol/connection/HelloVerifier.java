package luciola.protocol.connection;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.id.ClusterId;

/** Decides who may connect. Runs on an event loop and must not block. */
@FunctionalInterface
public interface HelloVerifier {
  /** The answer; a code other than OK closes the connection after it was sent. */
  HelloReply verify(Hello hello);

  /** Accepts callers of one cluster that speak this protocol version. */
  static HelloVerifier ofCluster(ClusterId cluster, long node, long incarnation) {
    return hello -> {
      if (!hello.cluster().equals(cluster)) {
        return new HelloReply(ErrorCode.WRONG_CLUSTER, 0, 0);
      }
      if (hello.protocolVersion() != Hello.PROTOCOL_VERSION) {
        return new HelloReply(ErrorCode.UNSUPPORTED, 0, 0);
      }
      return new HelloReply(ErrorCode.OK, node, incarnation);
    };
  }
}

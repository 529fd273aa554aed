package luciola.protocol.frame;

import luciola.protocol.id.ClusterId;

/**
 * First frames of a connection.
 *
 * <pre>
 *   HELLO        cluster i64 | protocol version i32 | caller i64
 *   HELLO_REPLY  code u16 | node i64 | incarnation i64
 * </pre>
 */
final class HelloLayout {
  private HelloLayout() {}

  static void encode(BodyWriter out, Hello hello) {
    out.i64(hello.cluster().value()).i32(hello.protocolVersion()).i64(hello.caller());
  }

  static Hello decode(BodyReader in) {
    return new Hello(new ClusterId(in.i64()), in.i32(), in.i64());
  }

  static void encode(BodyWriter out, HelloReply reply) {
    out.code(reply.code()).i64(reply.node()).i64(reply.incarnation());
  }

  static HelloReply decodeReply(BodyReader in) {
    return new HelloReply(in.code(), in.i64(), in.i64());
  }
}

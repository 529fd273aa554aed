package luciola.protocol.connection;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.Reply;

/**
 * Where the payload of a reply goes. Asked once the reply's header is known and before its payload
 * is read, on an event loop: it must not block.
 */
@FunctionalInterface
public interface ReplyPayload {
  /** For calls whose replies carry no payload. */
  ReplyPayload NONE = (_, _) -> List.of();

  /**
   * The memory that is filled in order.
   *
   * @param payloadBytes bytes of the payload, 1 or more
   * @return native segments of {@code payloadBytes} bytes together, writable by any thread; another
   *     sum fails the call and closes the connection
   */
  List<MemorySegment> place(Reply reply, int payloadBytes);

  /**
   * Told as the payload comes, on the event loop: what lies in its places now was received a moment
   * ago, and is in the processor's cache still. Must not block.
   *
   * @param bytes of the payload, from its beginning, that are there
   */
  default void arrived(Reply reply, int bytes) {}

  /**
   * Fills one segment for each range of a read: a result with fewer bytes than asked fills the
   * front of its segment only and leaves the rest as it is.
   *
   * @param ranges one segment for each range of the request, in order
   */
  static ReplyPayload scatter(List<MemorySegment> ranges) {
    List<MemorySegment> destinations = List.copyOf(ranges);
    return (reply, _) -> reply instanceof ReadReply read ? cut(read, destinations) : List.of();
  }

  private static List<MemorySegment> cut(ReadReply reply, List<MemorySegment> destinations) {
    if (reply.results().size() != destinations.size()) {
      return List.of();
    }
    var cut = new ArrayList<MemorySegment>(destinations.size());
    for (int i = 0; i < destinations.size(); i++) {
      int bytes = reply.results().get(i).dataBytes();
      if (bytes > destinations.get(i).byteSize()) {
        return List.of();
      }
      if (bytes > 0) {
        cut.add(destinations.get(i).asSlice(0, bytes));
      }
    }
    return cut;
  }
}

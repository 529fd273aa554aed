package luciola.protocol.frame;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Frames to bytes and back. A frame is its {@link FramePrefix}, its body and its payload; the
 * payload never passes through here. Bodies are laid out by the {@code …Layout} classes, which show
 * them; everything is little-endian, without padding.
 *
 * <p>Decoding is strict: it yields a frame or fails with MALFORMED_FRAME, whatever the bytes.
 */
public final class FrameCodec {
  /** Most tickets of a request. */
  public static final int TICKETS_MAX = 4096;

  private FrameCodec() {}

  /** Prefix and body of a frame without tickets; see {@link #encode(long, Frame, List)}. */
  public static ByteBuffer encode(long requestId, Frame frame) {
    return encode(requestId, frame, List.of());
  }

  /**
   * Prefix and body of a frame.
   *
   * @param tickets what is shown with a request; none with a reply
   * @throws LuciolaException INVALID_ARGUMENT if the frame is beyond the limits of {@link
   *     FramePrefix}
   */
  public static ByteBuffer encode(long requestId, Frame frame, List<SealedTicket> tickets) {
    long payloadBytes = payloadBytes(frame);
    if (payloadBytes < 0 || payloadBytes > FramePrefix.PAYLOAD_BYTES_MAX) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT, "encode frame: bad payload: payloadBytes=" + payloadBytes);
    }
    var out = new BodyWriter();
    if (!tickets.isEmpty()) {
      if (tickets.size() > TICKETS_MAX || !(frame instanceof Request)) {
        throw new LuciolaException(
            ErrorCode.INVALID_ARGUMENT, "encode frame: bad tickets: count=" + tickets.size());
      }
      out.u16(tickets.size());
      tickets.forEach(ticket -> out.bytes(ticket.bytes()));
    }
    encodeBody(out, frame);
    return out.frame(FrameType.of(frame), requestId, (int) payloadBytes, !tickets.isEmpty());
  }

  /**
   * The tickets of a body that {@link #decode} has accepted.
   *
   * @throws LuciolaException MALFORMED_FRAME
   */
  public static List<SealedTicket> tickets(FramePrefix prefix, ByteBuffer body) {
    return prefix.ticketed()
        ? tickets(new BodyReader(body, FrameType.ofNumber(prefix.typeNumber())))
        : List.of();
  }

  private static List<SealedTicket> tickets(BodyReader in) {
    int count = in.u16();
    if (count < 1 || count > TICKETS_MAX) {
      throw in.malformed("bad number of tickets: count=" + count);
    }
    var tickets = new ArrayList<SealedTicket>();
    for (int i = 0; i < count; i++) {
      tickets.add(SealedTicket.of(in.bytes(SealedTicket.BYTES)));
    }
    return tickets;
  }

  /**
   * The frame of a body that was received completely.
   *
   * @throws LuciolaException MALFORMED_FRAME
   */
  public static Frame decode(FramePrefix prefix, ByteBuffer body) {
    FrameType type = FrameType.ofNumber(prefix.typeNumber());
    var in = new BodyReader(body, type);
    if (body.remaining() != prefix.bodyBytes()
        || FramePrefix.crc(body.slice()) != prefix.bodyCrc()) {
      throw in.malformed("bad checksum or length: bytes=" + body.remaining());
    }
    if (prefix.ticketed()) {
      var _ = tickets(in);
    }
    Frame frame;
    try {
      frame = decodeBody(in, type);
    } catch (IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME, "decode frame body: type=" + type + " " + e.getMessage(), e);
    }
    in.end();
    if (payloadBytes(frame) != prefix.payloadBytes()) {
      throw in.malformed(
          "payload does not fit: announced="
              + prefix.payloadBytes()
              + " implied="
              + payloadBytes(frame));
    }
    return frame;
  }

  /** Bytes of payload that a frame of these fields has; -1 where the fields make no sense. */
  public static long payloadBytes(Frame frame) {
    return switch (frame) {
      case UpdateRequest update -> update.update().payloadBytes();
      case ForwardRequest forward -> forward.update().payloadBytes();
      case ReadReply read -> dataBytes(read);
      case Hello _,
          ReadRequest _,
          VersionRequest _,
          ChunkListRequest _,
          SyncStartRequest _,
          InventoryRequest _,
          DedupRequest _,
          SyncDoneRequest _,
          FetchRequest _,
          CollectRequest _,
          ForgetRequest _,
          HelloReply _,
          UpdateReply _,
          VersionReply _,
          ChunkListReply _,
          InventoryReply _,
          SyncReply _,
          CollectReply _ ->
          0;
    };
  }

  private static long dataBytes(ReadReply reply) {
    long sum = 0;
    for (ReadReply.Result result : reply.results()) {
      if (result.dataBytes() < 0) {
        return -1;
      }
      sum += result.dataBytes();
    }
    return sum;
  }

  private static void encodeBody(BodyWriter out, Frame frame) {
    switch (frame) {
      case Hello it -> HelloLayout.encode(out, it);
      case HelloReply it -> HelloLayout.encode(out, it);
      case ReadRequest it -> ReadLayout.encode(out, it);
      case ReadReply it -> ReadLayout.encode(out, it);
      case UpdateRequest it -> UpdateLayout.encode(out, it);
      case ForwardRequest it -> UpdateLayout.encode(out, it);
      case UpdateReply it -> UpdateLayout.encode(out, it);
      case VersionRequest it -> VersionLayout.encode(out, it);
      case VersionReply it -> VersionLayout.encode(out, it);
      case ChunkListRequest it -> ListLayout.encode(out, it);
      case ChunkListReply it -> ListLayout.encode(out, it);
      case InventoryRequest it -> ListLayout.encode(out, it);
      case InventoryReply it -> ListLayout.encode(out, it);
      case SyncStartRequest it -> SyncLayout.encode(out, it);
      case DedupRequest it -> SyncLayout.encode(out, it);
      case SyncDoneRequest it -> SyncLayout.encode(out, it);
      case FetchRequest it -> FetchLayout.encode(out, it);
      case SyncReply it -> SyncLayout.encode(out, it);
      case CollectRequest it -> CollectLayout.encode(out, it);
      case ForgetRequest it -> CollectLayout.encode(out, it);
      case CollectReply it -> CollectLayout.encode(out, it);
    }
  }

  private static Frame decodeBody(BodyReader in, FrameType type) {
    return switch (type) {
      case HELLO -> HelloLayout.decode(in);
      case HELLO_REPLY -> HelloLayout.decodeReply(in);
      case READ -> ReadLayout.decode(in);
      case READ_REPLY -> ReadLayout.decodeReply(in);
      case UPDATE -> UpdateLayout.decode(in);
      case FORWARD -> UpdateLayout.decodeForward(in);
      case UPDATE_REPLY -> UpdateLayout.decodeReply(in);
      case VERSION -> VersionLayout.decode(in);
      case VERSION_REPLY -> VersionLayout.decodeReply(in);
      case CHUNK_LIST -> ListLayout.decode(in);
      case CHUNK_LIST_REPLY -> ListLayout.decodeReply(in);
      case INVENTORY -> ListLayout.decodeInventory(in);
      case INVENTORY_REPLY -> ListLayout.decodeInventoryReply(in);
      case SYNC_START -> SyncLayout.decodeStart(in);
      case SYNC_DONE -> SyncLayout.decodeDone(in);
      case FETCH -> FetchLayout.decode(in);
      case DEDUP -> SyncLayout.decodeDedup(in);
      case SYNC_REPLY -> SyncLayout.decodeReply(in);
      case COLLECT -> CollectLayout.decode(in);
      case FORGET -> CollectLayout.decodeForget(in);
      case COLLECT_REPLY -> CollectLayout.decodeReply(in);
    };
  }
}

package luciola.protocol.connection;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.DefaultFileRegion;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;

/** Writes frames to a channel without copying their payload. */
final class Outbox {
  private static final int PIECE_BYTES = 256 << 10;

  private Outbox() {}

  /** Writes without flushing, on the event loop; the future is of the frame's last byte. */
  static ChannelFuture write(Channel channel, ByteBuffer head, List<ReplyBody.Part> parts) {
    ChannelFuture last = channel.write(Unpooled.wrappedBuffer(head));
    for (ReplyBody.Part part : parts) {
      if (part.bytes() > 0) {
        last =
            switch (part) {
              case ReplyBody.Memory memory ->
                  channel.write(Unpooled.wrappedBuffer(memory.segment().asByteBuffer()));
              case ReplyBody.FileRange range ->
                  Tls.isOn(channel)
                      ? writeThroughMemory(channel, range)
                      : channel.write(new SharedFileRegion(range));
            };
      }
    }
    return last;
  }

  /** What is encrypted cannot be sent from the file. */
  private static ChannelFuture writeThroughMemory(Channel channel, ReplyBody.FileRange range) {
    ChannelFuture last = channel.newSucceededFuture();
    long at = range.position();
    long end = range.position() + range.bytes();
    while (at < end) {
      int bytes = (int) Math.min(PIECE_BYTES, end - at);
      ByteBuf piece = channel.alloc().directBuffer(bytes);
      try {
        while (piece.writerIndex() < bytes) {
          int read =
              piece.writeBytes(range.file(), at + piece.writerIndex(), bytes - piece.writerIndex());
          if (read < 0) {
            throw new EOFException("file ends: position=" + (at + piece.writerIndex()));
          }
        }
      } catch (IOException e) {
        piece.release();
        Sockets.close(channel);
        return channel.newFailedFuture(e);
      }
      CopyCounter.copied(bytes);
      last = channel.write(piece);
      at += bytes;
    }
    return last;
  }

  /** A region of a file that stays open. */
  private static final class SharedFileRegion extends DefaultFileRegion {
    SharedFileRegion(ReplyBody.FileRange range) {
      this(range.file(), range.position(), range.bytes());
    }

    private SharedFileRegion(FileChannel file, long position, long bytes) {
      super(file, position, bytes);
    }

    @Override
    protected void deallocate() {
      // the file is its owner's
    }
  }
}

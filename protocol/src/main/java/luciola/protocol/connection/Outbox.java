package luciola.protocol.connection;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.DefaultFileRegion;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;

/** Writes frames to a channel without copying their payload. */
final class Outbox {
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
              case ReplyBody.FileRange range -> channel.write(new SharedFileRegion(range));
            };
      }
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

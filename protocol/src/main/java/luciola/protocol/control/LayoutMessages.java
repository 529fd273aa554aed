package luciola.protocol.control;

import luciola.grpc.v1.Layout;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.layout.FileLayout;

/** Layouts as messages. */
public final class LayoutMessages {
  private LayoutMessages() {}

  /**
   * The layout of a message.
   *
   * @throws LuciolaException INVALID_ARGUMENT where the message breaks a rule of layouts
   */
  public static FileLayout fromMessage(Layout layout) {
    try {
      return new FileLayout(
          new ChainTableId(layout.getTableId()),
          layout.getTableVersion(),
          layout.getChunkBytes(),
          layout.getStripe(),
          layout.getStart(),
          layout.getSeed());
    } catch (IllegalArgumentException e) {
      throw new LuciolaException(ErrorCode.INVALID_ARGUMENT, "layout: " + e.getMessage(), e);
    }
  }

  public static Layout toMessage(FileLayout layout) {
    return Layout.newBuilder()
        .setTableId(layout.table().value())
        .setTableVersion(layout.tableVersion())
        .setChunkBytes(layout.chunkBytes())
        .setStripe(layout.stripe())
        .setStart(layout.start())
        .setSeed(layout.seed())
        .build();
  }
}

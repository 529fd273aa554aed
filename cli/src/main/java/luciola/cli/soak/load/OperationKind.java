package luciola.cli.soak.load;

import org.jspecify.annotations.Nullable;

/** What clients do; each has its own figures. */
public enum OperationKind {
  CREATE(Side.NAMES),
  WRITE(Side.CHANGES),
  APPEND(null),
  TRUNCATE(null),
  REMOVE(Side.NAMES),
  REOPEN(null),
  OPEN_READ(Side.NAMES),
  READ_BLOCK(Side.READS),
  READ_BATCH(Side.READS),
  READ_SPAN(Side.READS),
  CHANGE_NAME(Side.NAMES),
  LIST_NAMES(Side.NAMES);

  /** Who has to answer. */
  public enum Side {
    /** The meta-servers. */
    NAMES,
    /** Storage-servers, that read. */
    READS,
    /** Storage-servers, that write. */
    CHANGES
  }

  private final @Nullable Side side;

  OperationKind(@Nullable Side side) {
    this.side = side;
  }

  /** The side that has to answer; null if both have. */
  @Nullable Side side() {
    return side;
  }
}

package luciola.cli.soak.load;

/** What a block holds after one operation on it. */
public sealed interface BlockValue {
  /** Nothing but zeros: never written, or cut away. */
  record Zeros() implements BlockValue {}

  /**
   * The bytes of one write.
   *
   * @param sequence number of the write among all operations on the block
   */
  record Written(long sequence) implements BlockValue {}

  /**
   * The front of a write; zeros after it.
   *
   * @param sequence of the write
   * @param bytes that are left of it
   */
  record Front(long sequence, int bytes) implements BlockValue {}

  /** What a truncate leaves that cuts a block after so many bytes. */
  default BlockValue cut(int bytes) {
    return switch (this) {
      case Zeros zeros -> zeros;
      case Written written -> bytes == 0 ? new Zeros() : new Front(written.sequence(), bytes);
      case Front front ->
          bytes == 0 ? new Zeros() : new Front(front.sequence(), Math.min(bytes, front.bytes()));
    };
  }
}

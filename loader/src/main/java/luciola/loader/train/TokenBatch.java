package luciola.loader.train;

import java.lang.foreign.MemorySegment;

/**
 * One batch of token windows, in memory that belongs to its source until {@link #close} gives it
 * back; after that neither the batch nor a view of its memory may be used.
 */
public interface TokenBatch extends AutoCloseable {

  /**
   * Token windows, row after row without gaps: {@code rows × tokensPerRow × tokenBytes} bytes,
   * little-endian unsigned.
   */
  MemorySegment tokens();

  /** Windows in this batch. */
  int rows();

  /** Tokens of a window: the context of the model plus one (the target of the last position). */
  int tokensPerRow();

  /** Size of a token: 1 or 2. */
  int tokenBytes();

  /** Id of the sample in this row. */
  long sampleId(int row);

  /**
   * The global position of the plan once this batch has been trained on, by all ranks: an opaque
   * line of text, to be kept with the weights and handed to the source that resumes.
   */
  String positionAfter();

  /** Releases the memory to the source. A second close does nothing. */
  @Override
  void close();
}

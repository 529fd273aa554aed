package luciola.loader.agent;

import luciola.loader.dataset.Dataset;
import luciola.loader.dataset.RecordDataset;
import luciola.loader.dataset.TokenDataset;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Where things lie in a slot: the rows back to back from its start, then the sample numbers, then
 * for rows of different sizes their starts. Slots begin on page boundaries.
 *
 * @param idsAt offset of the sample numbers in the slot
 * @param rowStartsAt offset of the row starts in the slot
 * @param slotBytes size of a slot, whole pages
 */
record SlotLayout(long idsAt, long rowStartsAt, long slotBytes) {
  private static final long PAGE_BYTES = 4096;
  private static final long LINE_BYTES = 64;

  static SlotLayout of(Dataset dataset, int batch, long slotBytesMax) {
    long idsAt = roundUp((long) batch * dataset.sampleBytesMax(), LINE_BYTES);
    long rowStartsAt = idsAt + roundUp(8L * batch, LINE_BYTES);
    long end =
        switch (dataset) {
          case TokenDataset _ -> rowStartsAt;
          case RecordDataset _ -> rowStartsAt + 8L * (batch + 1L);
        };
    SlotLayout layout = new SlotLayout(idsAt, rowStartsAt, roundUp(end, PAGE_BYTES));
    if (layout.slotBytes > slotBytesMax) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "open dataset: one batch does not fit a slot: path="
              + dataset.path()
              + " batch="
              + batch
              + " sampleBytesMax="
              + dataset.sampleBytesMax()
              + " slotBytes="
              + layout.slotBytes
              + " slotBytesMax="
              + slotBytesMax);
    }
    return layout;
  }

  static long roundUp(long bytes, long unit) {
    return (bytes + unit - 1) / unit * unit;
  }
}

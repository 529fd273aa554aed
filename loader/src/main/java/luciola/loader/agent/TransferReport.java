package luciola.loader.agent;

/**
 * What an agent has delivered.
 *
 * @param batches batches handed to trainers
 * @param batchBytes bytes of their samples
 * @param readNanos time from asking for a batch's bytes to having them, summed over batches
 * @param slotWaitNanos time that reading ahead waited for a free slot: large is good, the trainer
 *     is the slower side
 * @param fileBytes bytes of file reads
 */
public record TransferReport(
    long batches, long batchBytes, long readNanos, long slotWaitNanos, long fileBytes) {

  /** The sum of both. */
  TransferReport plus(TransferReport other) {
    return new TransferReport(
        batches + other.batches,
        batchBytes + other.batchBytes,
        readNanos + other.readNanos,
        slotWaitNanos + other.slotWaitNanos,
        fileBytes + other.fileBytes);
  }
}

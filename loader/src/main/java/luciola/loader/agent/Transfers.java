package luciola.loader.agent;

import java.util.concurrent.atomic.LongAdder;

/** Counters behind a {@link TransferReport}; for many threads. */
final class Transfers {
  final LongAdder batches = new LongAdder();
  final LongAdder batchBytes = new LongAdder();
  final LongAdder readNanos = new LongAdder();
  final LongAdder slotWaitNanos = new LongAdder();
  final LongAdder fileBytes = new LongAdder();

  TransferReport report() {
    return new TransferReport(
        batches.sum(), batchBytes.sum(), readNanos.sum(), slotWaitNanos.sum(), fileBytes.sum());
  }

  void add(TransferReport report) {
    batches.add(report.batches());
    batchBytes.add(report.batchBytes());
    readNanos.add(report.readNanos());
    slotWaitNanos.add(report.slotWaitNanos());
    fileBytes.add(report.fileBytes());
  }
}

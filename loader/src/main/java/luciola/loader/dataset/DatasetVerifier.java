package luciola.loader.dataset;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.loader.order.EpochLedger;
import luciola.loader.order.LastBatch;
import luciola.loader.order.LoaderPosition;
import luciola.loader.order.OrderPlan;
import luciola.loader.order.RankBatch;
import luciola.loader.order.SampleOrder;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Proves things about a dataset: that its bytes are those that were packed, and that an epoch's
 * samples, of all ranks, are the whole set exactly once.
 */
public final class DatasetVerifier {
  /** Faults named in a report. */
  public static final int FAULTS_MAX = 100;

  private static final int PIECE_BYTES = 4 << 20;

  private final LuciolaFileSystem files;
  private final LongConsumer progress;

  /**
   * What was found.
   *
   * @param bytesRead bytes read and checked
   * @param checksummed false where the format has no checksum of the data (a Megatron dataset of
   *     another program): then only structure and readability were checked
   * @param faults messages with the address of each corrupt place, at most {@link #FAULTS_MAX}
   */
  public record Report(
      String path,
      DatasetKind kind,
      long documents,
      long bytesRead,
      boolean checksummed,
      List<String> faults) {
    public Report {
      faults = List.copyOf(faults);
    }

    public boolean clean() {
      return faults.isEmpty();
    }
  }

  public DatasetVerifier(LuciolaFileSystem files) {
    this(files, bytes -> {});
  }

  /**
   * @param progress told the number of bytes read so far
   */
  public DatasetVerifier(LuciolaFileSystem files, LongConsumer progress) {
    this.files = files;
    this.progress = progress;
  }

  /** Reads all of a dataset; what cannot even be opened throws. */
  public Report verify(String path) {
    try (Dataset dataset = Dataset.open(files, path, 1)) {
      return switch (dataset) {
        case TokenDataset tokens -> tokens(tokens);
        case RecordDataset records -> records(records);
      };
    }
  }

  private Report tokens(TokenDataset dataset) {
    boolean checksummed = files.find(dataset.path() + "/" + DatasetCatalog.FILE).isPresent();
    List<String> faults = new ArrayList<>();
    ReadableFile data = dataset.data();
    CRC32C crc = new CRC32C();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment piece = arena.allocate(PIECE_BYTES, 4096);
      for (long at = 0; at < data.length(); at += PIECE_BYTES) {
        MemorySegment part = piece.asSlice(0, Math.min(PIECE_BYTES, data.length() - at));
        FileBytes.await(data.read(at, part));
        FileBytes.update(crc, part);
        progress.accept(at + part.byteSize());
      }
    }
    int expected = dataset.catalog().shards().getFirst().crc32c();
    if (checksummed && (int) crc.getValue() != expected) {
      faults.add(
          "checksum of the data is wrong: path=%s crc32c=%08x expected=%08x"
              .formatted(data.path(), crc.getValue(), expected));
    }
    return new Report(
        dataset.path(),
        DatasetKind.TOKENS,
        dataset.index().documents(),
        data.length(),
        checksummed,
        faults);
  }

  private Report records(RecordDataset dataset) {
    List<String> faults = new ArrayList<>();
    long read = 0;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment place = arena.allocate(Math.max(1, dataset.sampleBytesMax()), 4096);
      for (long sample = 0; sample < dataset.samples(); sample++) {
        SampleAddress address = dataset.address(sample);
        MemorySegment part = place.asSlice(0, address.bytes());
        try {
          if (address.bytes() > 0) {
            FileBytes.await(files.read(List.of(address.into(part))));
          }
          address.verify(part, sample);
        } catch (LuciolaException e) {
          if (e.code() != ErrorCode.CORRUPT_DATA && e.code() != ErrorCode.CHECKSUM_MISMATCH) {
            throw e;
          }
          if (faults.size() < FAULTS_MAX) {
            faults.add(String.valueOf(e.getMessage()));
          }
        }
        read += address.bytes();
        progress.accept(read);
      }
    }
    return new Report(dataset.path(), DatasetKind.RECORDS, dataset.samples(), read, true, faults);
  }

  /**
   * Runs the order of one epoch for every rank and keeps the ledger.
   *
   * @param epoch 0 at first
   */
  public static EpochLedger.Verdict proveEpoch(
      OrderPlan plan, long epoch, int world, int batch, LastBatch lastBatch) {
    EpochLedger ledger = new EpochLedger(plan.samples());
    for (int rank = 0; rank < world; rank++) {
      SampleOrder order =
          new SampleOrder(plan, new SampleOrder.Share(rank, world, batch, lastBatch));
      LoaderPosition at = new LoaderPosition(plan.fingerprint(), plan.seed(), epoch, 0);
      while (at.epoch() == epoch) {
        RankBatch given = order.batchAt(at);
        ledger.deliver(given.samples(), given.valid());
        at = given.after();
      }
    }
    return ledger.verdict();
  }
}

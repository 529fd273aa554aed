package luciola.loader.dataset;

import java.util.Optional;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Samples that can be read in any order. Safe for many threads. */
public sealed interface Dataset extends AutoCloseable permits TokenDataset, RecordDataset {

  /** Where it was opened. */
  String path();

  DatasetCatalog catalog();

  /** Number of samples. */
  long samples();

  /** Of the content and of how it is cut into samples: what an order and a position are tied to. */
  long fingerprint();

  /** Size of the largest sample. */
  int sampleBytesMax();

  /**
   * Where a sample lies.
   *
   * @param sample 0 … samples-1
   */
  SampleAddress address(long sample);

  @Override
  void close();

  /**
   * Opens a dataset directory (one with a {@code dataset.json}) or the Megatron files {@code
   * path.bin} and {@code path.idx} that another program wrote.
   *
   * @param sequenceTokens inputs of one token window (it has one token more, the last target);
   *     ignored for records
   */
  static Dataset open(LuciolaFileSystem files, String path, int sequenceTokens) {
    Optional<FileStat> there = files.find(path);
    if (there.isPresent() && there.get().isDirectory()) {
      if (files.find(path + "/" + DatasetCatalog.FILE).isEmpty()) {
        throw new LuciolaException(
            ErrorCode.NOT_FOUND,
            "open dataset: the directory has no " + DatasetCatalog.FILE + ": path=" + path);
      }
      DatasetCatalog catalog = DatasetCatalog.read(files, path);
      return switch (catalog.kind()) {
        case TOKENS -> TokenDataset.open(files, path, catalog, sequenceTokens);
        case RECORDS -> RecordDataset.open(files, path, catalog);
      };
    }
    if (files.find(path + ".idx").isPresent()) {
      return TokenDataset.openMegatron(files, path, sequenceTokens);
    }
    throw new LuciolaException(
        ErrorCode.NOT_FOUND,
        "open dataset: neither a dataset directory nor the prefix of a .idx file: path=" + path);
  }
}

package luciola.loader.dataset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Records of several shards, numbered through in the order of the catalog. */
public final class RecordDataset implements Dataset {
  private final String path;
  private final DatasetCatalog catalog;
  private final List<RecordShard> shards;
  private final long[] firsts;
  private final int sampleBytesMax;

  private RecordDataset(String path, DatasetCatalog catalog, List<RecordShard> shards) {
    this.path = path;
    this.catalog = catalog;
    this.shards = List.copyOf(shards);
    this.firsts = new long[shards.size() + 1];
    int most = 0;
    for (int i = 0; i < shards.size(); i++) {
      RecordShard shard = shards.get(i);
      firsts[i + 1] = firsts[i] + shard.samples();
      for (long sample = 0; sample < shard.samples(); sample++) {
        most = Math.max(most, shard.address(sample).bytes());
      }
    }
    this.sampleBytesMax = most;
  }

  static RecordDataset open(LuciolaFileSystem files, String directory, DatasetCatalog catalog) {
    List<RecordShard> shards = new ArrayList<>();
    try {
      for (DatasetCatalog.Shard entry : catalog.shards()) {
        RecordShard shard = RecordShard.open(files, directory + "/" + entry.file());
        shards.add(shard);
        if (shard.samples() != entry.samples() || shard.indexCrc32c() != entry.crc32c()) {
          throw new LuciolaException(
              ErrorCode.CORRUPT_DATA,
              "open dataset: catalog and shard disagree: path="
                  + directory
                  + "/"
                  + entry.file()
                  + " catalog.samples="
                  + entry.samples()
                  + " shard.samples="
                  + shard.samples());
        }
      }
      return new RecordDataset(directory, catalog, shards);
    } catch (RuntimeException e) {
      shards.forEach(RecordShard::close);
      throw e;
    }
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public DatasetCatalog catalog() {
    return catalog;
  }

  @Override
  public long samples() {
    return firsts[shards.size()];
  }

  @Override
  public long fingerprint() {
    return catalog.fingerprint();
  }

  @Override
  public int sampleBytesMax() {
    return sampleBytesMax;
  }

  @Override
  public SampleAddress address(long sample) {
    java.util.Objects.checkIndex(sample, samples());
    int found = Arrays.binarySearch(firsts, sample);
    int shard = found >= 0 ? found : -found - 2;
    while (shards.get(shard).samples() == 0) {
      shard++; // an empty shard starts where the next one does
    }
    return shards.get(shard).address(sample - firsts[shard]);
  }

  @Override
  public void close() {
    shards.forEach(RecordShard::close);
  }
}

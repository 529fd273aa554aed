package luciola.loader.dataset;

import java.lang.foreign.Arena;
import java.util.List;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Windows of tokens cut from all documents end to end: sample {@code i} is the {@code
 * sequenceTokens + 1} tokens from token {@code i * sequenceTokens} on (the last token of a window
 * is the first of the next: it is a target there and an input here). Windows cross document
 * boundaries. The tokens after the last whole window, fewer than {@code sequenceTokens}, are in no
 * sample.
 */
public final class TokenDataset implements Dataset {
  /** Name of the token files in a dataset directory, without {@code .bin} or {@code .idx}. */
  static final String PREFIX = "tokens";

  /** Longest window in tokens. */
  public static final int SEQUENCE_TOKENS_MAX = 1 << 24;

  private final String path;
  private final DatasetCatalog catalog;
  private final MegatronIndex index;
  private final ReadableFile data;
  private final int sequenceTokens;
  private final long samples;

  private TokenDataset(
      String path,
      DatasetCatalog catalog,
      MegatronIndex index,
      ReadableFile data,
      int sequenceTokens) {
    this.path = path;
    this.catalog = catalog;
    this.index = index;
    this.data = data;
    this.sequenceTokens = sequenceTokens;
    this.samples = Math.max(0, (index.tokens() - 1) / sequenceTokens);
  }

  static TokenDataset open(
      LuciolaFileSystem files, String directory, DatasetCatalog catalog, int sequenceTokens) {
    if (catalog.shards().size() != 1
        || !catalog.shards().getFirst().file().equals(PREFIX + ".bin")) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "open dataset: a token dataset has one shard, tokens.bin: path=" + directory);
    }
    String prefix = directory + "/" + PREFIX;
    MegatronIndex index = readIndex(files, prefix);
    DatasetCatalog.Shard shard = catalog.shards().getFirst();
    if (index.type() != catalog.type()
        || index.tokens() != catalog.tokens()
        || index.documents() != catalog.documents()
        || index.dataBytes() != shard.bytes()) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "open dataset: catalog and index disagree: path="
              + directory
              + " catalog.tokens="
              + catalog.tokens()
              + " index.tokens="
              + index.tokens()
              + " catalog.documents="
              + catalog.documents()
              + " index.documents="
              + index.documents());
    }
    return open(files, directory, prefix, catalog, index, sequenceTokens);
  }

  static TokenDataset openMegatron(LuciolaFileSystem files, String prefix, int sequenceTokens) {
    MegatronIndex index = readIndex(files, prefix);
    // No checksum of the data is stored: the index's stands for the content.
    DatasetCatalog.Shard shard =
        new DatasetCatalog.Shard(
            prefix.substring(prefix.lastIndexOf('/') + 1) + ".bin",
            index.dataBytes(),
            index.documents(),
            index.crc32c());
    DatasetCatalog catalog =
        DatasetCatalog.of(
            DatasetKind.TOKENS, index.type(), index.tokens(), index.documents(), List.of(shard));
    return open(files, prefix, prefix, catalog, index, sequenceTokens);
  }

  private static MegatronIndex readIndex(LuciolaFileSystem files, String prefix) {
    String path = prefix + ".idx";
    return MegatronIndex.parse(
        FileBytes.readAll(files, path, MegatronIndex.INDEX_BYTES_MAX, Arena.ofAuto()), path);
  }

  private static TokenDataset open(
      LuciolaFileSystem files,
      String path,
      String prefix,
      DatasetCatalog catalog,
      MegatronIndex index,
      int sequenceTokens) {
    if (sequenceTokens < 1 || sequenceTokens > SEQUENCE_TOKENS_MAX) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "open dataset: sequence length must be 1 … "
              + SEQUENCE_TOKENS_MAX
              + ": path="
              + path
              + " sequenceTokens="
              + sequenceTokens);
    }
    ReadableFile data = files.openRead(prefix + ".bin");
    if (data.length() != index.dataBytes()) {
      long length = data.length();
      data.close();
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "open dataset: data file has not the length its index says: path="
              + prefix
              + ".bin fileBytes="
              + length
              + " expectedBytes="
              + index.dataBytes());
    }
    return new TokenDataset(path, catalog, index, data, sequenceTokens);
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public DatasetCatalog catalog() {
    return catalog;
  }

  public MegatronIndex index() {
    return index;
  }

  /** Tokens of one window: its inputs and one more. */
  public int windowTokens() {
    return sequenceTokens + 1;
  }

  @Override
  public long samples() {
    return samples;
  }

  @Override
  public long fingerprint() {
    return Fingerprint.of(
        "luciola-windows/1 "
            + Fingerprint.hex(catalog.fingerprint())
            + " sequenceTokens="
            + sequenceTokens);
  }

  @Override
  public int sampleBytesMax() {
    return windowTokens() * index.type().bytes();
  }

  @Override
  public SampleAddress address(long sample) {
    long token = java.util.Objects.checkIndex(sample, samples) * sequenceTokens;
    return SampleAddress.unchecked(data, token * index.type().bytes(), sampleBytesMax());
  }

  ReadableFile data() {
    return data;
  }

  @Override
  public void close() {
    data.close();
  }
}

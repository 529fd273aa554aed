package luciola.loader.dataset;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.LongConsumer;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Turns documents into a dataset directory. Everything is written beside the final name and moved
 * there by one rename at the end, so that a dataset is whole or not there.
 */
public final class DatasetPacker {
  /** Names of a token dataset's documents, in order, as a record shard. */
  static final String NAMES_FILE = "names.rec";

  private static final String UNFINISHED = ".packing";

  private final LuciolaFileSystem files;
  private final LongConsumer progress;

  /** One document. */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  public record Document(String name, byte[] bytes) {}

  /** What was packed. */
  public record Packed(String path, long documents, long tokens, long bytes, long fingerprint) {}

  public DatasetPacker(LuciolaFileSystem files) {
    this(files, bytes -> {});
  }

  /**
   * @param progress told the number of source bytes after each document
   */
  public DatasetPacker(LuciolaFileSystem files, LongConsumer progress) {
    this.files = files;
    this.progress = progress;
  }

  /**
   * Packs documents as byte tokens (type u8): {@code tokens.bin}, {@code tokens.idx}, their names
   * and the catalog.
   *
   * @param directory must not exist; its parent must
   * @param endOfDocument a token added to each document, or none
   */
  public Packed packByteTokens(
      String directory, Iterator<Document> documents, OptionalInt endOfDocument) {
    if (endOfDocument.isPresent()
        && (endOfDocument.getAsInt() < 0 || endOfDocument.getAsInt() > 255)) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "pack dataset: end of document must be a byte: endOfDocument="
              + endOfDocument.getAsInt());
    }
    return moved(directory, work -> byteTokens(directory, work, documents, endOfDocument));
  }

  private Packed byteTokens(
      String directory, String work, Iterator<Document> documents, OptionalInt endOfDocument) {
    MegatronWriter.Written written;
    try (MegatronWriter tokens =
            new MegatronWriter(files, work + "/" + TokenDataset.PREFIX, TokenType.U8);
        RecordShardWriter names = new RecordShardWriter(files, work + "/" + NAMES_FILE)) {
      long source = 0;
      while (documents.hasNext()) {
        Document document = documents.next();
        tokens.add(ended(document.bytes(), endOfDocument));
        names.add(document.name().getBytes(StandardCharsets.UTF_8));
        source += document.bytes().length;
        progress.accept(source);
      }
      names.finish();
      written = tokens.finish();
    }
    if (written.documents() == 0) {
      throw empty(directory);
    }
    DatasetCatalog.Shard shard =
        new DatasetCatalog.Shard(
            TokenDataset.PREFIX + ".bin",
            written.dataBytes(),
            written.documents(),
            written.dataCrc32c());
    DatasetCatalog catalog =
        DatasetCatalog.of(
            DatasetKind.TOKENS,
            TokenType.U8,
            written.tokens(),
            written.documents(),
            List.of(shard));
    return catalogued(directory, work, catalog);
  }

  private static byte[] ended(byte[] document, OptionalInt endOfDocument) {
    if (endOfDocument.isEmpty()) {
      return document;
    }
    byte[] ended = Arrays.copyOf(document, document.length + 1);
    ended[document.length] = (byte) endOfDocument.getAsInt();
    return ended;
  }

  /**
   * Packs documents as records, one each; names are not kept.
   *
   * @param directory must not exist; its parent must
   * @param shardBytes a shard is ended by the first record that takes it to this size
   */
  public Packed packRecords(String directory, Iterator<Document> documents, long shardBytes) {
    if (shardBytes < 1) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT, "pack dataset: shardBytes must be positive: " + shardBytes);
    }
    return moved(directory, work -> records(directory, work, documents, shardBytes));
  }

  private Packed records(
      String directory, String work, Iterator<Document> documents, long shardBytes) {
    List<DatasetCatalog.Shard> shards = new ArrayList<>();
    long source = 0;
    long samples = 0;
    while (documents.hasNext()) {
      String name = "shard-%05d.rec".formatted(shards.size());
      try (RecordShardWriter shard = new RecordShardWriter(files, work + "/" + name)) {
        while (documents.hasNext() && shard.bytes() < shardBytes + RecordLayout.HEADER_BYTES) {
          Document document = documents.next();
          shard.add(document.bytes());
          source += document.bytes().length;
          progress.accept(source);
        }
        RecordShardWriter.Written written = shard.finish();
        samples += written.samples();
        shards.add(
            new DatasetCatalog.Shard(
                name, written.bytes(), written.samples(), written.indexCrc32c()));
      }
    }
    if (samples == 0) {
      throw empty(directory);
    }
    DatasetCatalog catalog =
        DatasetCatalog.of(DatasetKind.RECORDS, TokenType.U8, source, samples, shards);
    return catalogued(directory, work, catalog);
  }

  private Packed catalogued(String directory, String work, DatasetCatalog catalog) {
    FileBytes.write(files, work + "/" + DatasetCatalog.FILE, catalog.encode());
    long bytes = catalog.shards().stream().mapToLong(DatasetCatalog.Shard::bytes).sum();
    return new Packed(
        directory, catalog.documents(), catalog.tokens(), bytes, catalog.fingerprint());
  }

  @FunctionalInterface
  private interface Packing {
    Packed into(String work);
  }

  private Packed moved(String directory, Packing packing) {
    if (files.find(directory).isPresent()) {
      throw new LuciolaException(
          ErrorCode.EXISTS, "pack dataset: there is something already: path=" + directory);
    }
    String work = directory + UNFINISHED;
    if (files.find(work).isPresent()) {
      files.removeRecursively(work); // left by a packing that did not end
    }
    files.mkdir(work);
    try {
      Packed packed = packing.into(work);
      files.renameNoReplace(work, directory);
      return packed;
    } catch (RuntimeException e) {
      removeQuietly(work, e);
      throw e;
    }
  }

  private void removeQuietly(String work, RuntimeException first) {
    try {
      files.removeRecursively(work);
    } catch (RuntimeException e) {
      first.addSuppressed(e);
    }
  }

  private static LuciolaException empty(String directory) {
    return new LuciolaException(
        ErrorCode.INVALID_ARGUMENT, "pack dataset: no documents were given: path=" + directory);
  }
}

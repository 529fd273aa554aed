package luciola.client.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.LockObtainFailedException;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.junit.jupiter.api.Test;

/** A search library works on a directory of Luciola with its own file access, unchanged. */
public abstract class LuceneContract {
  private static final int DOCUMENTS = 3_000;
  private static final int ROUNDS = 3;
  private static final String[] WORDS = {"firefly", "lantern", "meadow", "river", "night", "moss"};

  /** A new, empty directory of Luciola. */
  protected abstract Path newDirectory() throws IOException;

  /** How Lucene opens a directory. */
  private interface Opening {
    FSDirectory open(Path path) throws IOException;
  }

  @Test
  void indexesThroughChannels() throws IOException {
    works(NIOFSDirectory::new);
  }

  @Test
  void indexesThroughMappings() throws IOException {
    works(MMapDirectory::new);
  }

  @Test
  void anIndexIsLockedWhileItIsWritten() throws IOException {
    Path path = newDirectory();
    try (FSDirectory directory = FSDirectory.open(path);
        FSDirectory again = FSDirectory.open(path)) {
      try (IndexWriter _ = new IndexWriter(directory, new IndexWriterConfig())) {
        assertThrows(
            LockObtainFailedException.class,
            () -> new IndexWriter(again, new IndexWriterConfig()).close());
      }
      new IndexWriter(again, new IndexWriterConfig()).close();
    }
  }

  private void works(Opening opening) throws IOException {
    Path path = newDirectory();
    int[] expected = new int[WORDS.length];
    Random random = new Random(7);
    try (FSDirectory directory = opening.open(path)) {
      for (int round = 0; round < ROUNDS; round++) {
        try (IndexWriter writer = new IndexWriter(directory, config())) {
          for (int i = 0; i < DOCUMENTS / ROUNDS; i++) {
            int number = round * (DOCUMENTS / ROUNDS) + i;
            int word = random.nextInt(WORDS.length);
            expected[word]++;
            writer.addDocument(document(number, word, random));
          }
          writer.commit();
          writer.deleteDocuments(new Term("id", Integer.toString(round)));
        }
      }
      checkClean(directory);
      try (IndexWriter writer = new IndexWriter(directory, config())) {
        writer.forceMerge(1);
      }
      checkClean(directory);
    }
    try (FSDirectory directory = opening.open(path);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(DOCUMENTS - ROUNDS, reader.numDocs());
      assertEquals(1, reader.leaves().size());
      IndexSearcher searcher = new IndexSearcher(reader);
      int found = 0;
      for (String word : WORDS) {
        found += searcher.count(new TermQuery(new Term("text", word)));
      }
      assertEquals(DOCUMENTS - ROUNDS, found);
      TopDocs top =
          searcher.search(
              LongPoint.newRangeQuery("number", 100, 199),
              10,
              new Sort(new SortField("number", SortField.Type.LONG, true)));
      assertEquals(100, top.totalHits.value());
      assertEquals("199", searcher.storedFields().document(top.scoreDocs[0].doc).get("stored"));
    }
    try (Stream<Path> files = Files.list(path)) {
      assertTrue(files.allMatch(LuceneContract::isLucenes));
    }
  }

  /** Nothing of a mapping or another helper lies about. */
  private static boolean isLucenes(Path path) {
    String name = String.valueOf(path.getFileName());
    try {
      return name.startsWith("_")
          || name.startsWith("segments_")
          || (name.equals("write.lock") && Files.size(path) == 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static IndexWriterConfig config() {
    return new IndexWriterConfig(new StandardAnalyzer())
        .setRAMBufferSizeMB(1)
        .setMaxBufferedDocs(200);
  }

  private static Document document(int number, int word, Random random) {
    Document document = new Document();
    document.add(new StringField("id", Integer.toString(number), Field.Store.NO));
    document.add(new TextField("text", WORDS[word] + " x" + random.nextInt(1000), Field.Store.YES));
    document.add(new LongPoint("number", number));
    document.add(new NumericDocValuesField("number", number));
    document.add(new StoredField("stored", Integer.toString(number)));
    return document;
  }

  private static void checkClean(FSDirectory directory) throws IOException {
    try (CheckIndex check = new CheckIndex(directory)) {
      check.setLevel(CheckIndex.Level.MIN_LEVEL_FOR_SLOW_CHECKS);
      CheckIndex.Status status = check.checkIndex();
      assertTrue(status.clean);
      assertFalse(status.missingSegments);
    }
  }
}

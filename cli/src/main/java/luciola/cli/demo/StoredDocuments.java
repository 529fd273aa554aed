package luciola.cli.demo;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import luciola.client.DirectoryEntry;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.loader.dataset.DatasetPacker.Document;

/**
 * The files below a directory of the file system, in the order of their names, as documents: many
 * are read ahead at once, handed out in order. Files of more than 1 GiB are left out (none is a
 * document).
 */
final class StoredDocuments implements Iterator<Document>, AutoCloseable {
  private static final int AHEAD_MAX = 64;
  private static final long DOCUMENT_BYTES_MAX = 1L << 30;

  private final LuciolaFileSystem fs;
  private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
  private final Deque<Future<Document>> ahead = new ArrayDeque<>();
  private final Iterator<String> paths;

  StoredDocuments(LuciolaFileSystem fs, String root) {
    this.fs = fs;
    List<String> found = new ArrayList<>();
    collect(root, found);
    this.paths = found.iterator();
    fill();
  }

  private void collect(String directory, List<String> found) {
    for (DirectoryEntry entry : fs.list(directory)) {
      String path = directory + "/" + entry.name();
      if (entry.stat().isDirectory()) {
        collect(path, found);
      } else if (entry.stat().isFile() && entry.stat().length() <= DOCUMENT_BYTES_MAX) {
        found.add(path);
      }
    }
  }

  private void fill() {
    while (ahead.size() < AHEAD_MAX && paths.hasNext()) {
      String path = paths.next();
      ahead.add(readers.submit(() -> read(path)));
    }
  }

  private Document read(String path) {
    try (ReadableFile file = fs.openRead(path)) {
      if (file.length() == 0) {
        return new Document(path, new byte[0]);
      }
      MemorySegment bytes = Arena.ofAuto().allocate(file.length(), 8);
      long read = file.read(0, bytes).join();
      return new Document(path, bytes.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Override
  public boolean hasNext() {
    return !ahead.isEmpty();
  }

  @Override
  public Document next() {
    if (ahead.isEmpty()) {
      throw new NoSuchElementException();
    }
    try {
      Document document = ahead.remove().get();
      fill();
      return document;
    } catch (ExecutionException e) {
      throw new IllegalStateException("read of a document failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    readers.shutdownNow();
    readers.close();
  }
}

package luciola.cli.operate;

import java.io.IOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import luciola.cli.source.FileSource;
import luciola.cli.terminal.CommandFailure;
import luciola.loader.dataset.DatasetPacker.Document;
import org.jspecify.annotations.Nullable;

/**
 * The files of a source as documents to be packed: a thread of its own reads ahead by a few files,
 * because a source pushes and a packer pulls. Files that do not fit an array are refused.
 */
final class SourceDocuments implements Iterator<Document>, AutoCloseable {
  private static final int AHEAD_MAX = 16;

  private sealed interface Item {
    record One(Document document) implements Item {}

    record Failed(Throwable cause) implements Item {}

    record End() implements Item {}
  }

  private final BlockingQueue<Item> items = new ArrayBlockingQueue<>(AHEAD_MAX);
  private final Thread reader;
  private @Nullable Item next;

  SourceDocuments(FileSource source, int filesMax) {
    reader = Thread.ofPlatform().daemon().name("source").start(() -> read(source, filesMax));
  }

  private void read(FileSource source, int filesMax) {
    try {
      Item last = new Item.End();
      try {
        source.visit(filesMax, (name, _, content) -> put(name, content.readAllBytes()));
      } catch (IOException | RuntimeException | OutOfMemoryError failure) {
        last = new Item.Failed(failure);
      }
      items.put(last);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void put(String name, byte[] bytes) throws IOException {
    try {
      items.put(new Item.One(new Document(name, bytes)));
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stop);
    }
  }

  private Item peek() {
    Item item = next;
    if (item == null) {
      try {
        item = items.take();
      } catch (InterruptedException stop) {
        Thread.currentThread().interrupt();
        throw CommandFailure.failed("interrupted", stop);
      }
      next = item;
    }
    if (item instanceof Item.Failed(Throwable cause)) {
      throw CommandFailure.failed("cannot read the source: " + cause.getMessage(), cause);
    }
    return item;
  }

  @Override
  public boolean hasNext() {
    return peek() instanceof Item.One;
  }

  @Override
  public Document next() {
    if (peek() instanceof Item.One(Document document)) {
      next = null;
      return document;
    }
    throw new NoSuchElementException();
  }

  @Override
  public void close() {
    reader.interrupt();
  }
}

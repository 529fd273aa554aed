package luciola.client.nio;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import luciola.client.DirectoryEntry;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a directory as they were when it was opened. Filtered as they are asked for; after
 * the close there are no more.
 */
final class Listing implements DirectoryStream<Path> {
  private final Path directory;
  private final Iterator<DirectoryEntry> entries;
  private final Filter<? super Path> filter;
  private boolean begun;
  private volatile boolean closed;

  Listing(Path directory, Iterator<DirectoryEntry> entries, Filter<? super Path> filter) {
    this.directory = directory;
    this.entries = entries;
    this.filter = filter;
  }

  @Override
  public synchronized Iterator<Path> iterator() {
    if (begun || closed) {
      throw new IllegalStateException(closed ? "closed" : "a directory stream is read once");
    }
    begun = true;
    return new Accepted();
  }

  private final class Accepted implements Iterator<Path> {
    private @Nullable Path ahead;

    @Override
    public boolean hasNext() {
      while (ahead == null && !closed && entries.hasNext()) {
        Path path = directory.resolve(entries.next().name());
        try {
          ahead = filter.accept(path) ? path : null;
        } catch (IOException e) {
          throw new DirectoryIteratorException(e);
        }
      }
      return ahead != null;
    }

    @Override
    public Path next() {
      Path next = hasNext() ? ahead : null;
      if (next == null) {
        throw new NoSuchElementException();
      }
      ahead = null;
      return next;
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}

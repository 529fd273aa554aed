package luciola.client.nio;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.FileStoreAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.frame.Granules;
import org.jspecify.annotations.Nullable;

/** The space of a file system, as files can use it. */
final class LuciolaFileStore extends FileStore {
  private final LuciolaFileSystem files;
  private final String authority;

  LuciolaFileStore(LuciolaFileSystem files, String authority) {
    this.files = files;
    this.authority = authority;
  }

  @Override
  public String name() {
    return authority;
  }

  @Override
  public String type() {
    return LuciolaFileSystemProvider.SCHEME;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public long getTotalSpace() throws IOException {
    return IoErrors.translated("/", files::usage).capacityBytes();
  }

  @Override
  public long getUsableSpace() throws IOException {
    return IoErrors.translated("/", files::usage).freeBytes();
  }

  @Override
  public long getUnallocatedSpace() throws IOException {
    return getUsableSpace();
  }

  @Override
  public boolean supportsFileAttributeView(Class<? extends FileAttributeView> type) {
    return type == BasicFileAttributeView.class
        || type == PosixFileAttributeView.class
        || type == FileOwnerAttributeView.class;
  }

  @Override
  public boolean supportsFileAttributeView(String name) {
    return AttributeNames.VIEWS.contains(name);
  }

  @Override
  public <V extends FileStoreAttributeView> @Nullable V getFileStoreAttributeView(Class<V> type) {
    return null;
  }

  /** What checksums are kept for: reads of whole granules are checked where they arrive. */
  @Override
  public long getBlockSize() {
    return Granules.BYTES;
  }

  @Override
  public Object getAttribute(String attribute) throws IOException {
    return switch (attribute) {
      case "totalSpace" -> getTotalSpace();
      case "usableSpace" -> getUsableSpace();
      case "unallocatedSpace" -> getUnallocatedSpace();
      default -> throw new UnsupportedOperationException("no such attribute: " + attribute);
    };
  }

  @Override
  public String toString() {
    return authority;
  }
}

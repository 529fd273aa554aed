package luciola.client.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;

/**
 * A directory that was opened like a file, as programs do to {@link #force} its names: they are
 * durable before the call that makes them returns, so that has nothing to do. Nothing can be read.
 */
final class DirectoryChannel extends FileChannel {
  private final String path;

  DirectoryChannel(String path) {
    this.path = path;
  }

  private FileSystemException isDirectory() throws ClosedChannelException {
    checkOpen();
    return new FileSystemException(path, null, "Is a directory");
  }

  private void checkOpen() throws ClosedChannelException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
  }

  private NonWritableChannelException notWritable() throws ClosedChannelException {
    checkOpen();
    return new NonWritableChannelException();
  }

  @Override
  public void force(boolean metaData) throws IOException {
    checkOpen();
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    throw isDirectory();
  }

  @Override
  public long read(ByteBuffer[] into, int offset, int length) throws IOException {
    throw isDirectory();
  }

  @Override
  public int read(ByteBuffer into, long at) throws IOException {
    throw isDirectory();
  }

  @Override
  public long position() throws IOException {
    checkOpen();
    return 0;
  }

  @Override
  public FileChannel position(long newPosition) throws IOException {
    checkOpen();
    return this;
  }

  @Override
  public long size() throws IOException {
    checkOpen();
    return 0;
  }

  @Override
  public long transferTo(long at, long count, WritableByteChannel target) throws IOException {
    throw isDirectory();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long at, long size) throws IOException {
    throw isDirectory();
  }

  @Override
  public FileLock lock(long at, long size, boolean shared) throws IOException {
    throw isDirectory();
  }

  @Override
  public FileLock tryLock(long at, long size, boolean shared) throws IOException {
    throw isDirectory();
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    throw notWritable();
  }

  @Override
  public long write(ByteBuffer[] from, int offset, int length) throws IOException {
    throw notWritable();
  }

  @Override
  public int write(ByteBuffer from, long at) throws IOException {
    throw notWritable();
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    throw notWritable();
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long at, long count) throws IOException {
    throw notWritable();
  }

  @Override
  protected void implCloseChannel() {}
}

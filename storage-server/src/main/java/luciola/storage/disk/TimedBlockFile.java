package luciola.storage.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.function.LongSupplier;

/** A block file that tells how long the device takes for reads, writes and flushes. */
public final class TimedBlockFile implements BlockFile {
  private final BlockFile file;
  private final DiskMeters meters;
  private final LongSupplier nanos;

  private TimedBlockFile(BlockFile file, DiskMeters meters, LongSupplier nanos) {
    this.file = file;
    this.meters = meters;
    this.nanos = nanos;
  }

  /** Opens files that are measured together. */
  public static Opener timed(Opener opener, DiskMeters meters, LongSupplier nanos) {
    return blockClass -> new TimedBlockFile(opener.open(blockClass), meters, nanos);
  }

  @Override
  public void write(long position, MemorySegment data) throws IOException {
    long start = nanos.getAsLong();
    file.write(position, data);
    meters.writes().took(nanos.getAsLong() - start);
  }

  @Override
  public void writeCached(long position, MemorySegment data) throws IOException {
    file.writeCached(position, data);
  }

  @Override
  public void read(long position, MemorySegment into) throws IOException {
    file.read(position, into);
  }

  @Override
  public void warm(long position, long bytes) throws IOException {
    file.warm(position, bytes);
  }

  @Override
  public void readDevice(long position, MemorySegment into) throws IOException {
    long start = nanos.getAsLong();
    file.readDevice(position, into);
    meters.reads().took(nanos.getAsLong() - start);
  }

  @Override
  public void flush() throws IOException {
    long start = nanos.getAsLong();
    file.flush();
    meters.flushes().took(nanos.getAsLong() - start);
  }

  @Override
  public void preallocate(long position, long bytes) throws IOException {
    file.preallocate(position, bytes);
  }

  @Override
  public void punch(long position, long bytes) throws IOException {
    file.punch(position, bytes);
  }

  @Override
  public long size() throws IOException {
    return file.size();
  }

  @Override
  public FileChannel channel() {
    return file.channel();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

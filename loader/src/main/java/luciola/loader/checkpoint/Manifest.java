package luciola.loader.checkpoint;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a checkpoint holds, and the checksums by which it is read.
 *
 * @param step steps trained
 * @param position the loader's position after that step
 * @param metadata more about the run
 * @param files of tensors
 */
public record Manifest(
    long step, String position, Map<String, String> metadata, List<FileEntry> files) {
  public Manifest {
    metadata = Collections.unmodifiableMap(new TreeMap<>(metadata));
    files = List.copyOf(files);
  }

  /** The file of that name. */
  public Optional<FileEntry> file(String name) {
    return files.stream().filter(file -> file.name().equals(name)).findFirst();
  }

  /** Bytes of all files but the manifest's own. */
  public long bytes() {
    return files.stream().mapToLong(FileEntry::bytes).sum();
  }

  /**
   * A safetensors file.
   *
   * @param bytes its length
   * @param headerBytes where its data begins
   * @param headerCrc CRC32C of what comes before
   * @param boxes that cover its tensors
   */
  public record FileEntry(
      String name, long bytes, int headerBytes, int headerCrc, List<Box> boxes) {
    public FileEntry {
      boxes = List.copyOf(boxes);
    }
  }

  /**
   * A part of a tensor that one rank wrote.
   *
   * @param start its first index in each dimension
   * @param size its extent in each dimension
   * @param begin first byte in the file's data
   * @param end byte after the last
   * @param crc CRC32C of its bytes
   */
  public record Box(
      String tensor, int rank, List<Long> start, List<Long> size, long begin, long end, int crc) {
    public Box {
      start = List.copyOf(start);
      size = List.copyOf(size);
    }
  }
}

package luciola.loader.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import luciola.loader.checkpoint.CheckpointContents.TensorFile;
import luciola.loader.checkpoint.Manifest.Box;
import luciola.loader.checkpoint.Manifest.FileEntry;
import luciola.loader.safetensors.SafetensorsHeader;
import luciola.loader.safetensors.TensorPlace;
import luciola.loader.safetensors.TensorView;

/**
 * A checkpoint copied into staging memory as the files will be, byte for byte; nothing in it refers
 * to the trainer's memory any more.
 */
final class StagedCheckpoint {
  /** One file's header and its bytes in staging. */
  record StagedFile(String name, SafetensorsHeader header, MemorySegment image) {}

  private final long step;
  private final String position;
  private final Map<String, String> metadata;
  private final List<StagedFile> files;

  private StagedCheckpoint(CheckpointContents contents, List<StagedFile> files) {
    this.step = contents.step();
    this.position = contents.position();
    this.metadata = contents.metadata();
    this.files = List.copyOf(files);
  }

  long step() {
    return step;
  }

  List<StagedFile> files() {
    return files;
  }

  /** Lays the files out; what {@link #copy} needs is the sum of {@link #stagingBytes}. */
  static List<SafetensorsHeader> layout(CheckpointContents contents) {
    Map<String, String> metadata = new TreeMap<>(contents.metadata());
    metadata.put("format", "pt"); // what readers that ask for a format accept: row-major tensors
    metadata.put("writer", "luciola");
    metadata.put("step", Long.toString(contents.step()));
    return contents.files().stream()
        .map(file ->
            SafetensorsHeader.of(metadata, file.tensors().stream().map(TensorView::spec).toList()))
        .toList();
  }

  /** Staging memory that files with these headers take, each begun at a multiple of 4 KiB. */
  static long stagingBytes(List<SafetensorsHeader> headers) {
    return headers.stream().mapToLong(header -> aligned(header.fileBytes())).sum();
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, SafetensorsHeader.DATA_ALIGNMENT)
        * (long) SafetensorsHeader.DATA_ALIGNMENT;
  }

  /** Copies everything; afterwards the tensors may change. */
  static StagedCheckpoint copy(
      CheckpointContents contents, List<SafetensorsHeader> headers, MemorySegment staging) {
    List<StagedFile> files = new ArrayList<>();
    long offset = 0;
    for (int i = 0; i < headers.size(); i++) {
      SafetensorsHeader header = headers.get(i);
      TensorFile file = contents.files().get(i);
      MemorySegment image = staging.asSlice(offset, header.fileBytes());
      image.asSlice(0, header.dataStart()).copyFrom(MemorySegment.ofArray(header.encode()));
      for (TensorView tensor : file.tensors()) {
        TensorPlace place = header.find(tensor.name()).orElseThrow();
        image.asSlice(header.dataStart() + place.begin(), place.bytes()).copyFrom(tensor.data());
      }
      files.add(new StagedFile(file.name(), header, image));
      offset += aligned(header.fileBytes());
    }
    return new StagedCheckpoint(contents, files);
  }

  /** Computes all checksums: reads the whole staging memory once. */
  Manifest manifest() {
    return new Manifest(
        step, position, metadata, files.stream().map(StagedCheckpoint::entry).toList());
  }

  private static FileEntry entry(StagedFile file) {
    SafetensorsHeader header = file.header();
    List<Box> boxes = new ArrayList<>();
    for (TensorPlace place : header.tensors()) {
      MemorySegment bytes = file.image().asSlice(header.dataStart() + place.begin(), place.bytes());
      List<Long> shape = place.spec().shape();
      List<Long> start = Collections.nCopies(shape.size(), 0L);
      boxes.add(new Box(place.name(), 0, start, shape, place.begin(), place.end(), Crc.of(bytes)));
    }
    return new FileEntry(
        file.name(),
        header.fileBytes(),
        Math.toIntExact(header.dataStart()),
        Crc.of(file.image().asSlice(0, header.dataStart())),
        boxes);
  }
}

package luciola.loader.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.loader.checkpoint.Manifest.Box;
import luciola.loader.checkpoint.Manifest.FileEntry;
import luciola.loader.safetensors.SafetensorsHeader;
import luciola.loader.safetensors.TensorPlace;
import luciola.loader.safetensors.TensorSpec;
import luciola.loader.safetensors.TensorView;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * A committed checkpoint. Everything read from it is verified by the manifest's checksums before it
 * is given out.
 */
public final class Checkpoint {
  private final LuciolaFileSystem files;
  private final String path;
  private final Manifest manifest;

  Checkpoint(LuciolaFileSystem files, String path, Manifest manifest) {
    this.files = files;
    this.path = path;
    this.manifest = manifest;
  }

  public String path() {
    return path;
  }

  public Manifest manifest() {
    return manifest;
  }

  /** Steps trained when it was saved. */
  public long step() {
    return manifest.step();
  }

  /** The loader's position after that step. */
  public String position() {
    return manifest.position();
  }

  /** What is in a file. */
  public List<TensorSpec> tensors(String fileName) {
    try (ReadableFile file = open(fileName)) {
      return header(file, entry(fileName)).tensors().stream().map(TensorPlace::spec).toList();
    }
  }

  /**
   * Fills tensors from a file of the checkpoint, each read by its own range; other tensors of the
   * file are not read.
   *
   * @param into live memory, heap or native; holds anything if this fails
   * @throws LuciolaException CORRUPT_DATA if bytes do not match their checksum; INVALID_ARGUMENT if
   *     a tensor is missing or is of another type or shape
   */
  public void load(String fileName, List<TensorView> into) {
    FileEntry entry = entry(fileName);
    try (ReadableFile file = open(fileName)) {
      SafetensorsHeader header = header(file, entry);
      long largest = into.stream().mapToLong(view -> view.spec().bytes()).max().orElse(0);
      try (Arena arena = Arena.ofShared()) {
        MemorySegment staging = arena.allocate(Math.max(1, largest), 4096);
        for (TensorView view : into) {
          TensorPlace place = matching(header, view.spec(), fileName);
          MemorySegment bytes = staging.asSlice(0, place.bytes());
          read(file, header, entry, place, bytes);
          view.data().copyFrom(bytes);
        }
      }
    }
  }

  /**
   * One tensor by its byte range.
   *
   * @param arena owns the memory of the result; shared or global, since other threads fill it
   */
  public TensorView load(String fileName, String tensor, Arena arena) {
    FileEntry entry = entry(fileName);
    try (ReadableFile file = open(fileName)) {
      SafetensorsHeader header = header(file, entry);
      TensorPlace place =
          header.find(tensor).orElseThrow(() -> invalid(fileName, tensor, "no such tensor"));
      MemorySegment bytes =
          arena.allocate(Math.max(1, place.bytes()), 64).asSlice(0, place.bytes());
      read(file, header, entry, place, bytes);
      return new TensorView(place.spec(), bytes);
    }
  }

  /** Reads everything and compares it with the checksums. */
  public void verify() {
    for (FileEntry entry : manifest.files()) {
      try (ReadableFile file = open(entry.name());
          Arena arena = Arena.ofShared()) {
        SafetensorsHeader header = header(file, entry);
        long largest = header.tensors().stream().mapToLong(TensorPlace::bytes).max().orElse(0);
        MemorySegment staging = arena.allocate(Math.max(1, largest), 4096);
        for (TensorPlace place : header.tensors()) {
          read(file, header, entry, place, staging.asSlice(0, place.bytes()));
        }
      }
    }
  }

  private FileEntry entry(String fileName) {
    return manifest
        .file(fileName)
        .orElseThrow(() ->
            new LuciolaException(
                ErrorCode.INVALID_ARGUMENT,
                "checkpoint load: path=%s file=%s: no such file".formatted(path, fileName)));
  }

  private ReadableFile open(String fileName) {
    FileEntry entry = entry(fileName);
    try {
      ReadableFile file = files.openRead(path + "/" + fileName);
      if (file.length() != entry.bytes()) {
        file.close();
        throw corrupt(
            fileName,
            "length is not the manifest's: bytes=%d expected=%d"
                .formatted(file.length(), entry.bytes()));
      }
      return file;
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "checkpoint load: path=%s file=%s: missing".formatted(path, fileName),
            e);
      }
      throw e;
    }
  }

  private SafetensorsHeader header(ReadableFile file, FileEntry entry) {
    byte[] bytes;
    try (Arena arena = Arena.ofShared()) {
      if (entry.headerBytes() > entry.bytes()) {
        throw corrupt(entry.name(), "header is longer than the file");
      }
      MemorySegment memory = arena.allocate(entry.headerBytes());
      FileRange.read(file, 0, memory);
      check(entry.name(), "header", entry.headerCrc(), memory);
      bytes = memory.toArray(ValueLayout.JAVA_BYTE);
    }
    return SafetensorsHeader.decode(bytes, entry.bytes(), file.path());
  }

  private TensorPlace matching(SafetensorsHeader header, TensorSpec wanted, String fileName) {
    TensorPlace place =
        header
            .find(wanted.name())
            .orElseThrow(() -> invalid(fileName, wanted.name(), "no such tensor"));
    if (!place.spec().equals(wanted)) {
      throw invalid(
          fileName,
          wanted.name(),
          "saved as dtype=%s shape=%s, wanted dtype=%s shape=%s"
              .formatted(
                  place.spec().dtype(), place.spec().shape(), wanted.dtype(), wanted.shape()));
    }
    return place;
  }

  private void read(
      ReadableFile file,
      SafetensorsHeader header,
      FileEntry entry,
      TensorPlace place,
      MemorySegment into) {
    FileRange.read(file, header.dataStart() + place.begin(), into);
    long covered = 0;
    for (Box box : entry.boxes()) {
      if (box.tensor().equals(place.name())) {
        if (box.begin() != place.begin() + covered || box.end() > place.end()) {
          throw corrupt(entry.name(), "boxes do not cover the tensor: tensor=" + place.name());
        }
        check(
            entry.name(), box.tensor(), box.crc(), into.asSlice(covered, box.end() - box.begin()));
        covered += box.end() - box.begin();
      }
    }
    if (covered != place.bytes()) {
      throw corrupt(entry.name(), "boxes do not cover the tensor: tensor=" + place.name());
    }
  }

  private void check(String fileName, String what, int expected, MemorySegment bytes) {
    int found = Crc.of(bytes);
    if (found != expected) {
      HexFormat hex = HexFormat.of();
      throw corrupt(
          fileName,
          "checksum does not match: tensor=%s crc32c=%s expected=%s"
              .formatted(what, hex.toHexDigits(found), hex.toHexDigits(expected)));
    }
  }

  private LuciolaException corrupt(String fileName, String reason) {
    return new LuciolaException(
        ErrorCode.CORRUPT_DATA,
        "checkpoint load: path=%s file=%s: %s".formatted(path, fileName, reason));
  }

  private LuciolaException invalid(String fileName, String tensor, String reason) {
    return new LuciolaException(
        ErrorCode.INVALID_ARGUMENT,
        "checkpoint load: path=%s file=%s tensor=%s: %s".formatted(path, fileName, tensor, reason));
  }
}

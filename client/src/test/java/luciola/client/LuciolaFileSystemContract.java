package luciola.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * What a {@link LuciolaFileSystem} keeps. Each test works below a directory of its own, so that one
 * file system may serve all of them.
 */
public abstract class LuciolaFileSystemContract {
  private static final int CHUNK = 1 << 16;
  private static int directories;

  @SuppressWarnings("NullAway.Init")
  private LuciolaFileSystem fs;

  @SuppressWarnings("NullAway.Init")
  private String home;

  /** A file system to test; closed after each test. */
  protected abstract LuciolaFileSystem fileSystem();

  @BeforeEach
  final void openFileSystem() {
    fs = fileSystem();
    synchronized (LuciolaFileSystemContract.class) {
      home = "/contract-" + ++directories;
    }
    fs.mkdir(home);
  }

  @AfterEach
  final void closeFileSystem() {
    fs.close();
  }

  @Test
  void keepsBytesAndLengthOfAWrittenFile() {
    byte[] bytes = random(3 * CHUNK + 777, 1);
    write("/f", bytes);
    assertEquals(bytes.length, fs.stat(home + "/f").length());
    assertArrayEquals(bytes, read("/f"));
    FileStat stat = fs.stat(home + "/f");
    assertTrue(stat.isFile());
    assertEquals(0644, stat.mode());
    assertEquals(1, stat.nlink());
    assertTrue(stat.modifiedNanos() > 0);
  }

  @Test
  void readsAnOpenFileThatWasRemoved() {
    byte[] bytes = random(CHUNK + 5, 3);
    write("/f", bytes);
    try (ReadableFile file = fs.openRead(home + "/f");
        Arena arena = Arena.ofShared()) {
      fs.remove(home + "/f");
      assertEquals(bytes.length, file.refresh());
      MemorySegment into = arena.allocate(bytes.length);
      assertEquals(bytes.length, file.read(0, into).join());
      assertArrayEquals(bytes, into.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void readsAnEmptyFile() {
    write("/empty", new byte[0]);
    assertEquals(0, fs.stat(home + "/empty").length());
    assertArrayEquals(new byte[0], read("/empty"));
  }

  @Test
  void readsAnyRangeAndStopsAtTheEnd() throws Exception {
    byte[] bytes = random(2 * CHUNK + 100, 2);
    write("/f", bytes);
    var random = new Random(3);
    try (ReadableFile file = fs.openRead(home + "/f");
        Arena arena = Arena.ofShared()) {
      for (int i = 0; i < 40; i++) {
        int offset = random.nextInt(bytes.length + 10);
        int length = random.nextInt(CHUNK + CHUNK / 2);
        MemorySegment into = arena.allocate(Math.max(1, length)).asSlice(0, length);
        int expected = Math.max(0, Math.min(length, bytes.length - offset));
        assertEquals(expected, file.read(offset, into).get());
        for (int at = 0; at < expected; at++) {
          assertEquals(bytes[offset + at], into.get(ValueLayout.JAVA_BYTE, at));
        }
      }
    }
  }

  @Test
  void overwritesInTheMiddleOfAFile() {
    byte[] bytes = random(2 * CHUNK, 4);
    write("/f", bytes);
    byte[] patch = random(1000, 5);
    try (WritableFile file = fs.openWrite(home + "/f", OpenOptions.EXISTING)) {
      assertEquals(bytes.length, file.length());
      file.write(CHUNK - 500, patch);
    }
    System.arraycopy(patch, 0, bytes, CHUNK - 500, patch.length);
    assertArrayEquals(bytes, read("/f"));
  }

  @Test
  void keepsTheLastOfOverlappingWritesOfOneThread() {
    byte[] expected = new byte[3 * CHUNK];
    var random = new Random(6);
    try (WritableFile file = fs.openWrite(home + "/f", small())) {
      file.write(0, expected);
      for (int i = 0; i < 60; i++) {
        byte[] part = random(1 + random.nextInt(CHUNK), 100 + i);
        int offset = random.nextInt(expected.length - part.length);
        System.arraycopy(part, 0, expected, offset, part.length);
        file.write(offset, part);
        if (i % 20 == 19) {
          file.sync();
        }
      }
    }
    assertArrayEquals(expected, read("/f"));
  }

  @Test
  void readsHolesAsZeros() {
    byte[] tail = random(100, 7);
    try (WritableFile file = fs.openWrite(home + "/f", small())) {
      file.write(10, new byte[] {1, 2, 3});
      file.write(5L * CHUNK + 17, tail);
    }
    byte[] expected = new byte[5 * CHUNK + 17 + tail.length];
    expected[10] = 1;
    expected[11] = 2;
    expected[12] = 3;
    System.arraycopy(tail, 0, expected, 5 * CHUNK + 17, tail.length);
    assertArrayEquals(expected, read("/f"));
  }

  @Test
  void cutsAndExtendsByTruncate() {
    byte[] bytes = random(3 * CHUNK, 8);
    write("/f", bytes);
    try (WritableFile file = fs.openWrite(home + "/f", OpenOptions.EXISTING)) {
      file.truncate(CHUNK + 5);
      assertEquals(CHUNK + 5, file.length());
    }
    assertEquals(CHUNK + 5, fs.stat(home + "/f").length());
    try (WritableFile file = fs.openWrite(home + "/f", OpenOptions.EXISTING)) {
      file.truncate(2L * CHUNK + 9);
    }
    byte[] expected = new byte[2 * CHUNK + 9];
    System.arraycopy(bytes, 0, expected, 0, CHUNK + 5);
    assertArrayEquals(expected, read("/f"));
  }

  @Test
  void writesAfterATruncateInTheSameSession() {
    try (WritableFile file = fs.openWrite(home + "/f", small())) {
      file.write(0, random(2 * CHUNK, 9));
      file.truncate(10);
      file.write(20, new byte[] {9});
    }
    byte[] read = read("/f");
    assertEquals(21, read.length);
    assertEquals(9, read[20]);
    assertEquals(0, read[15]);
  }

  @Test
  void startsAgainFromNothingWithTruncateAtOpen() {
    write("/f", random(2 * CHUNK, 10));
    try (WritableFile file = fs.openWrite(home + "/f", small())) {
      assertEquals(0, file.length());
      file.write(CHUNK + 3, new byte[] {5});
    }
    byte[] expected = new byte[CHUNK + 4];
    expected[CHUNK + 3] = 5;
    assertArrayEquals(expected, read("/f"));
  }

  @Test
  void showsSyncedBytesWhileTheFileIsStillOpen() {
    byte[] bytes = random(CHUNK + 10, 11);
    try (WritableFile file = fs.openWrite(home + "/f", small())) {
      file.write(0, bytes);
      file.sync();
      assertEquals(bytes.length, fs.stat(home + "/f").length());
      assertArrayEquals(bytes, read("/f"));
      file.write(bytes.length, new byte[] {1});
    }
    assertEquals(bytes.length + 1, fs.stat(home + "/f").length());
  }

  @Test
  void refreshSeesALongerFile() {
    write("/f", new byte[10]);
    try (ReadableFile reader = fs.openRead(home + "/f")) {
      assertEquals(10, reader.length());
      try (WritableFile file = fs.openWrite(home + "/f", OpenOptions.EXISTING)) {
        file.write(10, new byte[10]);
      }
      assertEquals(20, reader.refresh());
      assertEquals(20, reader.length());
    }
  }

  @Test
  void readsManyRangesOfManyFilesAtOnce() throws Exception {
    List<byte[]> contents = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      contents.add(random(CHUNK + 1000 * i, 20 + i));
      write("/f" + i, contents.get(i));
    }
    var random = new Random(30);
    List<ReadableFile> files = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      for (int i = 0; i < 5; i++) {
        files.add(fs.openRead(home + "/f" + i));
      }
      List<ReadRange> ranges = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        int file = random.nextInt(5);
        int length = 1 + random.nextInt(2000);
        int offset = random.nextInt(contents.get(file).length - length);
        ranges.add(new ReadRange(files.get(file), offset, arena.allocate(length)));
      }
      fs.read(ranges).get();
      for (ReadRange range : ranges) {
        byte[] content = contents.get(files.indexOf(range.file()));
        MemorySegment expected =
            MemorySegment.ofArray(content).asSlice(range.offset(), range.into().byteSize());
        assertEquals(-1, expected.mismatch(range.into()));
      }
    } finally {
      files.forEach(ReadableFile::close);
    }
  }

  @Test
  void failsARangePastTheEnd() {
    write("/f", new byte[10]);
    try (ReadableFile file = fs.openRead(home + "/f");
        Arena arena = Arena.ofShared()) {
      List<ReadRange> ranges = List.of(new ReadRange(file, 5, arena.allocate(6)));
      CompletionException failed =
          assertThrows(CompletionException.class, () -> fs.read(ranges).join());
      LuciolaException cause = assertInstanceOf(LuciolaException.class, failed.getCause());
      assertEquals(ErrorCode.INVALID_ARGUMENT, cause.code());
    }
  }

  @Test
  void opensAsTheOptionsSay() {
    assertCode(ErrorCode.NOT_FOUND, () -> fs.openWrite(home + "/f", OpenOptions.EXISTING).close());
    assertCode(ErrorCode.NOT_FOUND, () -> fs.openRead(home + "/f").close());
    fs.openWrite(home + "/f", OpenOptions.CREATE_NEW).close();
    assertCode(ErrorCode.EXISTS, () -> fs.openWrite(home + "/f", OpenOptions.CREATE_NEW).close());
    assertCode(ErrorCode.IS_A_DIRECTORY, () -> fs.openRead(home).close());
    assertCode(ErrorCode.IS_A_DIRECTORY, () -> fs.openWrite(home, OpenOptions.CREATE).close());
    assertCode(ErrorCode.NOT_FOUND, () -> fs.openWrite(home + "/no/f", OpenOptions.CREATE).close());
    assertCode(
        ErrorCode.NOT_A_DIRECTORY, () -> fs.openWrite(home + "/f/f", OpenOptions.CREATE).close());
  }

  @Test
  void refusesUseAfterClose() {
    WritableFile file = fs.openWrite(home + "/f", OpenOptions.CREATE);
    file.close();
    file.close();
    assertCode(ErrorCode.BAD_SESSION, () -> file.write(0, new byte[1]));
    ReadableFile reader = fs.openRead(home + "/f");
    reader.close();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(1);
      assertThrows(CompletionException.class, () -> reader.read(0, into).join());
    }
  }

  @Test
  void makesAndListsDirectories() {
    fs.mkdir(home + "/b");
    fs.mkdirs(home + "/a/x/y");
    fs.mkdirs(home + "/a/x");
    write("/c", new byte[3]);
    List<DirectoryEntry> entries = fs.list(home);
    assertEquals(List.of("a", "b", "c"), entries.stream().map(DirectoryEntry::name).toList());
    assertEquals(3, entries.get(2).stat().length());
    assertTrue(entries.getFirst().stat().isDirectory());
    assertCode(ErrorCode.EXISTS, () -> fs.mkdir(home + "/a"));
    assertCode(ErrorCode.NOT_FOUND, () -> fs.mkdir(home + "/no/a"));
    assertCode(ErrorCode.NOT_A_DIRECTORY, () -> fs.mkdir(home + "/c/a"));
    assertCode(ErrorCode.NOT_A_DIRECTORY, () -> fs.list(home + "/c"));
    assertCode(ErrorCode.NOT_FOUND, () -> fs.list(home + "/no"));
  }

  @Test
  void listsMoreEntriesThanOnePage() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 1500; i++) {
      String name = "d%05d".formatted(i);
      fs.mkdir(home + "/" + name);
      names.add(name);
    }
    assertEquals(names, fs.list(home).stream().map(DirectoryEntry::name).toList());
  }

  @Test
  void findsOnlyWhatIsThere() {
    assertEquals(Optional.empty(), fs.find(home + "/no"));
    assertEquals(Optional.empty(), fs.find(home + "/no/no"));
    assertTrue(fs.find(home).isPresent());
    assertTrue(fs.stat("/").isDirectory());
    assertCode(ErrorCode.NOT_FOUND, () -> fs.stat(home + "/no"));
  }

  @Test
  void refusesPathsThatAreNotAbsoluteAndPlain() {
    assertCode(ErrorCode.INVALID_ARGUMENT, () -> fs.stat("relative"));
    assertCode(ErrorCode.INVALID_ARGUMENT, () -> fs.stat(home + "/../x"));
    assertCode(ErrorCode.INVALID_ARGUMENT, () -> fs.stat(home + "/./x"));
    assertCode(ErrorCode.NAME_TOO_LONG, () -> fs.mkdir(home + "/" + "n".repeat(256)));
    fs.mkdir(home + "/" + "n".repeat(255));
  }

  @Test
  void renamesAtomicallyAsPosixSays() {
    write("/a", new byte[] {1});
    write("/b", new byte[] {2});
    fs.rename(home + "/a", home + "/b");
    assertArrayEquals(new byte[] {1}, read("/b"));
    assertFalse(fs.find(home + "/a").isPresent());
    write("/a", new byte[] {3});
    assertCode(ErrorCode.EXISTS, () -> fs.renameNoReplace(home + "/a", home + "/b"));
    fs.renameNoReplace(home + "/a", home + "/c");
    assertArrayEquals(new byte[] {3}, read("/c"));
    fs.mkdirs(home + "/d/e");
    fs.mkdir(home + "/f");
    assertCode(ErrorCode.NOT_EMPTY, () -> fs.rename(home + "/f", home + "/d"));
    assertCode(ErrorCode.INVALID_ARGUMENT, () -> fs.rename(home + "/d", home + "/d/e/g"));
    assertCode(ErrorCode.IS_A_DIRECTORY, () -> fs.rename(home + "/b", home + "/f"));
    assertCode(ErrorCode.NOT_A_DIRECTORY, () -> fs.rename(home + "/f", home + "/b"));
    assertCode(ErrorCode.NOT_FOUND, () -> fs.rename(home + "/no", home + "/b"));
    fs.rename(home + "/d", home + "/f");
    assertTrue(fs.stat(home + "/f/e").isDirectory());
  }

  @Test
  void removesFilesAndEmptyDirectories() {
    write("/f", new byte[1]);
    fs.mkdirs(home + "/d/e");
    assertCode(ErrorCode.NOT_EMPTY, () -> fs.remove(home + "/d"));
    fs.remove(home + "/f");
    fs.remove(home + "/d/e");
    fs.remove(home + "/d");
    assertEquals(List.of(), fs.list(home));
    assertCode(ErrorCode.NOT_FOUND, () -> fs.remove(home + "/f"));
  }

  @Test
  void removesAWholeTree() {
    fs.mkdirs(home + "/t/a/b");
    write("/t/f", new byte[100]);
    write("/t/a/b/g", new byte[100]);
    fs.removeRecursively(home + "/t");
    assertEquals(List.of(), fs.list(home));
    assertCode(ErrorCode.NOT_FOUND, () -> fs.removeRecursively(home + "/t"));
  }

  @Test
  void keepsAFileOpenedBeforeItsRemoval() throws Exception {
    byte[] bytes = random(1000, 40);
    try (WritableFile writer = fs.openWrite(home + "/f", small());
        ReadableFile reader = fs.openRead(home + "/f");
        Arena arena = Arena.ofShared()) {
      fs.remove(home + "/f");
      writer.write(0, bytes);
      writer.sync();
      assertEquals(bytes.length, reader.refresh());
      MemorySegment into = arena.allocate(bytes.length);
      assertEquals(bytes.length, reader.read(0, into).get());
      assertArrayEquals(bytes, into.toArray(ValueLayout.JAVA_BYTE));
    }
    assertFalse(fs.find(home + "/f").isPresent());
  }

  @Test
  void linksGiveAFileTwoNames() {
    write("/a", new byte[] {1, 2});
    fs.link(home + "/a", home + "/b");
    assertEquals(2, fs.stat(home + "/a").nlink());
    assertEquals(fs.stat(home + "/a").inode(), fs.stat(home + "/b").inode());
    assertCode(ErrorCode.EXISTS, () -> fs.link(home + "/a", home + "/b"));
    fs.mkdir(home + "/d");
    assertCode(ErrorCode.NOT_PERMITTED, () -> fs.link(home + "/d", home + "/e"));
    fs.remove(home + "/a");
    assertArrayEquals(new byte[] {1, 2}, read("/b"));
    assertEquals(1, fs.stat(home + "/b").nlink());
  }

  @Test
  void eachRangeOfABatchHasItsOwnOutcome() {
    write("/f", new byte[] {1, 2, 3, 4});
    write("/g", new byte[] {5, 6});
    assertTrue(fs.readEach(List.of()).isEmpty());
    fs.read(List.of()).join();
    ReadableFile closed = fs.openRead(home + "/g");
    closed.close();
    try (Arena arena = Arena.ofShared();
        ReadableFile f = fs.openRead(home + "/f");
        ReadableFile g = fs.openRead(home + "/g")) {
      MemorySegment first = arena.allocate(2);
      MemorySegment last = arena.allocate(2);
      List<CompletableFuture<Void>> outcomes =
          fs.readEach(
              List.of(
                  new ReadRange(f, 3, arena.allocate(2)),
                  new ReadRange(f, 1, first),
                  new ReadRange(closed, 0, arena.allocate(1)),
                  new ReadRange(g, 2, arena.allocate(1).asSlice(0, 0)),
                  new ReadRange(g, 0, MemorySegment.ofArray(new byte[1])),
                  new ReadRange(g, 0, last)));
      assertEquals(ErrorCode.INVALID_ARGUMENT, codeOf(outcomes.get(0)));
      outcomes.get(1).join();
      assertEquals(ErrorCode.BAD_SESSION, codeOf(outcomes.get(2)));
      outcomes.get(3).join();
      assertEquals(ErrorCode.INVALID_ARGUMENT, codeOf(outcomes.get(4)));
      outcomes.get(5).join();
      assertArrayEquals(new byte[] {2, 3}, first.toArray(ValueLayout.JAVA_BYTE));
      assertArrayEquals(new byte[] {5, 6}, last.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  private static ErrorCode codeOf(CompletableFuture<Void> failed) {
    CompletionException thrown = assertThrows(CompletionException.class, failed::join);
    return assertInstanceOf(LuciolaException.class, thrown.getCause()).code();
  }

  @Test
  void aDirectoryIsMadeWithItsModeAndALinkHasTimesOfItsOwn() {
    assertEquals(0710, fs.mkdir(home + "/d", 0710).mode());
    assertEquals(0710, fs.stat(home + "/d").mode());
    assertEquals(0755, fs.mkdir(home + "/e").mode());
    fs.symlink("d", home + "/l");
    long target = fs.stat(home + "/d").modifiedNanos();
    fs.lsetAttributes(home + "/l", AttributeChange.ofModified(1_000_000_007L));
    assertEquals(1_000_000_007L, fs.lstat(home + "/l").modifiedNanos());
    assertEquals(target, fs.stat(home + "/l").modifiedNanos());
    fs.setAttributes(home + "/l", AttributeChange.ofModified(2_000_000_007L));
    assertEquals(2_000_000_007L, fs.stat(home + "/d").modifiedNanos());
  }

  @Test
  void followsSymbolicLinks() {
    fs.mkdir(home + "/d");
    write("/d/f", new byte[] {7});
    fs.symlink("d", home + "/relative");
    fs.symlink(home + "/d/f", home + "/absolute");
    assertArrayEquals(new byte[] {7}, read("/relative/f"));
    assertArrayEquals(new byte[] {7}, read("/absolute"));
    assertEquals("d", fs.readLink(home + "/relative"));
    assertEquals(FileType.SYMLINK, fs.lstat(home + "/absolute").type());
    assertNotEquals(fs.lstat(home + "/absolute").inode(), fs.stat(home + "/absolute").inode());
    assertCode(ErrorCode.INVALID_ARGUMENT, () -> fs.readLink(home + "/d"));
    assertCode(ErrorCode.EXISTS, () -> fs.symlink("x", home + "/relative"));
    fs.symlink("loop", home + "/loop");
    assertCode(ErrorCode.TOO_MANY_SYMLINKS, () -> fs.stat(home + "/loop"));
    fs.symlink("missing", home + "/dangling");
    assertCode(ErrorCode.NOT_FOUND, () -> fs.stat(home + "/dangling"));
    fs.remove(home + "/absolute");
    assertTrue(fs.find(home + "/d/f").isPresent());
  }

  @Test
  void changesAttributes() {
    write("/f", new byte[1]);
    assertEquals(0600, fs.setAttributes(home + "/f", AttributeChange.ofMode(0600)).mode());
    fs.setAttributes(home + "/f", AttributeChange.ofModified(123_456_789L));
    assertEquals(123_456_789L, fs.stat(home + "/f").modifiedNanos());
    assertEquals(0600, fs.stat(home + "/f").mode());
  }

  @Test
  void aNewFileIsSeenWhenItIsPublishedAndNotBefore() {
    byte[] bytes = random(200_000, 12);
    try (NewFile file = fs.begin(home + "/f", 0600);
        Arena arena = Arena.ofShared()) {
      // Small pieces, then one that makes the first buffer grow.
      for (int at = 0; at < 90_000; at += 9_000) {
        file.write(at, MemorySegment.ofArray(bytes).asSlice(at, 9_000));
      }
      file.write(90_000, MemorySegment.ofArray(bytes).asSlice(90_000));
      assertTrue(fs.find(home + "/f").isEmpty());
      assertEquals(List.of(), fs.list(home));
      MemorySegment into = arena.allocate(bytes.length + 1);
      assertEquals(bytes.length, file.read(0, into).join());
      assertArrayEquals(bytes, into.asSlice(0, bytes.length).toArray(ValueLayout.JAVA_BYTE));
      FileStat stat =
          file.publish(
              new AttributeChange(
                  Optional.of(0640),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.empty(),
                  Optional.of(5_000_000_001L)));
      assertEquals(stat, fs.stat(home + "/f"));
    }
    assertArrayEquals(bytes, read("/f"));
    FileStat stat = fs.stat(home + "/f");
    assertEquals(0640, stat.mode());
    assertEquals(5_000_000_001L, stat.modifiedNanos());
    assertEquals(1, stat.nlink());
  }

  @Test
  void aNewFileReplacesOneOfItsNameOrIsDropped() {
    write("/f", new byte[] {1, 2, 3});
    try (NewFile file = fs.begin(home + "/f", 0600)) {
      file.write(0, MemorySegment.ofArray(new byte[] {9}));
    }
    assertArrayEquals(new byte[] {1, 2, 3}, read("/f"));
    try (NewFile file = fs.begin(home + "/f", 0600)) {
      file.write(0, MemorySegment.ofArray(new byte[] {9}));
      file.publish(AttributeChange.ofMode(0604));
      assertCode(ErrorCode.BAD_SESSION, () -> file.publish(AttributeChange.ofMode(0604)));
    }
    assertArrayEquals(new byte[] {9}, read("/f"));
    assertEquals(0604, fs.stat(home + "/f").mode());
    try (NewFile empty = fs.begin(home + "/empty", 0600)) {
      assertEquals(0, empty.publish(AttributeChange.ofModified(7)).length());
    }
    assertEquals(7, fs.stat(home + "/empty").modifiedNanos());
    assertEquals(0600, fs.stat(home + "/empty").mode());
  }

  @Test
  void aNewFileWhosePlaceIsGoneIsRefused() {
    fs.mkdir(home + "/d");
    assertCode(ErrorCode.IS_A_DIRECTORY, () -> fs.begin(home + "/d", 0600));
    assertCode(ErrorCode.NOT_FOUND, () -> fs.begin(home + "/none/f", 0600));
    try (NewFile file = fs.begin(home + "/d/f", 0600)) {
      file.write(0, MemorySegment.ofArray(new byte[] {9}));
      fs.remove(home + "/d");
      assertCode(ErrorCode.NOT_FOUND, () -> file.publish(AttributeChange.ofMode(0600)));
    }
    assertTrue(fs.find(home + "/d").isEmpty());
  }

  @Test
  void tellsItsSpace() {
    SpaceUsage usage = fs.usage();
    assertTrue(usage.capacityBytes() > 0);
    assertTrue(usage.freeBytes() <= usage.capacityBytes());
    assertTrue(usage.inodes() >= 2);
  }

  /** Options for a new file of small chunks. */
  private static OpenOptions small() {
    return new OpenOptions(true, false, true, 0644, CHUNK, 0);
  }

  private void write(String name, byte[] bytes) {
    try (WritableFile file = fs.openWrite(home + name, small())) {
      file.write(0, bytes);
    }
  }

  private byte[] read(String name) {
    try (ReadableFile file = fs.openRead(home + name);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(file.length() + 1);
      long count = file.read(0, into).join();
      return into.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void assertCode(ErrorCode code, Executable call) {
    assertEquals(code, assertThrows(LuciolaException.class, call).code());
  }

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}

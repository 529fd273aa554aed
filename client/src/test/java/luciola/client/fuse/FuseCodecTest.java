package luciola.client.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Layouts as {@code include/uapi/linux/fuse.h} has them. */
final class FuseCodecTest {
  private static final FuseChange.At TIME = new FuseChange.At(7, 8);
  private static final FuseAttributes ATTRIBUTES =
      new FuseAttributes(11, 1000, 2, TIME, TIME, TIME, 0100644, 1, 3, 4, 0, 4096);
  private static final FuseEntry ENTRY = new FuseEntry(11, 1, 1_500_000_000, 2, ATTRIBUTES);

  static Stream<Arguments> replies() {
    return Stream.of(
        Arguments.of(FuseReply.OK, 0),
        Arguments.of(new FuseReply.Failed(2), 0),
        Arguments.of(new FuseReply.Found(ENTRY), 128),
        Arguments.of(new FuseReply.Attributes(ATTRIBUTES, 1), 104),
        Arguments.of(new FuseReply.Opened(5, 0), 16),
        Arguments.of(new FuseReply.Created(ENTRY, 5, 0), 144),
        Arguments.of(new FuseReply.Written(5), 8),
        Arguments.of(new FuseReply.Size(5), 8),
        Arguments.of(new FuseReply.Locked(new FuseLock(0, 1, 2, 3)), 24),
        Arguments.of(new FuseReply.Position(5), 8),
        Arguments.of(new FuseReply.Status(1, 2, 3, 4, 5, 6, 7), 80),
        Arguments.of(FuseReply.Text.of("abc".getBytes(StandardCharsets.UTF_8)), 3));
  }

  @ParameterizedTest
  @MethodSource("replies")
  void aReplyHasTheKernelsLengthAndNumber(FuseReply reply, int bodyBytes) {
    MemorySegment out = Arena.ofAuto().allocate(512, 8);
    int bytes = FuseCodec.encode(77, reply, 0, out);
    assertEquals(16 + bodyBytes, bytes);
    assertEquals(bytes, out.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
    assertEquals(77, out.get(ValueLayout.JAVA_LONG_UNALIGNED, 8));
    assertEquals(
        reply instanceof FuseReply.Failed failed ? -failed.errno() : 0,
        out.get(ValueLayout.JAVA_INT_UNALIGNED, 4));
  }

  @Test
  void anEntryTellsHowLongItIsRight() {
    MemorySegment out = Arena.ofAuto().allocate(512, 8);
    var _ = FuseCodec.encode(1, new FuseReply.Found(ENTRY), 0, out);
    MemorySegment entry = out.asSlice(16);
    assertEquals(11, entry.get(ValueLayout.JAVA_LONG_UNALIGNED, 0), "node");
    assertEquals(1, entry.get(ValueLayout.JAVA_LONG_UNALIGNED, 16), "seconds of the name");
    assertEquals(500_000_000, entry.get(ValueLayout.JAVA_INT_UNALIGNED, 32));
    assertEquals(2, entry.get(ValueLayout.JAVA_INT_UNALIGNED, 36));
    assertEquals(11, entry.get(ValueLayout.JAVA_LONG_UNALIGNED, 40), "inode");
    assertEquals(1000, entry.get(ValueLayout.JAVA_LONG_UNALIGNED, 48), "size");
    assertEquals(0100644, entry.get(ValueLayout.JAVA_INT_UNALIGNED, 40 + 60), "mode");
  }

  @Test
  void aWriteNamesItsBytesWithoutCopyingThem() {
    MemorySegment in = Arena.ofAuto().allocate(40 + 5, 8);
    in.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 9);
    in.set(ValueLayout.JAVA_LONG_UNALIGNED, 8, 4096);
    in.set(ValueLayout.JAVA_INT_UNALIGNED, 16, 5);
    var write = assertInstanceOf(FuseOperation.Write.class, FuseCodec.decode(FuseOpcode.WRITE, in));
    assertEquals(9, write.handle());
    assertEquals(4096, write.offset());
    assertEquals(in.address() + 40, write.data().address());
    assertEquals(5, write.data().byteSize());
    assertFalse(write.killsPrivileges());
    in.set(ValueLayout.JAVA_INT_UNALIGNED, 20, 4);
    assertTrue(
        assertInstanceOf(FuseOperation.Write.class, FuseCodec.decode(FuseOpcode.WRITE, in))
            .killsPrivileges());
  }

  @Test
  void flagsOfOpensAndChangesAreBesideOthers() {
    MemorySegment in = Arena.ofAuto().allocate(88, 8);
    in.set(ValueLayout.JAVA_INT_UNALIGNED, 4, 1);
    var open = assertInstanceOf(FuseOperation.Open.class, FuseCodec.decode(FuseOpcode.OPEN, in));
    assertTrue(open.killsPrivileges());
    in.set(ValueLayout.JAVA_INT_UNALIGNED, 4, 0);
    in.set(ValueLayout.JAVA_INT_UNALIGNED, 12, 1);
    in.set(ValueLayout.JAVA_BYTE, 16, (byte) 'n');
    var create =
        assertInstanceOf(FuseOperation.Create.class, FuseCodec.decode(FuseOpcode.CREATE, in));
    assertTrue(create.killsPrivileges());
    assertEquals(FuseName.of("n"), create.name());
    in.fill((byte) 0);
    in.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 1 << 3 | 1 << 11);
    in.set(ValueLayout.JAVA_LONG_UNALIGNED, 16, 33);
    var change =
        assertInstanceOf(
                FuseOperation.SetAttributes.class, FuseCodec.decode(FuseOpcode.SETATTR, in))
            .change();
    assertTrue(change.killsPrivileges());
    assertEquals(33, change.size().orElseThrow());
  }

  @Test
  void aWriteThatClaimsMoreBytesThanCameIsRefused() {
    MemorySegment in = Arena.ofAuto().allocate(40 + 5, 8);
    in.set(ValueLayout.JAVA_INT_UNALIGNED, 16, 6);
    assertThrows(IndexOutOfBoundsException.class, () -> FuseCodec.decode(FuseOpcode.WRITE, in));
  }

  @Test
  void twoNamesAreCutAtTheirZeros() {
    byte[] names = "name\0target\0".getBytes(StandardCharsets.UTF_8);
    MemorySegment in = Arena.ofAuto().allocate(names.length, 8);
    in.copyFrom(MemorySegment.ofArray(names));
    var link =
        assertInstanceOf(
            FuseOperation.SymbolicLink.class, FuseCodec.decode(FuseOpcode.SYMLINK, in));
    assertEquals(FuseName.of("name"), link.name());
    assertEquals(FuseName.of("target"), link.target());
  }

  /** Whatever the bytes, a request is understood or refused as cut off; nothing else happens. */
  @Test
  void noRequestBreaksTheReader() {
    var random = new Random(5);
    for (int opcode = 0; opcode < 60; opcode++) {
      for (int length = 0; length < 200; length++) {
        MemorySegment in = Arena.ofAuto().allocate(Math.max(1, length), 8).asSlice(0, length);
        for (int i = 0; i < length; i++) {
          in.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt(4) == 0 ? random.nextInt() : 0));
        }
        try {
          var _ = FuseCodec.decode(opcode, in);
        } catch (IndexOutOfBoundsException expected) {
          assertEquals(IndexOutOfBoundsException.class, expected.getClass());
        }
      }
    }
  }
}

package luciola.meta.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.GetExtended;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.ListExtended;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.RemoveExtended;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.SetAttributes;
import luciola.grpc.v1.SetExtended;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Staged;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Extended attributes as xattr(7) has them. */
final class ExtendedAttributesTest {
  private static final Identity ROOT = Identity.getDefaultInstance();
  private static final Identity ANN = Identity.newBuilder().setUid(1000).setGid(100).build();
  private static final Identity BOB = Identity.newBuilder().setUid(1001).setGid(101).build();

  private final MemoryView stored = new MemoryView();
  private Identity who = ROOT;
  private long sequence;
  private long now = 1_000;

  @BeforeEach
  void format() {
    Staged staged = new Staged(stored);
    Namespace.format(staged, now);
    staged.copyTo(stored);
    who = ANN;
    ok(create("/f", 0640));
  }

  @Test
  void whatIsSetIsReadListedAndRemoved() {
    Inode before = attributes("/f");
    ok(set("/f", "user.b", "two"));
    NamespaceReply set = ok(set("/f", "user.a", ""));
    assertEquals(now, set.getInode().getChangedNanos());
    assertEquals(before.getModifiedNanos(), set.getInode().getModifiedNanos());
    assertEquals(Optional.of("two"), value("/f", "user.b"));
    assertEquals(Optional.of(""), value("/f", "user.a"));
    assertEquals(List.of("user.a", "user.b"), names("/f"));
    ok(set("/f", "user.b", "another"));
    assertEquals(Optional.of("another"), value("/f", "user.b"));
    NamespaceReply removed = ok(remove("/f", "user.a"));
    assertEquals(now, removed.getInode().getChangedNanos());
    assertEquals(List.of("user.b"), names("/f"));
    no(ErrorCode.NO_ATTRIBUTE, remove("/f", "user.a"));
    no(ErrorCode.NO_ATTRIBUTE, get("/f", "user.a"));
    ok(rename("/f", "/g"));
    assertEquals(Optional.of("another"), value("/g", "user.b"));
  }

  @Test
  void createAndReplaceRefuseTheOther() {
    no(ErrorCode.NO_ATTRIBUTE, set("/f", "user.a", "1", false, true));
    ok(set("/f", "user.a", "1", true, false));
    no(ErrorCode.EXISTS, set("/f", "user.a", "2", true, false));
    assertEquals(Optional.of("1"), value("/f", "user.a"));
    ok(set("/f", "user.a", "3", false, true));
    assertEquals(Optional.of("3"), value("/f", "user.a"));
  }

  @Test
  void userAttributesNeedThePermissionsOfTheFile() {
    ok(set("/f", "user.a", "1"));
    who = BOB;
    no(ErrorCode.PERMISSION_DENIED, get("/f", "user.a"));
    no(ErrorCode.PERMISSION_DENIED, set("/f", "user.a", "2"));
    no(ErrorCode.PERMISSION_DENIED, remove("/f", "user.a"));
    assertEquals(List.of("user.a"), names("/f"));
    who = ANN;
    ok(chmod("/f", 0604));
    who = BOB;
    assertEquals(Optional.of("1"), value("/f", "user.a"));
    no(ErrorCode.PERMISSION_DENIED, set("/f", "user.a", "2"));
    no(ErrorCode.NOT_PERMITTED, set("/", "user.a", "in the sticky root directory"));
    who = ROOT;
    ok(set("/", "user.a", "mine"));
  }

  @Test
  void userAttributesAreOfFilesAndDirectories() {
    ok(mkdir("/d"));
    ok(set("/d", "user.a", "1"));
    ok(
        apply(
            NamespaceRequest.newBuilder()
                .setMakeSymlink(
                    MakeSymlink.newBuilder()
                        .setAt(at("/l"))
                        .setTarget(ByteString.copyFromUtf8("f")))));
    who = ROOT;
    no(ErrorCode.NOT_PERMITTED, set("/l", "user.a", "1"));
    no(ErrorCode.NO_ATTRIBUTE, get("/l", "user.a"));
    ok(set("/l", "trusted.a", "1"));
    assertEquals(Optional.of("1"), value("/l", "trusted.a"));
    assertEquals(List.of(), names("/f"));
  }

  @Test
  void trustedAndSecurityAttributesAreOfTheSuperuser() {
    no(ErrorCode.NOT_PERMITTED, set("/f", "trusted.a", "1"));
    no(ErrorCode.NOT_PERMITTED, set("/f", "security.a", "1"));
    who = ROOT;
    ok(set("/f", "trusted.a", "1"));
    ok(set("/f", "security.a", "2"));
    assertEquals(List.of("security.a", "trusted.a"), names("/f"));
    who = BOB;
    no(ErrorCode.NO_ATTRIBUTE, get("/f", "trusted.a"));
    assertEquals(Optional.of("2"), value("/f", "security.a"));
    assertEquals(List.of("security.a"), names("/f"));
    no(ErrorCode.NOT_PERMITTED, remove("/f", "trusted.a"));
    no(ErrorCode.NOT_PERMITTED, remove("/f", "security.a"));
  }

  @Test
  void namesAndValuesAreBounded() {
    who = ROOT;
    no(ErrorCode.UNSUPPORTED, set("/f", "system.posix_acl_access", "1"));
    no(ErrorCode.UNSUPPORTED, get("/f", "other.a"));
    no(ErrorCode.INVALID_ARGUMENT, set("/f", "user.", "1"));
    no(ErrorCode.INVALID_ARGUMENT, set("/f", "user.a\0b", "1"));
    no(ErrorCode.OUT_OF_RANGE, set("/f", "", "1"));
    no(ErrorCode.OUT_OF_RANGE, set("/f", "user." + "n".repeat(251), "1"));
    ok(set("/f", "user." + "n".repeat(250), "1"));
    no(ErrorCode.TOO_LARGE, set("/f", "user.v", "v".repeat(65_537)));
    no(ErrorCode.NO_SPACE, set("/f", "user.v", "v".repeat(65_536)));
    ok(set("/f", "user.v", "v".repeat(65_535)));
    no(ErrorCode.NO_SPACE, set("/f", "user.w", "v"));
    ok(set("/f", "user.v", "v"));
    ok(set("/f", "user.w", "v"));
    ok(remove("/f", "user.v"));
    ok(remove("/f", "user.w"));
    ok(remove("/f", "user." + "n".repeat(250)));
    for (int i = 0; i < 256; i++) {
      ok(set("/f", "user.%03d".formatted(i) + "n".repeat(247), ""));
    }
    no(ErrorCode.NO_SPACE, set("/f", "user.one-more", ""));
    assertEquals(256, names("/f").size());
  }

  @Test
  void aChangeThatIsSentAgainChangesNothing() {
    NamespaceRequest.Builder request =
        NamespaceRequest.newBuilder().setSetExtended(extended("/f", "user.a", "1").setCreate(true));
    NamespaceReply first = ok(apply(request));
    assertEquals(first, raw(request.build()));
    ok(remove("/f", "user.a"));
    assertEquals(first, raw(request.setSequence(sequence - 1).build()));
    assertEquals(Optional.empty(), value("/f", "user.a"));
  }

  /** Whatever way an inode goes, its attributes go with it. */
  @Test
  void attributesGoWithTheirInode() {
    who = ROOT;
    for (String directory : List.of("/a", "/b", "/c", "/c/deep", "/d", "/e")) {
      ok(mkdir(directory));
      ok(set(directory, "user.a", directory));
    }
    for (String file : List.of("/c/f", "/c/deep/g", "/h", "/i")) {
      ok(create(file, 0644));
      ok(set(file, "user.a", file));
    }
    ok(set("/f", "user.a", "f"));
    assertEquals(11, storedAttributes());
    ok(apply(NamespaceRequest.newBuilder().setUnlink(Unlink.newBuilder().setAt(at("/f")))));
    assertEquals(11, storedAttributes());
    ok(apply(NamespaceRequest.newBuilder().setTakeGarbage(TakeGarbage.getDefaultInstance())));
    assertEquals(10, storedAttributes());
    ok(
        apply(
            NamespaceRequest.newBuilder()
                .setRemoveDirectory(RemoveDirectory.newBuilder().setAt(at("/a")))));
    assertEquals(9, storedAttributes());
    ok(rename("/d", "/e"));
    ok(rename("/h", "/i"));
    assertEquals(8, storedAttributes());
    assertEquals(Optional.of("/d"), value("/e", "user.a"));
    ok(apply(NamespaceRequest.newBuilder().setRemoveTree(RemoveTree.newBuilder().setAt(at("/c")))));
    for (int i = 0; i < 4; i++) {
      ok(apply(NamespaceRequest.newBuilder().setTakeGarbage(TakeGarbage.getDefaultInstance())));
    }
    assertEquals(3, storedAttributes());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void randomChangesDoWhatAMapDoes(long seed) {
    var random = new Random(seed);
    var model = new TreeMap<String, String>();
    who = ROOT;
    for (int i = 0; i < 1_000; i++) {
      String name = "user." + "n".repeat(1 + random.nextInt(8) * 30);
      if (random.nextInt(3) == 0) {
        NamespaceReply reply = remove("/f", name);
        assertEquals(model.remove(name) != null, reply.getCode() == 0);
      } else {
        String value = "v".repeat(random.nextInt(40_000));
        boolean create = random.nextInt(4) == 0;
        boolean replace = random.nextInt(4) == 0;
        ErrorCode expected = expected(model, name, value, create, replace);
        assertEquals(
            expected, ErrorCode.ofNumber(set("/f", name, value, create, replace).getCode()));
        if (expected == ErrorCode.OK) {
          model.put(name, value);
        }
      }
      assertEquals(List.copyOf(model.keySet()), names("/f"));
      assertEquals(Optional.ofNullable(model.get(name)), value("/f", name));
    }
    Inode inode = attributes("/f");
    assertEquals(
        model.values().stream().mapToInt(String::length).sum(), inode.getExtendedValueBytes());
    assertEquals(
        model.keySet().stream().mapToInt(name -> name.length() + 1).sum(),
        inode.getExtendedNameBytes());
  }

  private static ErrorCode expected(
      Map<String, String> model, String name, String value, boolean create, boolean replace) {
    if (create && model.containsKey(name)) {
      return ErrorCode.EXISTS;
    }
    if (replace && !model.containsKey(name)) {
      return ErrorCode.NO_ATTRIBUTE;
    }
    var after = new TreeMap<>(model);
    after.put(name, value);
    return after.values().stream().mapToInt(String::length).sum() > 65_536
        ? ErrorCode.NO_SPACE
        : ErrorCode.OK;
  }

  private int storedAttributes() {
    int[] count = {0};
    stored.scan(
        Family.EXTENDED,
        new byte[0],
        null,
        (_, _) -> {
          count[0]++;
          return true;
        });
    return count[0];
  }

  private static At at(String path) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
  }

  private static SetExtended.Builder extended(String path, String name, String value) {
    return SetExtended.newBuilder()
        .setAt(at(path))
        .setName(ByteString.copyFromUtf8(name))
        .setValue(ByteString.copyFromUtf8(value));
  }

  private NamespaceReply set(String path, String name, String value) {
    return set(path, name, value, false, false);
  }

  private NamespaceReply set(
      String path, String name, String value, boolean create, boolean replace) {
    return apply(
        NamespaceRequest.newBuilder()
            .setSetExtended(extended(path, name, value).setCreate(create).setReplace(replace)));
  }

  private NamespaceReply remove(String path, String name) {
    return apply(
        NamespaceRequest.newBuilder()
            .setRemoveExtended(
                RemoveExtended.newBuilder()
                    .setAt(at(path))
                    .setName(ByteString.copyFromUtf8(name))));
  }

  private NamespaceReply get(String path, String name) {
    return read(
        NamespaceRequest.newBuilder()
            .setGetExtended(
                GetExtended.newBuilder().setAt(at(path)).setName(ByteString.copyFromUtf8(name))));
  }

  private Optional<String> value(String path, String name) {
    NamespaceReply reply = get(path, name);
    if (reply.getCode() == ErrorCode.NO_ATTRIBUTE.number()) {
      return Optional.empty();
    }
    return Optional.of(ok(reply).getExtendedValue().getValue().toStringUtf8());
  }

  private List<String> names(String path) {
    var names = new ArrayList<String>();
    ok(read(
            NamespaceRequest.newBuilder()
                .setListExtended(ListExtended.newBuilder().setAt(at(path)))))
        .getExtendedNames()
        .getNamesList()
        .forEach(name -> names.add(name.toStringUtf8()));
    return names;
  }

  private NamespaceReply create(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder().setCreate(Create.newBuilder().setAt(at(path)).setMode(mode)));
  }

  private NamespaceReply mkdir(String path) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeDirectory(MakeDirectory.newBuilder().setAt(at(path)).setMode(0755)));
  }

  private NamespaceReply rename(String from, String to) {
    return apply(
        NamespaceRequest.newBuilder()
            .setRename(Rename.newBuilder().setFrom(at(from)).setTo(at(to))));
  }

  private NamespaceReply chmod(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder()
            .setSetAttributes(SetAttributes.newBuilder().setAt(at(path)).setMode(mode)));
  }

  private Inode attributes(String path) {
    return ok(read(
            NamespaceRequest.newBuilder()
                .setLookup(luciola.grpc.v1.Lookup.newBuilder().setAt(at(path)))))
        .getInode();
  }

  private NamespaceReply apply(NamespaceRequest.Builder request) {
    sequence++;
    return raw(request.setClientId(7).setSequence(sequence).setIdentity(who).build());
  }

  private NamespaceReply raw(NamespaceRequest request) {
    assertTrue(Namespace.isChange(request));
    now += 10;
    Staged staged = new Staged(stored);
    var table = new ChainTable(new ChainTableId(1), 1, List.of(new ChainId(1), new ChainId(2)));
    NamespaceReply reply = Namespace.apply(request, now, Optional.of(table), staged);
    staged.copyTo(stored);
    return reply;
  }

  private NamespaceReply read(NamespaceRequest.Builder request) {
    NamespaceRequest built = request.setIdentity(who).build();
    assertTrue(!Namespace.isChange(built));
    return Namespace.read(built, stored);
  }

  private static NamespaceReply ok(NamespaceReply reply) {
    assertEquals(0, reply.getCode(), reply.getMessage());
    return reply;
  }

  private static void no(ErrorCode code, NamespaceReply reply) {
    assertEquals(code, ErrorCode.ofNumber(reply.getCode()), reply.getMessage());
  }
}

package luciola.meta.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.PublishLength;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.SetAttributes;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Staged;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;
import org.junit.jupiter.api.BeforeEach;

/** A namespace in memory, and short ways to ask it for something. */
abstract class NamespaceFixture {
  static final Identity ROOT = Identity.getDefaultInstance();
  static final Identity ANN = Identity.newBuilder().setUid(1000).setGid(100).build();
  static final Identity BOB = Identity.newBuilder().setUid(1001).setGid(101).addGroups(100).build();

  final MemoryView stored = new MemoryView();
  Optional<ChainTable> table =
      Optional.of(
          new ChainTable(
              new ChainTableId(1),
              3,
              IntStream.rangeClosed(1, 20).mapToObj(ChainId::new).toList()));
  Identity who = ROOT;
  long client = 7;
  long sequence;
  long now = 1_000;

  @BeforeEach
  void format() {
    Staged staged = new Staged(stored);
    Namespace.format(staged, now);
    staged.copyTo(stored);
  }

  NamespaceReply keep(long id) {
    return apply(
        NamespaceRequest.newBuilder()
            .setOpen(Open.newBuilder().setAt(At.newBuilder().setInode(id)).setKeep(true)));
  }

  NamespaceReply close(NamespaceReply opened) {
    return apply(
        NamespaceRequest.newBuilder()
            .setClose(
                luciola.grpc.v1.Close.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())));
  }

  NamespaceReply take(int limit) {
    return ok(
        apply(
            NamespaceRequest.newBuilder()
                .setTakeGarbage(TakeGarbage.newBuilder().setLimit(limit))));
  }

  // Requests.

  static At at(String path) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
  }

  NamespaceReply create(String path) {
    return create(path, 0644);
  }

  NamespaceReply create(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder()
            .setCreate(Create.newBuilder().setAt(at(path)).setMode(mode).setOpenForWrite(true)));
  }

  NamespaceReply mkdir(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeDirectory(MakeDirectory.newBuilder().setAt(at(path)).setMode(mode)));
  }

  NamespaceReply mkdirs(String path) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeDirectory(
                MakeDirectory.newBuilder().setAt(at(path)).setMode(0755).setParents(true)));
  }

  NamespaceReply symlink(String target, String path) {
    return apply(
        NamespaceRequest.newBuilder()
            .setMakeSymlink(
                MakeSymlink.newBuilder()
                    .setAt(at(path))
                    .setTarget(ByteString.copyFromUtf8(target))));
  }

  NamespaceReply unlink(String path) {
    return apply(NamespaceRequest.newBuilder().setUnlink(Unlink.newBuilder().setAt(at(path))));
  }

  NamespaceReply removeTree(String path) {
    return apply(
        NamespaceRequest.newBuilder().setRemoveTree(RemoveTree.newBuilder().setAt(at(path))));
  }

  NamespaceReply rename(String from, String to) {
    return apply(
        NamespaceRequest.newBuilder()
            .setRename(Rename.newBuilder().setFrom(at(from)).setTo(at(to))));
  }

  NamespaceReply chmod(String path, int mode) {
    return apply(
        NamespaceRequest.newBuilder()
            .setSetAttributes(SetAttributes.newBuilder().setAt(at(path)).setMode(mode)));
  }

  NamespaceReply open(String path, boolean write) {
    NamespaceRequest.Builder request =
        NamespaceRequest.newBuilder().setOpen(Open.newBuilder().setAt(at(path)).setWrite(write));
    return write ? apply(request) : read(request);
  }

  NamespaceReply close(NamespaceReply opened, long length, long generation) {
    return apply(
        NamespaceRequest.newBuilder()
            .setClose(
                Close.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())
                    .setLength(length)
                    .setTruncateGeneration(generation)
                    .setModified(true)));
  }

  NamespaceReply publish(NamespaceReply opened, long length, long generation) {
    return apply(
        NamespaceRequest.newBuilder()
            .setPublishLength(
                PublishLength.newBuilder()
                    .setInode(opened.getInode().getId())
                    .setSession(opened.getOpen().getSession())
                    .setLength(length)
                    .setTruncateGeneration(generation)));
  }

  NamespaceReply lookup(String path) {
    return read(
        NamespaceRequest.newBuilder()
            .setLookup(Lookup.newBuilder().setAt(at(path)).setFollow(true)));
  }

  NamespaceReply list(String path) {
    return read(
        NamespaceRequest.newBuilder().setList(luciola.grpc.v1.List.newBuilder().setAt(at(path))));
  }

  Inode attributes(long id) {
    return ok(read(
            NamespaceRequest.newBuilder()
                .setGetAttributes(luciola.grpc.v1.GetAttributes.newBuilder().setInode(id))))
        .getInode();
  }

  List<Long> garbage() {
    return garbage(100);
  }

  List<Long> garbage(int limit) {
    return take(limit).getGarbage().getInodesList().stream().map(Inode::getId).toList();
  }

  NamespaceReply apply(NamespaceRequest.Builder request) {
    sequence++;
    return applyRaw(
        request
            .setClientId(client)
            .setSequence(sequence)
            .setAcknowledgedSequence(sequence - 1)
            .setIdentity(who)
            .build());
  }

  NamespaceReply applyRaw(NamespaceRequest request) {
    assertTrue(Namespace.isChange(request));
    now += 10;
    Staged staged = new Staged(stored);
    NamespaceReply reply = Namespace.apply(request, now, table, staged);
    staged.copyTo(stored);
    return reply;
  }

  NamespaceReply read(NamespaceRequest.Builder request) {
    NamespaceRequest built = request.setIdentity(who).build();
    assertTrue(!Namespace.isChange(built));
    return Namespace.read(built, stored);
  }

  static NamespaceReply ok(NamespaceReply reply) {
    assertEquals(0, reply.getCode(), reply.getMessage());
    return reply;
  }

  static void no(ErrorCode code, NamespaceReply reply) {
    assertEquals(code, ErrorCode.ofNumber(reply.getCode()), reply.getMessage());
  }
}

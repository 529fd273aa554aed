package luciola.simulation.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.DropGarbage;
import luciola.grpc.v1.Entry;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.StatFs;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.Truncate;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Staged;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;
import luciola.simulation.namespace.PosixModel.Node;
import org.junit.jupiter.api.Test;

/** Random operations, compared one by one with a plain model; and the same log twice. */
class NamespacePropertyTest {
  private static final Optional<ChainTable> TABLE =
      Optional.of(
          new ChainTable(
              new ChainTableId(1), 1, List.of(new ChainId(1), new ChainId(2), new ChainId(3))));
  private static final int SEEDS = 150;
  private static final int STEPS = 300;

  @Test
  void behavesAsTheModelUnderRandomOperations() {
    for (int seed = 1; seed <= SEEDS; seed++) {
      new Run(seed).run();
    }
  }

  /** What an operation did in the model. */
  private interface Expected {
    @org.jspecify.annotations.Nullable
    Node run();
  }

  private record Session(Node node, long inode, long number, long client) {}

  private static final class Run {
    private final int seed;
    private final Random random;
    private final PosixModel model = new PosixModel();
    private final MemoryView stored = new MemoryView();
    private final List<NamespaceRequest> log = new ArrayList<>();
    private final List<Session> sessions = new ArrayList<>();
    private final Map<Node, Long> ids = new HashMap<>();
    private final Map<Long, Node> collected = new TreeMap<>();
    private long now;
    private long sequence;

    Run(int seed) {
      this.seed = seed;
      this.random = new Random(seed);
      Staged staged = new Staged(stored);
      Namespace.format(staged, 1);
      staged.copyTo(stored);
      ids.put(model.root, 1L);
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        step();
        if (step % 20 == 0) {
          compare();
        }
      }
      collectAll();
      compare();
      replay(1);
      replay(7);
    }

    private String path() {
      var path = new StringBuilder();
      int depth = 1 + random.nextInt(3);
      for (int i = 0; i < depth; i++) {
        path.append('/').append((char) ('a' + random.nextInt(4)));
      }
      return path.toString();
    }

    private static At at(String path) {
      return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
    }

    private NamespaceReply apply(NamespaceRequest.Builder request) {
      sequence++;
      now++;
      NamespaceRequest command =
          request
              .setClientId(9)
              .setSequence(sequence)
              .setAcknowledgedSequence(sequence - 1 - random.nextInt(3))
              .build();
      log.add(command);
      Staged staged = new Staged(stored);
      NamespaceReply reply = Namespace.apply(command, now, TABLE, staged);
      staged.copyTo(stored);
      if (random.nextInt(10) == 0) {
        Staged again = new Staged(stored);
        assertEquals(reply, Namespace.apply(command, now + 5, TABLE, again), "repeated");
      }
      return reply;
    }

    private NamespaceReply both(NamespaceRequest.Builder request, Expected expected) {
      ErrorCode code = ErrorCode.OK;
      Node node = null;
      try {
        node = expected.run();
      } catch (PosixModel.No no) {
        code = no.code;
      }
      NamespaceReply reply = apply(request);
      assertEquals(
          code,
          ErrorCode.ofNumber(reply.getCode()),
          "seed=" + seed + " step=" + sequence + " " + request + reply.getMessage());
      if (node != null) {
        ids.putIfAbsent(node, reply.getInode().getId());
        same(node, reply.getInode());
      }
      return reply;
    }

    private void step() {
      NamespaceRequest.Builder request = NamespaceRequest.newBuilder();
      String path = path();
      String other = path();
      switch (random.nextInt(16)) {
        case 0, 1, 2 -> create(request, path);
        case 3, 4, 5 ->
            both(
                request.setMakeDirectory(MakeDirectory.newBuilder().setAt(at(path)).setMode(0755)),
                () -> model.mkdir(path));
        case 6 ->
            both(
                request.setMakeSymlink(
                    MakeSymlink.newBuilder()
                        .setAt(at(path))
                        .setTarget(ByteString.copyFromUtf8(other))),
                () -> model.symlink(other, path));
        case 7 -> link(request, path, other);
        case 8 ->
            both(
                request.setUnlink(Unlink.newBuilder().setAt(at(path))),
                () -> {
                  model.unlink(path);
                  return null;
                });
        case 9 ->
            both(
                request.setRemoveDirectory(RemoveDirectory.newBuilder().setAt(at(path))),
                () -> {
                  model.rmdir(path);
                  return null;
                });
        case 10 -> {
          if (random.nextInt(4) == 0) {
            both(
                request.setRemoveTree(RemoveTree.newBuilder().setAt(at(path))),
                () -> {
                  model.removeTree(path);
                  return null;
                });
            collectAll();
          }
        }
        case 11, 12 -> {
          boolean noReplace = random.nextInt(4) == 0;
          boolean exchange = !noReplace && random.nextInt(4) == 0;
          both(
              request.setRename(
                  Rename.newBuilder()
                      .setFrom(at(path))
                      .setTo(at(other))
                      .setNoReplace(noReplace)
                      .setExchange(exchange)),
              () -> {
                model.rename(path, other, noReplace, exchange);
                return null;
              });
        }
        case 13, 14 -> close(request);
        default -> truncate(request, path);
      }
    }

    private void create(NamespaceRequest.Builder request, String path) {
      boolean exclusive = random.nextBoolean();
      boolean truncate = random.nextInt(3) == 0;
      boolean write = random.nextBoolean();
      Node[] made = new Node[1];
      NamespaceReply reply =
          both(
              request.setCreate(
                  Create.newBuilder()
                      .setAt(at(path))
                      .setMode(0644)
                      .setExclusive(exclusive)
                      .setTruncate(truncate)
                      .setOpenForWrite(write)),
              () -> {
                made[0] = model.create(path, exclusive, truncate, write, 0644);
                return made[0];
              });
      if (reply.getCode() == 0 && write) {
        sessions.add(
            new Session(made[0], reply.getInode().getId(), reply.getOpen().getSession(), 9));
      }
    }

    private void link(NamespaceRequest.Builder request, String path, String other) {
      Node node;
      try {
        node = model.spot(path, false).existing();
      } catch (PosixModel.No missing) {
        return;
      }
      both(
          request.setMakeLink(
              MakeLink.newBuilder().setInode(ids.getOrDefault(node, -1L)).setAt(at(other))),
          () -> {
            model.link(node, other);
            return node;
          });
    }

    private void close(NamespaceRequest.Builder request) {
      if (sessions.isEmpty()) {
        return;
      }
      Session session = sessions.remove(random.nextInt(sessions.size()));
      long length = random.nextInt(10_000);
      long generation = session.node().generation - (random.nextInt(4) == 0 ? 1 : 0);
      both(
          request.setClose(
              Close.newBuilder()
                  .setInode(session.inode())
                  .setSession(session.number())
                  .setLength(length)
                  .setTruncateGeneration(generation)),
          () -> {
            model.close(session.node(), length, generation);
            return null;
          });
    }

    private void truncate(NamespaceRequest.Builder request, String path) {
      Node node;
      try {
        node = model.spot(path, true).existing();
      } catch (PosixModel.No missing) {
        return;
      }
      long length = random.nextInt(5_000);
      both(
          request.setTruncate(
              Truncate.newBuilder().setInode(ids.getOrDefault(node, -1L)).setLength(length)),
          () -> {
            model.truncate(node, length);
            return node;
          });
    }

    /** Takes all garbage, a little at a time, and drops what was taken. */
    private void collectAll() {
      List<Long> taken;
      int rounds = 0;
      do {
        NamespaceReply reply =
            apply(
                NamespaceRequest.newBuilder()
                    .setTakeGarbage(TakeGarbage.newBuilder().setLimit(1 + random.nextInt(4))));
        taken = reply.getGarbage().getInodesList().stream().map(Inode::getId).toList();
        for (long id : taken) {
          collected.put(id, model.root);
        }
        apply(
            NamespaceRequest.newBuilder()
                .setDropGarbage(DropGarbage.newBuilder().addAllInodes(taken)));
        rounds = taken.isEmpty() ? rounds + 1 : 0;
      } while (rounds < 100 && garbageLeft());
    }

    private boolean garbageLeft() {
      boolean[] left = {false};
      stored.scan(
          Family.GARBAGE,
          new byte[0],
          null,
          (_, _) -> {
            left[0] = true;
            return false;
          });
      return left[0];
    }

    private NamespaceReply read(NamespaceRequest.Builder request) {
      return Namespace.read(request.build(), stored);
    }

    private void compare() {
      compare(model.root, 1);
      var open = new ArrayList<Node>();
      for (Session session : sessions) {
        open.add(session.node());
        same(
            session.node(),
            read(NamespaceRequest.newBuilder()
                    .setGetAttributes(GetAttributes.newBuilder().setInode(session.inode())))
                .getInode());
      }
      if (!garbageLeft()) {
        assertEquals(
            model.inodes(open),
            read(NamespaceRequest.newBuilder().setStatFs(StatFs.getDefaultInstance()))
                .getStatFs()
                .getInodes(),
            "seed=" + seed);
        var lost = new HashSet<Long>();
        model.garbage.forEach(node -> lost.add(ids.getOrDefault(node, -1L)));
        assertEquals(lost, collected.keySet(), "seed=" + seed);
      }
    }

    private void compare(Node directory, long id) {
      NamespaceReply listed =
          read(
              NamespaceRequest.newBuilder()
                  .setList(luciola.grpc.v1.List.newBuilder().setAt(At.newBuilder().setInode(id))));
      assertEquals(0, listed.getCode(), listed.getMessage());
      same(directory, listed.getInode());
      assertEquals(
          List.copyOf(directory.entries.keySet()),
          listed.getList().getEntriesList().stream()
              .map(entry -> entry.getName().toStringUtf8())
              .toList(),
          "seed=" + seed);
      for (Entry entry : listed.getList().getEntriesList()) {
        Node node = directory.entries.get(entry.getName().toStringUtf8());
        if (node != null) {
          same(node, entry.getInode());
          if (node.kind == PosixModel.Kind.DIRECTORY) {
            assertEquals(id, entry.getInode().getParent(), "seed=" + seed);
            compare(node, entry.getInode().getId());
          }
        }
      }
    }

    private void same(Node node, Inode inode) {
      String what = "seed=" + seed + " step=" + sequence + " " + inode;
      assertEquals(ids.get(node), inode.getId(), what);
      assertEquals(
          switch (node.kind) {
            case FILE -> InodeType.INODE_TYPE_FILE;
            case DIRECTORY -> InodeType.INODE_TYPE_DIRECTORY;
            case SYMLINK -> InodeType.INODE_TYPE_SYMLINK;
          },
          inode.getType(),
          what);
      assertEquals(model.links(node), inode.getNlink(), what);
      if (node.kind == PosixModel.Kind.FILE) {
        assertEquals(node.length, inode.getLength(), what);
        assertEquals(node.generation, inode.getTruncateGeneration(), what);
      }
    }

    /** The same log in batches of another size ends in the same bytes. */
    private void replay(int batch) {
      var again = new MemoryView();
      Staged staged = new Staged(again);
      Namespace.format(staged, 1);
      long time = 0;
      for (NamespaceRequest command : log) {
        time++;
        Namespace.apply(command, time, TABLE, staged);
        if (time % batch == 0) {
          staged.copyTo(again);
          staged = new Staged(again);
        }
      }
      staged.copyTo(again);
      assertEquals(dump(stored), dump(again), "seed=" + seed);
    }

    private static List<String> dump(KeyValueView view) {
      var lines = new ArrayList<String>();
      for (Family family : Family.values()) {
        view.scan(
            family,
            new byte[0],
            null,
            (key, value) ->
                lines.add(
                    family
                        + " "
                        + ByteString.copyFrom(key).toStringUtf8()
                        + " "
                        + java.util.HexFormat.of().formatHex(value)));
      }
      return lines;
    }
  }
}

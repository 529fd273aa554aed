package luciola.simulation.namespace;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Entry;
import luciola.grpc.v1.HoldLength;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.PublishLength;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.SetQuota;
import luciola.protocol.error.ErrorCode;
import luciola.simulation.namespace.PosixModel.Node;
import org.jspecify.annotations.Nullable;

/** Carries out requests of the protocol on the model, and compares what servers answered. */
final class ModelNamespace {
  private final PosixModel model;
  private final Map<Long, Session> sessions = new HashMap<>();

  private record Session(Node node, long client, boolean reads, boolean holds) {
    Session holding(boolean now) {
      node.held = now;
      return new Session(node, client, reads, now);
    }
  }

  /**
   * What an operation has to give.
   *
   * @param node what it concerns, as far as that is to be compared
   */
  record Expected(ErrorCode code, @Nullable Node node) {
    static Expected of(@Nullable Node node) {
      return new Expected(ErrorCode.OK, node);
    }
  }

  ModelNamespace(PosixModel model) {
    this.model = model;
  }

  PosixModel model() {
    return model;
  }

  // Changes.

  /** Carries out a change. */
  Expected apply(NamespaceRequest request) {
    try {
      return Expected.of(change(request));
    } catch (PosixModel.No no) {
      return new Expected(no.code, null);
    }
  }

  private @Nullable Node change(NamespaceRequest request) {
    return switch (request.getOperationCase()) {
      case CREATE -> create(request.getCreate());
      case OPEN ->
          request.getOpen().getKeep()
              ? model.keep(openOrRemoved(request.getOpen().getAt().getInode()))
              : open(request.getOpen());
      case MAKE_DIRECTORY -> model.mkdir(path(request.getMakeDirectory().getAt()));
      case MAKE_SYMLINK ->
          model.symlink(
              request.getMakeSymlink().getTarget().toStringUtf8(),
              path(request.getMakeSymlink().getAt()));
      case MAKE_LINK -> {
        Node node = byNumber(request.getMakeLink().getInode());
        model.link(node, path(request.getMakeLink().getAt()));
        yield node;
      }
      case UNLINK -> {
        model.unlink(path(request.getUnlink().getAt()));
        yield null;
      }
      case REMOVE_DIRECTORY -> {
        model.rmdir(path(request.getRemoveDirectory().getAt()));
        yield null;
      }
      case REMOVE_TREE -> {
        model.removeTree(path(request.getRemoveTree().getAt()));
        yield null;
      }
      case RENAME -> rename(request.getRename());
      case TRUNCATE -> {
        Node node = byNumber(request.getTruncate().getInode());
        model.truncate(node, request.getTruncate().getLength());
        yield node;
      }
      case CLOSE -> close(request.getClientId(), request.getClose());
      case HOLD_LENGTH -> hold(request.getClientId(), request.getHoldLength());
      case PUBLISH_LENGTH -> publish(request.getClientId(), request.getPublishLength());
      case TAKE_GARBAGE, DROP_GARBAGE -> null;
      case SET_QUOTA -> {
        SetQuota asked = request.getSetQuota();
        model.limit(
            path(asked.getAt()),
            new PosixModel.Limit(
                asked.hasBytes() ? asked.getBytes() : -1,
                asked.hasInodes() ? asked.getInodes() : -1),
            true);
        yield null;
      }
      case REMOVE_QUOTA -> {
        model.unlimit(path(request.getRemoveQuota().getAt()));
        yield null;
      }
      default -> throw new IllegalArgumentException("not in the model: " + request);
    };
  }

  private Node create(Create asked) {
    if (asked.getUnnamed()) {
      return model.createUnnamed(path(asked.getAt()), asked.getExclusive(), asked.getMode());
    }
    return model.create(
        path(asked.getAt()),
        asked.getExclusive(),
        asked.getTruncate(),
        asked.getOpenForWrite(),
        asked.getMode());
  }

  private Node open(Open asked) {
    return model.open(
        model.spot(path(asked.getAt()), true).existing(), asked.getWrite(), asked.getTruncate());
  }

  private @Nullable Node rename(Rename asked) {
    model.rename(
        path(asked.getFrom()), path(asked.getTo()), asked.getNoReplace(), asked.getExchange());
    return null;
  }

  private Node close(long client, Close asked) {
    Session session = session(client, asked.getInode(), asked.getSession());
    Node node = session.node();
    if (session.reads()
        && (asked.hasLength() || asked.getModified() || asked.hasName() || asked.getUntold())) {
      throw new PosixModel.No(ErrorCode.BAD_SESSION);
    }
    long length = asked.hasLength() ? asked.getLength() : 0;
    if (asked.hasName()) {
      model.closeNamed(
          node,
          length,
          asked.getTruncateGeneration(),
          new PosixModel.Naming(
              path(asked.getName()),
              asked.getNoReplace(),
              asked.hasMode() ? asked.getMode() : -1,
              asked.hasModifiedNanos() ? asked.getModifiedNanos() : -1));
    } else {
      model.close(node, length, asked.getTruncateGeneration());
    }
    node.untold |= asked.getUntold();
    end(asked.getSession());
    return node;
  }

  private void end(long number) {
    Session ended = Objects.requireNonNull(sessions.remove(number));
    if (ended.holds()) {
      ended.node().held = false;
    }
  }

  private Node hold(long client, HoldLength asked) {
    Session session = session(client, asked.getInode(), asked.getSession());
    if (session.reads() || (asked.getDone() && !session.holds())) {
      throw new PosixModel.No(ErrorCode.BAD_SESSION);
    }
    if (!asked.getDone() && isWrittenBeside(asked.getSession(), session.node())) {
      throw new PosixModel.No(ErrorCode.NOT_PERMITTED);
    }
    session.node().untold &= !asked.getDone();
    sessions.put(asked.getSession(), session.holding(!asked.getDone()));
    return session.node();
  }

  private boolean isWrittenBeside(long number, Node node) {
    return sessions.entrySet().stream()
        .filter(other -> other.getKey() != number)
        .map(Map.Entry::getValue)
        .anyMatch(other -> other.node() == node && !other.reads());
  }

  private Node publish(long client, PublishLength asked) {
    Session session = session(client, asked.getInode(), asked.getSession());
    if (session.reads()) {
      throw new PosixModel.No(ErrorCode.BAD_SESSION);
    }
    Node node = session.node();
    model.grow(node, asked.getLength(), asked.getTruncateGeneration());
    node.modifiedNanos = -1;
    return node;
  }

  private Session session(long client, long inode, long number) {
    Session session = sessions.get(number);
    if (session == null || session.client() != client || session.node().id != inode) {
      throw new PosixModel.No(ErrorCode.BAD_SESSION);
    }
    return session;
  }

  /** A file that is open for writing. */
  Optional<Node> openFile(long id) {
    return sessions.values().stream().map(Session::node).filter(node -> node.id == id).findFirst();
  }

  /** A file that has neither name nor session, taken or not. */
  Optional<Node> garbage(long id) {
    return model.garbage.stream().filter(node -> node.id == id).findFirst();
  }

  /** A file that has a name or is open, or is waiting for a collector. */
  private Node openOrRemoved(long id) {
    return garbage(id).filter(node -> !node.taken).orElseGet(() -> byNumber(id));
  }

  /** A file that has a name or is open. */
  private Node byNumber(long id) {
    Optional<Node> there = openFile(id);
    if (there.isPresent()) {
      return there.get();
    }
    Node named = find(model.root, id);
    if (named == null) {
      throw new PosixModel.No(ErrorCode.NOT_FOUND);
    }
    return named;
  }

  private static @Nullable Node find(Node node, long id) {
    if (node.id == id) {
      return node;
    }
    for (Node below : node.entries.values()) {
      Node found = find(below, id);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** Takes the numbers that the servers gave from the reply to a change that was done. */
  void done(NamespaceRequest request, Expected expected, NamespaceReply reply) {
    Node node = expected.node();
    if (node == null) {
      return;
    }
    if (node.id == 0) {
      node.id = reply.getInode().getId();
    }
    if (reply.getOpen().getSession() != 0) {
      sessions.put(
          reply.getOpen().getSession(),
          new Session(node, request.getClientId(), request.getOpen().getKeep(), false));
    }
  }

  /** Ends every session of a client; how many there were. */
  int expire(long client) {
    List<Long> ended =
        sessions.entrySet().stream()
            .filter(session -> session.getValue().client() == client)
            .map(Map.Entry::getKey)
            .toList();
    for (long number : ended) {
      Session session = Objects.requireNonNull(sessions.get(number));
      end(number);
      session.node().untold |= !session.reads();
      model.close(session.node(), 0, -1);
    }
    return ended.size();
  }

  /** Whether a session of somebody who writes is there. */
  boolean mayWrite(long number) {
    Session session = sessions.get(number);
    return session != null && !session.reads();
  }

  boolean anySessions() {
    return !sessions.isEmpty();
  }

  // Reads and comparisons.

  /** Why a reply to a read cannot have been given in this state; empty if it can. */
  static String difference(PosixModel state, NamespaceRequest request, NamespaceReply reply) {
    try {
      return switch (request.getOperationCase()) {
        case LOOKUP ->
            difference(
                state,
                Expected.of(
                    state
                        .spot(path(request.getLookup().getAt()), request.getLookup().getFollow())
                        .existing()),
                reply);
        case READ_LINK -> {
          Node link = state.spot(path(request.getReadLink().getAt()), false).existing();
          if (link.kind != PosixModel.Kind.SYMLINK) {
            throw new PosixModel.No(ErrorCode.INVALID_ARGUMENT);
          }
          String differs = difference(state, Expected.of(link), reply);
          String target = reply.getInode().getSymlinkTarget().toStringUtf8();
          yield differs.isEmpty() && !target.equals(link.target) ? "target " + target : differs;
        }
        case LIST -> {
          Node directory = state.spot(path(request.getList().getAt()), true).existing();
          if (directory.kind != PosixModel.Kind.DIRECTORY) {
            throw new PosixModel.No(ErrorCode.NOT_A_DIRECTORY);
          }
          yield listed(state, directory, reply);
        }
        case SHOW_QUOTA -> limited(state, request, reply);
        default -> throw new IllegalArgumentException("not in the model: " + request);
      };
    } catch (PosixModel.No no) {
      return difference(state, new Expected(no.code, null), reply);
    }
  }

  private static String limited(PosixModel state, NamespaceRequest request, NamespaceReply reply) {
    Node node = state.spot(path(request.getShowQuota().getAt()), true).existing();
    String differs = difference(state, Expected.of(node), reply);
    if (!differs.isEmpty() || node.kind != PosixModel.Kind.DIRECTORY) {
      return differs;
    }
    var expected = new ArrayList<String>();
    var found = new ArrayList<String>();
    boolean counting = reply.getQuotas().getQuotasList().stream().anyMatch(Quota::getCounting);
    for (Node directory : state.limited(node)) {
      PosixModel.Limit limit = Objects.requireNonNull(directory.limit);
      PosixModel.Sum sum = PosixModel.below(directory);
      expected.add(
          directory.id + (counting ? "" : " " + state.path(directory) + " " + sum) + " " + limit);
    }
    for (Quota quota : reply.getQuotas().getQuotasList()) {
      found.add(
          quota.getDirectory()
              + (counting
                  ? ""
                  : " "
                      + quota.getPath().toStringUtf8()
                      + " "
                      + new PosixModel.Sum(quota.getUsedBytes(), quota.getUsedInodes()))
              + " "
              + new PosixModel.Limit(
                  quota.hasBytes() ? quota.getBytes() : -1,
                  quota.hasInodes() ? quota.getInodes() : -1));
    }
    return expected.equals(found) ? "" : "quotas " + found + ", not " + expected;
  }

  private static String listed(PosixModel state, Node directory, NamespaceReply reply) {
    String differs = difference(state, Expected.of(directory), reply);
    if (!differs.isEmpty()) {
      return differs;
    }
    List<String> names = new ArrayList<>();
    for (Entry entry : reply.getList().getEntriesList()) {
      String name = entry.getName().toStringUtf8();
      names.add(name);
      Node node = directory.entries.get(name);
      differs = node == null ? name : difference(state, node, entry.getInode());
      if (!differs.isEmpty()) {
        return name + ": " + differs;
      }
    }
    return names.equals(List.copyOf(directory.entries.keySet()))
        ? ""
        : "names " + names + ", not " + directory.entries.keySet();
  }

  /** What is not as expected in a reply; empty if it is. */
  static String difference(PosixModel state, Expected expected, NamespaceReply reply) {
    ErrorCode code = ErrorCode.ofNumber(reply.getCode());
    if (code != expected.code()) {
      return "answered " + code + " " + reply.getMessage() + ", not " + expected.code();
    }
    Node node = expected.node();
    return node == null ? "" : difference(state, node, reply.getInode());
  }

  private static String difference(PosixModel state, Node node, Inode inode) {
    var words = new StringBuilder();
    compare(words, "type", type(node), inode.getType());
    if (node.id != 0) {
      compare(words, "inode", node.id, inode.getId());
    }
    // What lies in a removed tree has its old links until it is collected.
    int links = state.links(node);
    if (links > 0) {
      compare(words, "links", links, inode.getNlink());
    }
    if (node.kind == PosixModel.Kind.FILE) {
      compare(words, "length", node.length, inode.getLength());
      compare(words, "generation", node.generation, inode.getTruncateGeneration());
      compare(words, "mode", node.mode, inode.getMode());
      compare(words, "untold", node.untold, inode.getUntold());
      if (node.modifiedNanos >= 0) {
        compare(words, "modified", node.modifiedNanos, inode.getModifiedNanos());
      }
    }
    return words.toString();
  }

  private static InodeType type(Node node) {
    return switch (node.kind) {
      case FILE -> InodeType.INODE_TYPE_FILE;
      case DIRECTORY -> InodeType.INODE_TYPE_DIRECTORY;
      case SYMLINK -> InodeType.INODE_TYPE_SYMLINK;
    };
  }

  private static void compare(StringBuilder words, String what, Object expected, Object found) {
    if (!expected.equals(found)) {
      words.append(what).append(' ').append(found).append(", not ").append(expected).append("; ");
    }
  }

  static At at(String path) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
  }

  private static String path(At at) {
    return at.getPath().toStringUtf8();
  }
}

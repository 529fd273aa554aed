package luciola.simulation.namespace;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.DropGarbage;
import luciola.grpc.v1.HoldLength;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.PublishLength;
import luciola.grpc.v1.ReadLink;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.RemoveQuota;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.SetQuota;
import luciola.grpc.v1.ShowQuota;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.Truncate;
import luciola.grpc.v1.Unlink;
import luciola.protocol.error.ErrorCode;
import luciola.simulation.PlantedBug;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;

/** What a client asks for: random operations on few names, and on what it holds open. */
final class UserOperations {
  private static final int SESSIONS_MAX = 6;

  /** A collector takes what was removed so long ago. */
  static final long GARBAGE_AGE_NANOS = 250_000_000;

  private final World world;
  private final Plan plan;
  private final List<Session> sessions = new ArrayList<>();
  private final List<Long> seen = new ArrayList<>();
  private final List<Long> taken = new ArrayList<>();

  private final ArrayDeque<Told> told = new ArrayDeque<>();

  /** Files that it may have opened for reading; others remove them meanwhile. */
  private final List<Long> files = new ArrayList<>();

  /**
   * What clients of a run do.
   *
   * @param names how many names there are
   * @param depth how deep paths go
   * @param removesTrees whether trees are removed; else files are also named by their numbers, for
   *     which it matters when what was in such a tree is collected
   * @param quotas whether quotas are set and removed
   */
  record Plan(int names, int depth, boolean removesTrees, boolean quotas) {
    static Plan draw(World world) {
      return new Plan(2 + world.below(3), 1 + world.below(3), world.chance(0.5), world.chance(0.6));
    }
  }

  /** A time of the namespace, and when it was told. */
  private record Told(long timeNanos, long atNanos) {}

  /**
   * @param unnamed the file was made without a name: it may get one at the close
   */
  private record Session(
      long inode, long number, long generation, boolean reads, boolean unnamed) {}

  /** Sessions whose close is under way, by their numbers. */
  private final Map<Long, Session> closing = new HashMap<>();

  private final Map<Long, Session> holding = new HashMap<>();

  /** Sessions whose last length was refused, and those that are alone with their file. */
  private final ArrayDeque<Session> refused = new ArrayDeque<>();

  private final ArrayDeque<Held> held = new ArrayDeque<>();

  private final WrittenBytes written;
  private final BooleanSupplier leased;
  private final Optional<PlantedBug> bug;

  /**
   * @param length where the file ends as long as it is held
   */
  private record Held(Session session, long length) {}

  /**
   * @param leased whether the client's sessions are there still, as far as it can know
   */
  UserOperations(
      World world,
      Plan plan,
      WrittenBytes written,
      BooleanSupplier leased,
      Optional<PlantedBug> bug) {
    this.world = world;
    this.plan = plan;
    this.written = written;
    this.leased = leased;
    this.bug = bug;
  }

  /** A new client begins with nothing. */
  void forget() {
    sessions.clear();
    seen.clear();
    taken.clear();
    files.clear();
    told.clear();
    closing.clear();
    holding.clear();
    refused.clear();
    held.clear();
  }

  NamespaceRequest.Builder draw() {
    NamespaceRequest.Builder request = NamespaceRequest.newBuilder();
    if (!held.isEmpty() && world.chance(0.7)) {
      return cut(request, held.remove());
    }
    if (!refused.isEmpty() && world.chance(0.7)) {
      return hold(request, refused.remove());
    }
    At at = at();
    return switch (world.below(plan.quotas() ? 28 : 24)) {
      case 0, 1, 2, 3 -> create(request, at);
      case 4, 5, 6 -> request.setMakeDirectory(MakeDirectory.newBuilder().setAt(at).setMode(0755));
      case 7 ->
          request.setMakeSymlink(
              MakeSymlink.newBuilder().setAt(at).setTarget(ByteString.copyFromUtf8(path())));
      case 8 -> link(request, at);
      case 9, 10 -> request.setUnlink(Unlink.newBuilder().setAt(at));
      case 11 -> request.setRemoveDirectory(RemoveDirectory.newBuilder().setAt(at));
      case 12 ->
          plan.removesTrees()
              ? request.setRemoveTree(RemoveTree.newBuilder().setAt(at))
              : truncate(request);
      case 13, 14 -> rename(request, at);
      case 15 ->
          request.setOpen(
              Open.newBuilder()
                  .setAt(at)
                  .setWrite(sessions.size() < SESSIONS_MAX)
                  .setTruncate(world.chance(0.3) || sessions.size() >= SESSIONS_MAX));
      case 16, 17 -> close(request);
      case 18 -> publish(request);
      case 19 -> collect();
      case 20 ->
          request.setList(luciola.grpc.v1.List.newBuilder().setAt(world.chance(0.4) ? root() : at));
      case 22 -> world.chance(0.5) ? keep(request) : holdAny(request);
      case 24, 25 -> setQuota(request);
      case 26 -> request.setRemoveQuota(RemoveQuota.newBuilder().setAt(at));
      case 27 -> request.setShowQuota(ShowQuota.newBuilder().setAt(at));
      case 21 -> request.setReadLink(ReadLink.newBuilder().setAt(at));
      default -> request.setLookup(Lookup.newBuilder().setAt(at).setFollow(world.chance(0.5)));
    };
  }

  private NamespaceRequest.Builder setQuota(NamespaceRequest.Builder request) {
    SetQuota.Builder set = SetQuota.newBuilder().setAt(world.chance(0.2) ? root() : at());
    if (world.chance(0.5)) {
      set.setBytes(world.below(15_000));
    }
    if (!set.hasBytes() || world.chance(0.3)) {
      set.setInodes(world.below(14));
    }
    return request.setSetQuota(set);
  }

  private static At root() {
    return ModelNamespace.at("/");
  }

  private At at() {
    return ModelNamespace.at(path());
  }

  private String path() {
    var path = new StringBuilder();
    int depth = 1 + world.below(plan.depth());
    for (int i = 0; i < depth; i++) {
      path.append('/').append((char) ('a' + world.below(plan.names())));
    }
    return path.toString();
  }

  private NamespaceRequest.Builder create(NamespaceRequest.Builder request, At at) {
    boolean exclusive = world.chance(0.4);
    if (sessions.size() < SESSIONS_MAX && world.chance(0.25)) {
      return request.setCreate(
          Create.newBuilder()
              .setAt(at)
              .setMode(0600 | world.below(0100))
              .setExclusive(exclusive)
              .setOpenForWrite(true)
              .setUnnamed(true));
    }
    return request.setCreate(
        Create.newBuilder()
            .setAt(at)
            .setMode(0644)
            .setExclusive(exclusive)
            .setTruncate(!exclusive && world.chance(0.3))
            .setOpenForWrite(sessions.size() < SESSIONS_MAX && world.chance(0.6)));
  }

  private NamespaceRequest.Builder link(NamespaceRequest.Builder request, At at) {
    return plan.removesTrees() || seen.isEmpty()
        ? request.setLookup(Lookup.newBuilder().setAt(at))
        : request.setMakeLink(MakeLink.newBuilder().setInode(any(seen)).setAt(at));
  }

  private NamespaceRequest.Builder truncate(NamespaceRequest.Builder request) {
    return seen.isEmpty()
        ? request.setLookup(Lookup.newBuilder().setAt(at()))
        : request.setTruncate(
            Truncate.newBuilder().setInode(any(seen)).setLength(world.below(5000)));
  }

  private NamespaceRequest.Builder rename(NamespaceRequest.Builder request, At at) {
    boolean noReplace = world.chance(0.25);
    return request.setRename(
        Rename.newBuilder()
            .setFrom(at)
            .setTo(at())
            .setNoReplace(noReplace)
            .setExchange(!noReplace && world.chance(0.25)));
  }

  private NamespaceRequest.Builder close(NamespaceRequest.Builder request) {
    if (sessions.isEmpty()) {
      return request.setLookup(Lookup.newBuilder().setAt(at()));
    }
    Session session = sessions.remove(world.below(sessions.size()));
    closing.put(session.number(), session);
    Close.Builder close =
        Close.newBuilder()
            .setInode(session.inode())
            .setSession(session.number())
            .setTruncateGeneration(session.generation());
    if (world.chance(0.8) && !session.reads()) {
      close.setLength(write(session));
    }
    // What was in a removed tree has its old names until it is collected.
    double naming = session.unnamed() ? 0.8 : plan.removesTrees() || session.reads() ? 0 : 0.1;
    if (world.chance(naming)) {
      name(close);
    }
    return request.setClose(close);
  }

  private void name(Close.Builder close) {
    close.setName(at()).setNoReplace(world.chance(0.3));
    if (world.chance(0.5)) {
      close.setMode(world.below(010000));
    }
    if (world.chance(0.5)) {
      close.setModifiedNanos(1 + world.below(1_000_000));
    }
  }

  /** What is refused leaves the session as it was; most clients give up then. */
  private void closed(NamespaceRequest request, NamespaceReply reply) {
    Session session = closing.remove(request.getClose().getSession());
    if (session == null
        || reply.getCode() == ErrorCode.OK.number()
        || reply.getCode() == ErrorCode.BAD_SESSION.number()) {
      return;
    }
    if (reply.getCode() == ErrorCode.QUOTA_EXCEEDED.number()) {
      refused.add(session);
    } else {
      sessions.add(session);
    }
  }

  private void held(NamespaceRequest request, NamespaceReply reply) {
    Session session = holding.remove(request.getHoldLength().getSession());
    if (session == null || reply.getCode() == ErrorCode.BAD_SESSION.number()) {
      return;
    }
    if (reply.getCode() == ErrorCode.OK.number()) {
      held.add(new Held(session, reply.getInode().getLength()));
    } else {
      world.met(Probe.NOT_HELD_BESIDE_OTHERS);
      if (bug.filter(PlantedBug.CUT_BESIDE_OTHERS::equals).isPresent()) {
        held.add(new Held(session, 0));
      } else {
        sessions.add(session);
      }
    }
  }

  private NamespaceRequest.Builder publish(NamespaceRequest.Builder request) {
    List<Session> writing = sessions.stream().filter(session -> !session.reads()).toList();
    if (writing.isEmpty()) {
      return request.setLookup(Lookup.newBuilder().setAt(at()));
    }
    Session session = writing.get(world.below(writing.size()));
    return request.setPublishLength(
        PublishLength.newBuilder()
            .setInode(session.inode())
            .setSession(session.number())
            .setLength(write(session))
            .setTruncateGeneration(session.generation()));
  }

  /** Bytes are written before the length that they end at is told. */
  private long write(Session session) {
    long end = world.below(10_000);
    written.wrote(session.inode(), session.number(), end);
    return end;
  }

  private NamespaceRequest.Builder holdAny(NamespaceRequest.Builder request) {
    List<Session> writing = sessions.stream().filter(session -> !session.reads()).toList();
    if (writing.isEmpty()) {
      return request.setLookup(Lookup.newBuilder().setAt(at()));
    }
    Session session = writing.get(world.below(writing.size()));
    sessions.remove(session);
    return hold(request, session);
  }

  private NamespaceRequest.Builder hold(NamespaceRequest.Builder request, Session session) {
    holding.put(session.number(), session);
    return request.setHoldLength(
        HoldLength.newBuilder().setInode(session.inode()).setSession(session.number()));
  }

  /**
   * Removes what lies past the end, and says so; a client that is not sure of its lease does not.
   */
  private NamespaceRequest.Builder cut(NamespaceRequest.Builder request, Held by) {
    Session session = by.session();
    if (leased.getAsBoolean()) {
      if (written.cut(session.inode(), session.number(), by.length())) {
        world.met(Probe.UNTOLD_BYTES_CUT);
      }
      sessions.add(session);
      return request.setHoldLength(
          HoldLength.newBuilder()
              .setInode(session.inode())
              .setSession(session.number())
              .setDone(true));
    }
    world.met("held too long to cut");
    return closeUntold(request, session);
  }

  private static NamespaceRequest.Builder closeUntold(
      NamespaceRequest.Builder request, Session session) {
    return request.setClose(
        Close.newBuilder()
            .setInode(session.inode())
            .setSession(session.number())
            .setTruncateGeneration(session.generation())
            .setUntold(true));
  }

  /** A session for a file that it reads, whatever became of its names. */
  private NamespaceRequest.Builder keep(NamespaceRequest.Builder request) {
    return files.isEmpty() || sessions.size() >= SESSIONS_MAX
        ? request.setLookup(Lookup.newBuilder().setAt(at()))
        : request.setOpen(
            Open.newBuilder().setAt(At.newBuilder().setInode(any(files))).setKeep(true));
  }

  /** Takes garbage, or drops what it took. */
  NamespaceRequest.Builder collect() {
    NamespaceRequest.Builder request = NamespaceRequest.newBuilder();
    if (taken.isEmpty()) {
      return request.setTakeGarbage(
          TakeGarbage.newBuilder().setLimit(1 + world.below(4)).setUntilNanos(untilNanos()));
    }
    DropGarbage.Builder drop = DropGarbage.newBuilder().addAllInodes(taken);
    taken.clear();
    return request.setDropGarbage(drop);
  }

  /** The last time of the namespace that it was told long enough ago. */
  private long untilNanos() {
    long until = 0;
    while (!told.isEmpty() && world.nowNanos() - told.getFirst().atNanos() >= GARBAGE_AGE_NANOS) {
      until = told.removeFirst().timeNanos();
    }
    return until;
  }

  private long any(List<Long> of) {
    return of.get(world.below(of.size()));
  }

  /** Takes from a reply what later operations need; true if it lost a session that it had. */
  boolean ended(NamespaceRequest request, NamespaceReply reply) {
    Inode inode = reply.getInode();
    if (reply.getCode() == ErrorCode.OK.number() && inode.getId() > 1) {
      seen.add(inode.getId());
      if (seen.size() > SESSIONS_MAX) {
        seen.removeFirst();
      }
    }
    if (inode.getType() == InodeType.INODE_TYPE_FILE) {
      files.add(inode.getId());
      if (files.size() > SESSIONS_MAX) {
        files.removeFirst();
      }
    }
    if (reply.getOpen().getSession() != 0) {
      sessions.add(
          new Session(
              inode.getId(),
              reply.getOpen().getSession(),
              inode.getTruncateGeneration(),
              request.getOpen().getKeep(),
              request.getCreate().getUnnamed()));
    }
    if (request.hasClose()) {
      closed(request, reply);
    }
    if (request.hasHoldLength()) {
      held(request, reply);
    }
    reply.getGarbage().getInodesList().forEach(each -> taken.add(each.getId()));
    if (reply.hasGarbage()) {
      told.add(new Told(reply.getGarbage().getNowNanos(), world.nowNanos()));
    }
    if (reply.getCode() == ErrorCode.BAD_SESSION.number()) {
      sessions.removeIf(session -> session.number() == request.getPublishLength().getSession());
      return true;
    }
    return false;
  }
}

package luciola.simulation.namespace;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.UsageState;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.namespace.PosixModel.Node;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;
import org.jspecify.annotations.Nullable;

/**
 * What is true, in the order of the log: the state that every member must have after each entry,
 * what POSIX says of it, and who was told what. Everything that clients and members see is held
 * against it.
 *
 * <ul>
 *   <li>AsPosix: a change gives what the model gives, and leaves the same tree.
 *   <li>DoneOnce: an operation of a client takes effect once, however often it is sent.
 *   <li>AnsweredIsDecided: what a client was answered is in the log.
 *   <li>ReadsAreLinearizable: a read shows a state between the last one that anybody had been told
 *       of when it began and the last one decided when it ended.
 *   <li>MembersAgree: every member makes the same of each entry.
 *   <li>LiveClientsKeepSessions: who renews in time is not taken for gone.
 *   <li>UsageIsExact: in the end, what is kept of each directory with quotas anywhere is what the
 *       model counts below it.
 *   <li>RemovedFilesStay: a collector gets no file that has a name or a session, and none before
 *       the time after its removal that collectors keep, whatever clocks say.
 *   <li>WrittenBytesStay: nobody cuts what another writer, who is still there, has written past the
 *       end of a file.
 *   <li>TimesGoForward: the time of the namespace never goes back.
 * </ul>
 */
final class Books {
  static final Optional<ChainTable> TABLE =
      Optional.of(
          new ChainTable(
              new ChainTableId(1), 1, List.of(new ChainId(1), new ChainId(2), new ChainId(3))));

  private final World world;
  private final long toleratedSilenceNanos;
  private final boolean forgetsReplies;
  private final boolean collectsAtOnce;
  private final MemoryView state = new MemoryView();
  private final ModelNamespace model = new ModelNamespace(new PosixModel());
  private final WrittenBytes written = new WrittenBytes(model::mayWrite);
  private @Nullable SimMember counter;
  private final List<NamespaceReply> replies = new ArrayList<>();
  private final Map<Key, Decided> decided = new HashMap<>();
  private final Map<Key, Long> operationOf = new HashMap<>();
  private final Map<Long, Integer> effects = new HashMap<>();
  private final Map<Long, List<Renewal>> renewals = new HashMap<>();
  private final Set<Long> collected = new TreeSet<>();
  private final Set<Read> reads = new HashSet<>();
  private final ArrayDeque<PosixModel> states = new ArrayDeque<>();
  private long firstState;
  private long told;
  private long clockNanos;

  /** A request as a client knows it. */
  private record Key(long client, long sequence) {}

  private record Renewal(long sentNanos, long answeredNanos) {}

  private record Decided(int index, SimMember by, NamespaceReply reply) {}

  /** A read under way. */
  static final class Read {
    private final long from;

    private Read(long from) {
      this.from = from;
    }
  }

  /**
   * @param toleratedSilenceNanos a client that was answered a renewal it sent so long ago, or less,
   *     is alive for everybody
   */
  Books(World world, long toleratedSilenceNanos, Optional<PlantedBug> bug) {
    this.world = world;
    this.toleratedSilenceNanos = toleratedSilenceNanos;
    this.forgetsReplies = bug.filter(PlantedBug.FORGET_REPLIES::equals).isPresent();
    this.collectsAtOnce = bug.filter(PlantedBug.COLLECT_AT_ONCE::equals).isPresent();
    format(state);
    model.model().root.id = 1;
    states.add(model.model().copy());
  }

  /** What every member begins with. */
  static void format(MemoryView view) {
    var staged = new Staged(view);
    Namespace.format(staged, 1);
    staged.copyTo(view);
  }

  /** What lies past the ends of files. */
  WrittenBytes written() {
    return written;
  }

  /** For how long a client may believe in its sessions after it sent a renewal, by its clock. */
  long toleratedSilenceNanos(double driftMax) {
    return (long) (toleratedSilenceNanos * (1 - driftMax));
  }

  ModelNamespace model() {
    return model;
  }

  int decidedCount() {
    return replies.size();
  }

  /** Applies an entry to a state, as every member does. */
  NamespaceReply apply(Command command, MemoryView view) {
    var staged = new Staged(view);
    NamespaceReply reply = NamespaceReply.getDefaultInstance();
    switch (command.getCommandCase()) {
      case NAMESPACE -> reply = apply(command.getNamespace(), command.getNowNanos(), staged);
      case EXPIRE_CLIENTS ->
          Namespace.expire(
              command.getExpireClients().getClientsList(), command.getNowNanos(), staged);
      case COUNT_USAGE -> Namespace.countUsage(command.getCountUsage(), staged);
      case COMMAND_NOT_SET -> {}
      default -> throw new IllegalArgumentException("not of the namespace: " + command);
    }
    staged.copyTo(view);
    return reply;
  }

  private NamespaceReply apply(NamespaceRequest request, long nowNanos, Staged staged) {
    if (collectsAtOnce && request.hasTakeGarbage()) {
      TakeGarbage.Builder any = request.getTakeGarbage().toBuilder().clearUntilNanos();
      return Namespace.apply(
          request.toBuilder().setTakeGarbage(any).build(), nowNanos, TABLE, staged);
    }
    if (forgetsReplies) {
      NamespaceRequest unnumbered = request.toBuilder().setSequence(0).build();
      return Namespace.apply(unnumbered, nowNanos, TABLE, staged).toBuilder()
          .setSequence(request.getSequence())
          .build();
    }
    return Namespace.apply(request, nowNanos, TABLE, staged);
  }

  /** A client gives a request a sequence; all that it sends for one operation have its number. */
  void sent(long operation, long client, long sequence) {
    operationOf.put(new Key(client, sequence), operation);
  }

  // The log.

  /** The next entry of the log is this, by that member, which wished it then. */
  void decided(Command command, SimMember by, long wishedNanos) {
    UsageState usage = Tree.reading(state).usageState();
    NamespaceReply reply = apply(command, state);
    int index = replies.size();
    replies.add(reply);
    switch (command.getCommandCase()) {
      case NAMESPACE -> changed(command.getNamespace(), usage, reply, index, by);
      case COUNT_USAGE -> counted(usage, by);
      case EXPIRE_CLIENTS ->
          command
              .getExpireClients()
              .getClientsList()
              .forEach(client -> expired(client, wishedNanos));
      default -> {}
    }
    states.add(model.model().copy());
    long oldest = reads.stream().mapToLong(read -> read.from).min().orElse(told);
    while (firstState < Math.min(oldest, told)) {
      states.remove();
      firstState++;
    }
  }

  private void counted(UsageState before, SimMember by) {
    if (before == UsageState.USAGE_STATE_COUNTING) {
      if (counter != null && counter != by) {
        world.met(Probe.COUNTED_BY_ANOTHER_LEADER);
      }
      counter = isLeftToCount() ? by : null;
    }
  }

  boolean isLeftToCount() {
    return Namespace.isLeftToCount(state);
  }

  private void changed(
      NamespaceRequest request, UsageState usage, NamespaceReply reply, int index, SimMember by) {
    var key = new Key(request.getClientId(), request.getSequence());
    Decided first = decided.get(key);
    if (first != null) {
      again(request, first, reply, by);
      return;
    }
    if (reply.getCode() == ErrorCode.CHUNK_BUSY.number()) {
      busy(request, reply);
      return;
    }
    decided.put(key, new Decided(index, by, reply));
    if (reply.getCode() == ErrorCode.CANCELLED.number()) {
      return;
    }
    model.model().at(world.nowNanos());
    meet(request);
    meetKept(request, reply);
    meetLateLength(request);
    meetNaming(request, reply);
    ModelNamespace.Expected expected = expected(request, usage, reply);
    model.done(request, expected, reply);
    String differs = ModelNamespace.difference(model.model(), expected, reply);
    if (!differs.isEmpty()) {
      throw new RuleBroken("AsPosix", request + "gives " + differs);
    }
    forward(Tree.reading(state).counters().getNowNanos());
    for (Inode inode : reply.getGarbage().getInodesList()) {
      taken(inode.getId());
      collected.add(inode.getId());
    }
    if (reply.getCode() == ErrorCode.OK.number()) {
      long operation = operationOf.getOrDefault(key, 0L);
      if (effects.merge(operation, 1, Integer::sum) > 1) {
        throw new RuleBroken("DoneOnce", "under another sequence: " + request);
      }
    }
  }

  /** It is asked again with the same sequence. */
  private void busy(NamespaceRequest request, NamespaceReply reply) {
    world.met(Probe.WAITED_FOR_CUT);
    model.model().mind(PosixModel.Minding.NOTHING);
    String differs = ModelNamespace.difference(model.model(), model.apply(request), reply);
    if (!differs.isEmpty()) {
      throw new RuleBroken("AsPosix", request + "gives " + differs);
    }
    forward(Tree.reading(state).counters().getNowNanos());
  }

  private void taken(long inode) {
    Node node =
        model
            .garbage(inode)
            .orElseThrow(() ->
                new RuleBroken("RemovedFilesStay", "taken, but named or open: inode=" + inode));
    long ageNanos = world.nowNanos() - node.removedNanos;
    if (!node.taken && ageNanos < UserOperations.GARBAGE_AGE_NANOS) {
      throw new RuleBroken(
          "RemovedFilesStay", "taken " + ageNanos + " ns after it was removed: inode=" + inode);
    }
    node.taken = true;
  }

  /** What the model gives; it minds quotas as far as usage was known when it was asked. */
  private ModelNamespace.Expected expected(
      NamespaceRequest request, UsageState usage, NamespaceReply reply) {
    boolean refused = reply.getCode() == ErrorCode.QUOTA_EXCEEDED.number();
    boolean counting = usage == UsageState.USAGE_STATE_COUNTING;
    boolean whole = usage == UsageState.USAGE_STATE_WHOLE;
    meetQuota(request, refused, counting);
    model
        .model()
        .mind(
            whole
                ? PosixModel.Minding.EXACTLY
                : counting && refused ? PosixModel.Minding.EXCEEDED : PosixModel.Minding.NOTHING);
    if (request.hasRename() && !refused) {
      meetMovedTree(request.getRename());
    }
    ModelNamespace.Expected expected = model.apply(request);
    if (whole
        && !request.hasRemoveQuota()
        && Tree.reading(state).usageState() == UsageState.USAGE_STATE_CLEARING) {
      world.met(Probe.QUOTA_REMOVED_WITH_DIRECTORY);
    }
    return expected;
  }

  private void meetQuota(NamespaceRequest request, boolean refused, boolean counting) {
    if (refused) {
      world.met(Probe.QUOTA_MET);
      if (request.hasPublishLength() || request.hasClose()) {
        world.met(Probe.LENGTH_OVER_QUOTA);
      }
      if (request.hasRename()) {
        world.met(Probe.RENAME_OVER_QUOTA);
      }
    } else if (counting) {
      world.met(Probe.CHANGED_WHILE_COUNTED);
      if (PosixModel.directories(model.model().root).stream().anyMatch(PosixModel::isExceeded)) {
        world.met(Probe.LET_IN_WHILE_COUNTED);
      }
    }
  }

  private void meetMovedTree(Rename asked) {
    PosixModel tree = model.model();
    try {
      PosixModel.Spot from = tree.spot(asked.getFrom().getPath().toStringUtf8(), false);
      PosixModel.Spot to = tree.spot(asked.getTo().getPath().toStringUtf8(), false);
      if (!from.existing().entries.isEmpty()
          && !tree.limited(from.parent()).equals(tree.limited(to.parent()))) {
        world.met(Probe.TREE_MOVED_UNDER_QUOTAS);
      }
    } catch (PosixModel.No no) {
      world.met("refused: " + no.code);
    }
  }

  private void again(NamespaceRequest request, Decided first, NamespaceReply reply, SimMember by) {
    if (!reply.equals(first.reply()) && reply.getCode() != ErrorCode.CANCELLED.number()) {
      throw new RuleBroken("DoneOnce", request + "first " + first.reply() + "then " + reply);
    }
    world.met(first.by() == by ? Probe.CHANGE_SENT_AGAIN : Probe.CHANGE_SENT_AGAIN_TO_NEW_LEADER);
  }

  private void meet(NamespaceRequest request) {
    PosixModel tree = model.model();
    try {
      switch (request.getOperationCase()) {
        case UNLINK -> {
          Node node =
              tree.spot(request.getUnlink().getAt().getPath().toStringUtf8(), false).existing();
          if (node.sessions > 0 && tree.links(node) == 1) {
            world.met(Probe.OPEN_FILE_REMOVED);
          }
        }
        case REMOVE_TREE -> {
          Node node =
              tree.spot(request.getRemoveTree().getAt().getPath().toStringUtf8(), false).existing();
          if (!node.entries.isEmpty()) {
            world.met(Probe.TREE_REMOVED);
          }
        }
        default -> {}
      }
    } catch (PosixModel.No no) {
      world.met("refused: " + no.code);
    }
  }

  private void meetKept(NamespaceRequest request, NamespaceReply reply) {
    if (request.getOpen().getKeep()) {
      model
          .garbage(request.getOpen().getAt().getInode())
          .ifPresent(node -> {
            if (node.taken) {
              world.met(Probe.READER_TOO_LATE);
            } else if (reply.getInode().getNlink() == 0) {
              world.met(Probe.REMOVED_FILE_KEPT);
            } else {
              world.met(Probe.KEPT_IN_REMOVED_TREE);
            }
          });
    }
  }

  private void meetLateLength(NamespaceRequest request) {
    long generation =
        request.hasClose()
            ? request.getClose().getTruncateGeneration()
            : request.getPublishLength().getTruncateGeneration();
    if (request.getClose().hasLength() || request.hasPublishLength()) {
      long inode =
          request.hasClose()
              ? request.getClose().getInode()
              : request.getPublishLength().getInode();
      model
          .openFile(inode)
          .filter(node -> node.generation > generation)
          .ifPresent(_ -> world.met(Probe.LATE_LENGTH_IGNORED));
    }
  }

  private void meetNaming(NamespaceRequest request, NamespaceReply reply) {
    if (request.getClose().hasName()) {
      switch (ErrorCode.ofNumber(reply.getCode())) {
        case OK -> {
          String path = request.getClose().getName().getPath().toStringUtf8();
          world.met(
              model.model().spot(path, false).node() == null
                  ? Probe.NAMED_WHEN_CLOSED
                  : Probe.NAMED_IN_PLACE_OF_ANOTHER);
        }
        case BAD_SESSION -> world.met("named too late");
        default -> world.met(Probe.NAMING_REFUSED);
      }
    }
  }

  private void forward(long nanos) {
    if (nanos < clockNanos) {
      throw new RuleBroken("TimesGoForward", nanos + " after " + clockNanos);
    }
    clockNanos = Math.max(clockNanos, nanos);
  }

  private void expired(long client, long wishedNanos) {
    renewals.getOrDefault(client, List.of()).stream()
        .filter(renewal -> renewal.answeredNanos() <= wishedNanos)
        .mapToLong(renewal -> wishedNanos - renewal.sentNanos())
        .min()
        .ifPresent(silence -> {
          if (silence <= toleratedSilenceNanos) {
            throw new RuleBroken(
                "LiveClientsKeepSessions",
                "client=" + client + " had renewed " + silence / 1_000_000 + " ms before");
          }
        });
    if (model.expire(client) > 0) {
      world.met(Probe.CLIENT_EXPIRED);
    }
  }

  // Members and clients.

  /** A member made this of an entry. */
  void applied(SimMember member, int index, NamespaceReply reply) {
    if (!reply.equals(replies.get(index))) {
      throw new RuleBroken(
          "MembersAgree",
          member + " index=" + index + " says " + reply + "others say " + replies.get(index));
    }
  }

  /** A client got the answer to a change. */
  void answered(NamespaceRequest request, NamespaceReply reply) {
    Decided first = decided.get(new Key(request.getClientId(), request.getSequence()));
    if (first == null || !first.reply().equals(reply)) {
      throw new RuleBroken(
          "AnsweredIsDecided",
          request
              + "was answered "
              + reply
              + (first == null ? "and is not in the log" : "the log has " + first.reply()));
    }
    told = Math.max(told, first.index() + 1L);
  }

  /** A renewal that was sent then was answered. */
  void renewed(long client, long sentNanos) {
    renewals
        .computeIfAbsent(client, _ -> new ArrayList<>())
        .add(new Renewal(sentNanos, world.nowNanos()));
  }

  Read readBegins() {
    var read = new Read(told);
    reads.add(read);
    return read;
  }

  void readEnds(Read read, NamespaceRequest request, NamespaceReply reply) {
    reads.remove(read);
    long index = firstState;
    var seen = new ArrayList<String>();
    long changes = firstState + states.size() - 1 - read.from;
    for (PosixModel each : states) {
      if (index >= read.from) {
        String differs = ModelNamespace.difference(each, request, reply);
        if (differs.isEmpty()) {
          told = Math.max(told, index);
          if (changes > 0) {
            world.met(Probe.READ_DURING_CHANGE);
          }
          return;
        }
        seen.add(differs);
      }
      index++;
    }
    throw new RuleBroken(
        "ReadsAreLinearizable", request + "states " + read.from + " to " + index + ": " + seen);
  }

  void readFails(Read read) {
    reads.remove(read);
  }

  // The end.

  boolean garbageLeft() {
    boolean[] left = {false};
    state.scan(
        Family.GARBAGE,
        new byte[0],
        null,
        (_, _) -> {
          left[0] = true;
          return false;
        });
    return left[0];
  }

  /**
   * All is quiet: every member has the same, it is the model's tree, and what is lost is collected.
   */
  void judge(List<SimMember> members) {
    for (SimMember member : members) {
      if (!member.state().isSame(state)) {
        throw new RuleBroken("MembersAgree", member + " ends with another state");
      }
    }
    compare(model.model().root, "/");
    compareUsage();
    var lost = new TreeSet<Long>();
    model.model().garbage.forEach(node -> lost.add(node.id));
    if (!lost.equals(collected)) {
      throw new RuleBroken("AsPosix", "garbage is " + collected + ", not " + lost);
    }
  }

  /** Every directory's usage, and every quota, is what the model counts. */
  private void compareUsage() {
    Tree tree = Tree.reading(state);
    var limited = new TreeSet<Long>();
    for (Node directory : PosixModel.directories(model.model().root)) {
      if (directory.limit != null) {
        limited.add(directory.id);
      }
      if (tree.usages().isKept()) {
        PosixModel.Sum expected = PosixModel.below(directory);
        String found =
            tree.usages()
                .records()
                .usage(directory.id)
                .map(is -> new PosixModel.Sum(is.getBytes(), is.getInodes()).toString())
                .orElse("not counted");
        if (!found.equals(expected.toString())) {
          throw new RuleBroken(
              "UsageIsExact", "inode=" + directory.id + " has " + found + ", not " + expected);
        }
      }
    }
    var quotas = new TreeSet<Long>();
    tree.usages()
        .records()
        .quotas(0, Integer.MAX_VALUE)
        .forEach(quota -> quotas.add(quota.directory()));
    if (!quotas.equals(limited) || tree.usages().isKept() == limited.isEmpty()) {
      throw new RuleBroken("UsageIsExact", "quotas of " + quotas + ", not " + limited);
    }
  }

  private void compare(Node directory, String path) {
    NamespaceRequest request =
        NamespaceRequest.newBuilder()
            .setList(luciola.grpc.v1.List.newBuilder().setAt(ModelNamespace.at(path)))
            .build();
    NamespaceReply reply = Namespace.read(request, state);
    String differs = ModelNamespace.difference(model.model(), request, reply);
    if (!differs.isEmpty()) {
      throw new RuleBroken("AsPosix", "in the end, " + path + ": " + differs);
    }
    directory.entries.forEach((name, node) -> {
      if (node.kind == PosixModel.Kind.DIRECTORY) {
        compare(node, path + name + "/");
      }
    });
  }
}

package luciola.simulation.namespace;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import luciola.protocol.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * A file system as plain objects, for user 0: what the namespace must look like from outside. It
 * keeps no link counts, parents or garbage: those are counted when asked for.
 */
final class PosixModel {
  final Node root = Node.directory();

  /** Files without name and session, whether they were taken away already or not. */
  final List<Node> garbage = new ArrayList<>();

  private long nowNanos;

  enum Kind {
    FILE,
    DIRECTORY,
    SYMLINK
  }

  /** One inode. */
  static final class Node {
    final Kind kind;
    final TreeMap<String, Node> entries = new TreeMap<>();
    String target = "";
    long length;
    long generation;
    int sessions;

    /** When the last name of a file went, or when it was made without one. */
    long removedNanos;

    /** Bytes past its end may lie there that nobody tells of. */
    boolean untold;

    /** One writer is alone with it for a while. */
    boolean held;

    /** Of a file: its permission bits. */
    int mode;

    /** Of a file: the modification time that somebody gave it; -1: that of a change. */
    long modifiedNanos = -1;

    /** A collector has it: it is not there any more. */
    boolean taken;

    /** Of a directory: its quota; nothing: none. */
    @Nullable Limit limit;

    /** Its number, once it is known; 0 before. */
    long id;

    private Node(Kind kind) {
      this.kind = kind;
    }

    static Node directory() {
      return new Node(Kind.DIRECTORY);
    }

    static Node file() {
      return new Node(Kind.FILE);
    }

    static Node symlink(String target) {
      Node node = new Node(Kind.SYMLINK);
      node.target = target;
      return node;
    }
  }

  /** What a directory may contain; negative: anything. */
  record Limit(long bytes, long inodes) {}

  /** What a directory contains, or is to contain more. */
  record Sum(long bytes, long inodes) {
    Sum plus(Sum other) {
      return new Sum(bytes + other.bytes, inodes + other.inodes);
    }

    Sum times(int factor) {
      return new Sum(factor * bytes, factor * inodes);
    }

    /** Whether a limit is exceeded by this, and if {@code more} more so than it was. */
    boolean exceeds(Limit limit, Sum added, boolean more) {
      return (limit.bytes >= 0 && bytes > limit.bytes && (!more || added.bytes > 0))
          || (limit.inodes >= 0 && inodes > limit.inodes && (!more || added.inodes > 0));
    }
  }

  /** Which quotas the model minds. */
  enum Minding {
    /** What leaves a quota exceeded, and more so than before. */
    EXACTLY,
    /** Whatever leaves a quota exceeded. */
    EXCEEDED,
    NOTHING
  }

  private Minding minding = Minding.EXACTLY;

  /** What is done from now on is done at this time. */
  void at(long nanos) {
    nowNanos = nanos;
  }

  /** Which quotas are minded from now on. */
  void mind(Minding which) {
    minding = which;
  }

  /** An operation that POSIX refuses. */
  static final class No extends RuntimeException {
    final ErrorCode code;

    No(ErrorCode code) {
      super(code.name(), null, false, false);
      this.code = code;
    }
  }

  private static void unless(boolean holds, ErrorCode code) {
    if (!holds) {
      throw new No(code);
    }
  }

  /** A directory and a name in it; the name is empty for the root. */
  record Spot(@Nullable Node directory, String name, @Nullable Node node) {
    Node existing() {
      if (node == null) {
        throw new No(ErrorCode.NOT_FOUND);
      }
      return node;
    }

    Node parent() {
      if (directory == null) {
        throw new No(ErrorCode.INVALID_ARGUMENT);
      }
      return directory;
    }
  }

  Spot spot(String path, boolean follow) {
    return spot(path, follow, new int[] {0});
  }

  private Spot spot(String path, boolean follow, int[] links) {
    Spot spot = new Spot(null, "", root);
    String[] names = path.split("/", -1);
    for (int i = 0; i < names.length; i++) {
      if (names[i].isEmpty()) {
        continue;
      }
      Node directory = spot.existing();
      unless(directory.kind == Kind.DIRECTORY, ErrorCode.NOT_A_DIRECTORY);
      Node found = directory.entries.get(names[i]);
      spot = new Spot(directory, names[i], found);
      boolean last = i == names.length - 1;
      if (found != null && found.kind == Kind.SYMLINK && (!last || follow)) {
        links[0]++;
        unless(links[0] <= 40, ErrorCode.TOO_MANY_SYMLINKS);
        // Targets in this model are absolute.
        spot = spot(found.target, true, links);
      }
    }
    return spot;
  }

  Node create(String path, boolean exclusive, boolean truncate, boolean session, int mode) {
    Spot spot = spot(path, !exclusive);
    Node node = spot.node();
    if (node != null) {
      unless(!exclusive, ErrorCode.EXISTS);
      return open(node, session, truncate);
    }
    node = Node.file();
    requireRoom(Map.of(spot.parent(), own(node)));
    spot.parent().entries.put(spot.name(), node);
    node.sessions = session ? 1 : 0;
    node.mode = mode;
    return node;
  }

  /** A file that is open for writing and gets its name when it is closed. */
  Node createUnnamed(String path, boolean noReplace, int mode) {
    requireFree(spot(path, false), noReplace);
    Node node = Node.file();
    node.sessions = 1;
    node.mode = mode;
    node.removedNanos = nowNanos;
    return node;
  }

  private static void requireFree(Spot spot, boolean noReplace) {
    Node present = spot.node();
    spot.parent();
    if (present != null) {
      unless(!noReplace, ErrorCode.EXISTS);
      unless(present.kind != Kind.DIRECTORY, ErrorCode.IS_A_DIRECTORY);
    }
  }

  /** A name that a file gets when it is closed, and what it gets with it; negative: nothing. */
  record Naming(String path, boolean noReplace, int mode, long modifiedNanos) {}

  /** Ends a session of a file without a name, which has one from then on. */
  void closeNamed(Node node, long length, long generation, Naming naming) {
    unless(links(node) == 0, ErrorCode.INVALID_ARGUMENT);
    Spot spot = spot(naming.path(), false);
    requireFree(spot, naming.noReplace());
    Node replaced = spot.node();
    boolean grows = generation == node.generation && length > node.length;
    long becomes = grows ? length : node.length;
    Sum freed = replaced == null ? new Sum(0, 0) : own(replaced);
    requireRoom(Map.of(spot.parent(), new Sum(becomes, 1).plus(freed.times(-1))));
    node.length = becomes;
    spot.parent().entries.put(spot.name(), node);
    node.mode = naming.mode() >= 0 ? naming.mode() : node.mode;
    node.modifiedNanos =
        naming.modifiedNanos() >= 0 ? naming.modifiedNanos() : grows ? -1 : node.modifiedNanos;
    node.sessions--;
    if (replaced != null) {
      unnamed(replaced);
    }
  }

  Node open(Node node, boolean write, boolean truncate) {
    unless(node.kind != Kind.DIRECTORY || !(write || truncate), ErrorCode.IS_A_DIRECTORY);
    unless(!node.held || !(write || truncate), ErrorCode.CHUNK_BUSY);
    if (truncate) {
      truncate(node, 0);
    }
    node.sessions += write ? 1 : 0;
    return node;
  }

  /** Somebody who reads a file keeps it, though its last name may have gone. */
  Node keep(Node node) {
    garbage.remove(node);
    node.sessions++;
    return node;
  }

  void truncate(Node node, long length) {
    unless(node.kind != Kind.DIRECTORY, ErrorCode.IS_A_DIRECTORY);
    unless(node.kind == Kind.FILE, ErrorCode.INVALID_ARGUMENT);
    unless(!node.held, ErrorCode.CHUNK_BUSY);
    requireRoom(places(node, new Sum(length - node.length, 0)));
    node.length = length;
    node.generation++;
    node.modifiedNanos = -1;
  }

  void grow(Node node, long length, long generation) {
    if (generation == node.generation && length > node.length) {
      requireRoom(places(node, new Sum(length - node.length, 0)));
      node.length = length;
      node.modifiedNanos = -1;
    }
  }

  void close(Node node, long length, long generation) {
    grow(node, length, generation);
    node.sessions--;
    collectIfLost(node);
  }

  Node mkdir(String path) {
    Spot spot = spot(path, false);
    unless(spot.node() == null, ErrorCode.EXISTS);
    Node made = Node.directory();
    requireRoom(Map.of(spot.parent(), own(made)));
    spot.parent().entries.put(spot.name(), made);
    return made;
  }

  Node symlink(String target, String path) {
    Spot spot = spot(path, false);
    unless(spot.node() == null, ErrorCode.EXISTS);
    Node made = Node.symlink(target);
    requireRoom(Map.of(spot.parent(), own(made)));
    spot.parent().entries.put(spot.name(), made);
    return made;
  }

  void link(Node node, String path) {
    unless(links(node) > 0, ErrorCode.NOT_FOUND);
    Spot spot = spot(path, false);
    unless(spot.node() == null, ErrorCode.EXISTS);
    unless(node.kind != Kind.DIRECTORY, ErrorCode.NOT_PERMITTED);
    requireRoom(Map.of(spot.parent(), own(node)));
    spot.parent().entries.put(spot.name(), node);
  }

  void unlink(String path) {
    Spot spot = spot(path, false);
    Node node = spot.existing();
    unless(node.kind != Kind.DIRECTORY, ErrorCode.IS_A_DIRECTORY);
    spot.parent().entries.remove(spot.name());
    unnamed(node);
  }

  void rmdir(String path) {
    Spot spot = spot(path, false);
    Node node = spot.existing();
    unless(node.kind == Kind.DIRECTORY, ErrorCode.NOT_A_DIRECTORY);
    Node parent = spot.parent();
    unless(node.entries.isEmpty(), ErrorCode.NOT_EMPTY);
    parent.entries.remove(spot.name());
  }

  void removeTree(String path) {
    Spot spot = spot(path, false);
    spot.existing();
    spot.parent().entries.remove(spot.name());
    dissolve(spot.existing());
  }

  private void dissolve(Node node) {
    List<Node> below = List.copyOf(node.entries.values());
    node.entries.clear();
    below.forEach(this::dissolve);
    unnamed(node);
  }

  void rename(String from, String to, boolean noReplace, boolean exchange) {
    Spot source = spot(from, false);
    Spot destination = spot(to, false);
    Node moved = source.existing();
    Node replaced = destination.node();
    Node sourceParent = source.parent();
    Node destinationParent = destination.parent();
    unless(!(noReplace && replaced != null), ErrorCode.EXISTS);
    unless(!exchange || replaced != null, ErrorCode.NOT_FOUND);
    if (replaced == moved) {
      return;
    }
    unless(!contains(moved, destinationParent), ErrorCode.INVALID_ARGUMENT);
    if (exchange && replaced != null) {
      unless(!contains(replaced, sourceParent), ErrorCode.INVALID_ARGUMENT);
      Sum shift = own(moved).plus(own(replaced).times(-1));
      requireRoom(added(sourceParent, shift.times(-1), destinationParent, shift));
      sourceParent.entries.put(source.name(), replaced);
      destinationParent.entries.put(destination.name(), moved);
      return;
    }
    if (replaced != null) {
      if (moved.kind == Kind.DIRECTORY) {
        unless(replaced.kind == Kind.DIRECTORY, ErrorCode.NOT_A_DIRECTORY);
        unless(replaced.entries.isEmpty(), ErrorCode.NOT_EMPTY);
      } else {
        unless(replaced.kind != Kind.DIRECTORY, ErrorCode.IS_A_DIRECTORY);
      }
    }
    Sum freed = replaced == null ? new Sum(0, 0) : own(replaced);
    requireRoom(
        added(
            sourceParent,
            own(moved).times(-1),
            destinationParent,
            own(moved).plus(freed.times(-1))));
    sourceParent.entries.remove(source.name());
    destinationParent.entries.put(destination.name(), moved);
    if (replaced != null) {
      unnamed(replaced);
    }
  }

  // Quotas: counted whenever somebody asks.

  void limit(String path, Limit asked, boolean keepsOthers) {
    Node node = spot(path, true).existing();
    unless(node.kind == Kind.DIRECTORY, ErrorCode.NOT_A_DIRECTORY);
    Limit before = node.limit;
    node.limit =
        before == null || !keepsOthers
            ? asked
            : new Limit(
                asked.bytes < 0 ? before.bytes : asked.bytes,
                asked.inodes < 0 ? before.inodes : asked.inodes);
  }

  void unlimit(String path) {
    Node node = spot(path, true).existing();
    unless(node.limit != null, ErrorCode.NOT_FOUND);
    node.limit = null;
  }

  /** Everything below a directory. */
  static Sum below(Node directory) {
    Sum sum = new Sum(0, 0);
    for (Node node : directory.entries.values()) {
      sum = sum.plus(own(node));
    }
    return sum;
  }

  /** A name with everything below it. */
  private static Sum own(Node node) {
    return switch (node.kind) {
      case FILE -> new Sum(node.length, 1);
      case SYMLINK -> new Sum(node.target.length(), 1);
      case DIRECTORY -> below(node).plus(new Sum(0, 1));
    };
  }

  private static Map<Node, Sum> added(Node one, Sum toOne, Node other, Sum toOther) {
    return one == other ? Map.of(one, toOne.plus(toOther)) : Map.of(one, toOne, other, toOther);
  }

  /** So much for every name of a file, by directory. */
  private Map<Node, Sum> places(Node file, Sum each) {
    var places = new IdentityHashMap<Node, Sum>();
    directories(root)
        .forEach(directory ->
            directory.entries.values().stream()
                .filter(node -> node == file)
                .forEach(_ -> places.merge(directory, each, Sum::plus)));
    return places;
  }

  /** A directory and all directories below it. */
  static List<Node> directories(Node top) {
    var all = new ArrayList<>(List.of(top));
    for (Node node : top.entries.values()) {
      if (node.kind == Kind.DIRECTORY) {
        all.addAll(directories(node));
      }
    }
    return all;
  }

  /** The directories with quotas in which something is, itself perhaps; innermost first. */
  List<Node> limited(Node directory) {
    return directories(root).reversed().stream()
        .filter(each -> each.limit != null && contains(each, directory))
        .sorted((one, other) -> contains(one, other) ? 1 : -1)
        .toList();
  }

  private void requireRoom(Map<Node, Sum> added) {
    for (Node directory : directories(root)) {
      Limit limit = directory.limit;
      if (limit != null && minding != Minding.NOTHING) {
        Sum more =
            added.entrySet().stream()
                .filter(each -> contains(directory, each.getKey()))
                .map(Map.Entry::getValue)
                .reduce(new Sum(0, 0), Sum::plus);
        unless(
            !below(directory).plus(more).exceeds(limit, more, minding == Minding.EXACTLY),
            ErrorCode.QUOTA_EXCEEDED);
      }
    }
  }

  static boolean isExceeded(Node directory) {
    return directory.limit != null
        && below(directory).exceeds(directory.limit, new Sum(0, 0), false);
  }

  /** Where a directory is, from the root. */
  String path(Node directory) {
    return directory == root ? "/" : path(root, directory);
  }

  private static String path(Node top, Node directory) {
    for (Map.Entry<String, Node> entry : top.entries.entrySet()) {
      if (entry.getValue() == directory) {
        return "/" + entry.getKey();
      }
      String below = path(entry.getValue(), directory);
      if (!below.isEmpty()) {
        return "/" + entry.getKey() + below;
      }
    }
    return "";
  }

  private static boolean contains(Node top, Node node) {
    return top == node || top.entries.values().stream().anyMatch(below -> contains(below, node));
  }

  private void unnamed(Node node) {
    node.removedNanos = nowNanos;
    collectIfLost(node);
  }

  private void collectIfLost(Node node) {
    if (node.kind == Kind.FILE && node.sessions == 0 && links(node) == 0) {
      garbage.add(node);
    }
  }

  /** Names of a file; of a directory: its own, its dot, and its subdirectories' dot-dots. */
  int links(Node node) {
    if (node.kind == Kind.DIRECTORY) {
      return 2
          + (int)
              node.entries.values().stream().filter(below -> below.kind == Kind.DIRECTORY).count();
    }
    return countNames(root, node);
  }

  private static int countNames(Node directory, Node node) {
    int count = 0;
    for (Node below : directory.entries.values()) {
      count += below == node ? 1 : 0;
      count += countNames(below, node);
    }
    return count;
  }

  /** Inodes that exist: with a name or open. */
  int inodes(Iterable<Node> open) {
    var all = new HashSet<Node>();
    collect(root, all);
    open.forEach(all::add);
    return all.size();
  }

  /** A tree like this one, apart from it; without garbage and what has no name. */
  PosixModel copy() {
    var copy = new PosixModel();
    copy(root, copy.root, new IdentityHashMap<>());
    return copy;
  }

  private static void copy(Node from, Node to, Map<Node, Node> copied) {
    to.id = from.id;
    to.target = from.target;
    to.length = from.length;
    to.generation = from.generation;
    to.sessions = from.sessions;
    to.mode = from.mode;
    to.untold = from.untold;
    to.modifiedNanos = from.modifiedNanos;
    to.limit = from.limit;
    copied.put(from, to);
    from.entries.forEach((name, node) -> {
      Node known = copied.get(node);
      if (known == null) {
        known = new Node(node.kind);
        copy(node, known, copied);
      }
      to.entries.put(name, known);
    });
  }

  private static void collect(Node node, Set<Node> all) {
    all.add(node);
    node.entries.values().forEach(below -> collect(below, all));
  }
}

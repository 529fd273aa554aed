package luciola.meta.namespace.quota;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.RemoveQuota;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.SetQuota;
import luciola.grpc.v1.ShowQuota;
import luciola.grpc.v1.StoredUsage;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.Truncate;
import luciola.grpc.v1.Unlink;
import luciola.grpc.v1.UsageState;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Usages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;

/** A namespace with quotas in memory, and a recount of what is in it. */
final class LimitedTree {
  private static final Optional<ChainTable> TABLE =
      Optional.of(new ChainTable(new ChainTableId(1), 1, List.of(new ChainId(1))));

  final MemoryView stored = new MemoryView();
  Identity who = Identity.getDefaultInstance();

  /** Whether nothing is ever left to count. */
  boolean countsAtOnce = true;

  private long sequence;
  private long now = 1_000;

  /** What is below a directory. */
  record Sum(long bytes, long inodes) {
    Sum plus(Sum other) {
      return new Sum(bytes + other.bytes, inodes + other.inodes);
    }
  }

  LimitedTree() {
    var staged = new Staged(stored);
    Namespace.format(staged, now);
    staged.copyTo(stored);
  }

  NamespaceReply apply(NamespaceRequest.Builder request) {
    sequence++;
    now++;
    NamespaceRequest asked =
        request
            .setClientId(7)
            .setSequence(sequence)
            .setAcknowledgedSequence(sequence - 1)
            .setIdentity(who)
            .build();
    var staged = new Staged(stored);
    NamespaceReply reply = Namespace.apply(asked, now, TABLE, staged);
    staged.copyTo(stored);
    if (countsAtOnce) {
      countAll(100);
    }
    return reply;
  }

  NamespaceReply ok(NamespaceRequest.Builder request) {
    NamespaceReply reply = apply(request);
    assertEquals("", reply.getMessage());
    return reply;
  }

  /** Refused with that code; gives the message. */
  String no(ErrorCode code, NamespaceRequest.Builder request) {
    NamespaceReply reply = apply(request);
    assertEquals(code, ErrorCode.ofNumber(reply.getCode()), reply.getMessage());
    return reply.getMessage();
  }

  /** Counts some more names. */
  void step(int names) {
    var staged = new Staged(stored);
    UsageCount.step(Tree.changing(staged), names);
    staged.copyTo(stored);
  }

  void countAll(int names) {
    while (Namespace.isLeftToCount(stored)) {
      step(names);
    }
  }

  Tree tree() {
    return Tree.reading(stored);
  }

  // Requests.

  static At at(String path) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
  }

  static At at(long inode) {
    return At.newBuilder().setInode(inode).build();
  }

  static NamespaceRequest.Builder request() {
    return NamespaceRequest.newBuilder();
  }

  static NamespaceRequest.Builder mkdir(String path) {
    return request()
        .setMakeDirectory(
            MakeDirectory.newBuilder().setAt(at(path)).setMode(0777).setParents(true));
  }

  static NamespaceRequest.Builder makeFile(String path) {
    return request()
        .setCreate(Create.newBuilder().setAt(at(path)).setMode(0666).setExclusive(true));
  }

  static NamespaceRequest.Builder open(String path) {
    return request().setOpen(Open.newBuilder().setAt(at(path)).setWrite(true));
  }

  static NamespaceRequest.Builder close(NamespaceReply opened, long length) {
    return request()
        .setClose(
            Close.newBuilder()
                .setInode(opened.getInode().getId())
                .setSession(opened.getOpen().getSession())
                .setTruncateGeneration(opened.getInode().getTruncateGeneration())
                .setLength(length)
                .setModified(true));
  }

  static NamespaceRequest.Builder unnamed(String path) {
    return request()
        .setCreate(
            Create.newBuilder()
                .setAt(at(path))
                .setMode(0644)
                .setOpenForWrite(true)
                .setUnnamed(true));
  }

  static NamespaceRequest.Builder closeAs(NamespaceReply opened, String path, long length) {
    NamespaceRequest.Builder request = close(opened, length);
    request.getCloseBuilder().setName(at(path));
    return request;
  }

  static NamespaceRequest.Builder truncate(long inode, long length) {
    return request().setTruncate(Truncate.newBuilder().setInode(inode).setLength(length));
  }

  static NamespaceRequest.Builder rename(String from, String to) {
    return request().setRename(Rename.newBuilder().setFrom(at(from)).setTo(at(to)));
  }

  static NamespaceRequest.Builder exchange(String from, String to) {
    return request()
        .setRename(Rename.newBuilder().setFrom(at(from)).setTo(at(to)).setExchange(true));
  }

  static NamespaceRequest.Builder link(long inode, String path) {
    return request().setMakeLink(MakeLink.newBuilder().setInode(inode).setAt(at(path)));
  }

  static NamespaceRequest.Builder unlink(String path) {
    return request().setUnlink(Unlink.newBuilder().setAt(at(path)));
  }

  static NamespaceRequest.Builder removeTree(String path) {
    return request().setRemoveTree(RemoveTree.newBuilder().setAt(at(path)));
  }

  static NamespaceRequest.Builder takeGarbage(int limit) {
    return request().setTakeGarbage(TakeGarbage.newBuilder().setLimit(limit));
  }

  static NamespaceRequest.Builder bytes(String path, long bytes) {
    return request().setSetQuota(SetQuota.newBuilder().setAt(at(path)).setBytes(bytes));
  }

  static NamespaceRequest.Builder inodes(String path, long inodes) {
    return request().setSetQuota(SetQuota.newBuilder().setAt(at(path)).setInodes(inodes));
  }

  static NamespaceRequest.Builder unlimited(String path) {
    return request().setRemoveQuota(RemoveQuota.newBuilder().setAt(at(path)));
  }

  /** A file of a length. */
  long file(String path, long length) {
    long inode = ok(makeFile(path)).getInode().getId();
    if (length > 0) {
      ok(truncate(inode, length));
    }
    return inode;
  }

  List<Quota> show(String path) {
    NamespaceReply reply =
        Namespace.read(
            request().setIdentity(who).setShowQuota(ShowQuota.newBuilder().setAt(at(path))).build(),
            stored);
    assertEquals("", reply.getMessage());
    return reply.getQuotas().getQuotasList();
  }

  // The recount.

  private static Sum of(Inode inode) {
    return new Sum(inode.getType() == InodeType.INODE_TYPE_DIRECTORY ? 0 : inode.getLength(), 1);
  }

  /** What is really below each directory that can be reached. */
  Map<Long, Sum> recount() {
    var sums = new HashMap<Long, Sum>();
    recount(Tree.ROOT, sums);
    return sums;
  }

  private Sum recount(long directory, Map<Long, Sum> sums) {
    Sum sum = new Sum(0, 0);
    for (Tree.Name name : tree().names(directory, ByteString.EMPTY, Integer.MAX_VALUE)) {
      Inode inode = tree().namedInode(name.inode());
      sum = sum.plus(of(inode));
      if (inode.getType() == InodeType.INODE_TYPE_DIRECTORY) {
        sum = sum.plus(recount(inode.getId(), sums));
      }
    }
    sums.put(directory, sum);
    return sum;
  }

  /** Every record is the sum of the names that it counts; and of all, when all is counted. */
  void check(String what) {
    Map<Long, Sum> real = recount();
    UsageState state = tree().usageState();
    for (Map.Entry<Long, Sum> entry : real.entrySet()) {
      Optional<StoredUsage> usage = tree().usages().records().usage(entry.getKey());
      if (!tree().usages().isKept()) {
        continue;
      }
      String where = what + " directory=" + entry.getKey() + " state=" + state;
      if (state == UsageState.USAGE_STATE_WHOLE) {
        assertEquals(Optional.of(false), usage.map(StoredUsage::getCounting), where);
        assertEquals(
            entry.getValue(),
            usage.map(is -> new Sum(is.getBytes(), is.getInodes())).orElseThrow(),
            where);
      }
      usage.ifPresent(is ->
          assertEquals(counted(entry.getKey(), is), new Sum(is.getBytes(), is.getInodes()), where));
    }
    assertEquals(places(), countedPlaces(real.keySet()), what);
  }

  private Sum counted(long directory, StoredUsage usage) {
    Sum sum = new Sum(0, 0);
    for (Tree.Name name : tree().names(directory, ByteString.EMPTY, Integer.MAX_VALUE)) {
      Inode inode = tree().namedInode(name.inode());
      if (inode.getType() != InodeType.INODE_TYPE_DIRECTORY) {
        sum = Usages.counts(usage, name.name()) ? sum.plus(of(inode)) : sum;
        continue;
      }
      Optional<StoredUsage> own =
          tree()
              .usages()
              .records()
              .usage(name.inode())
              .filter(is -> Usages.isCountedAs(is, directory, name.name()));
      assertEquals(Usages.counts(usage, name.name()), own.isPresent(), "name=" + name);
      if (own.isPresent()) {
        sum = sum.plus(of(inode)).plus(new Sum(own.get().getBytes(), own.get().getInodes()));
      }
    }
    return sum;
  }

  /** What is stored of names of files in directories that can be reached, or were counted. */
  private Map<String, Integer> places() {
    var places = new HashMap<String, Integer>();
    if (tree().usages().isKept()) {
      tree()
          .usages()
          .records()
          .places(
              0,
              (inode, place) -> {
                if (tree().usages().records().usage(place.directory()).isPresent()
                    && isReached(place.directory())) {
                  places.put(inode + "@" + place.directory(), place.names());
                }
                return true;
              });
    }
    return places;
  }

  private boolean isReached(long directory) {
    return recount().containsKey(directory);
  }

  private Map<String, Integer> countedPlaces(Iterable<Long> directories) {
    var places = new HashMap<String, Integer>();
    for (long directory : directories) {
      Optional<StoredUsage> usage = tree().usages().records().usage(directory);
      if (tree().usages().isKept() && usage.isPresent()) {
        for (Tree.Name name : tree().names(directory, ByteString.EMPTY, Integer.MAX_VALUE)) {
          if (name.type() != InodeType.INODE_TYPE_DIRECTORY
              && Usages.counts(usage.get(), name.name())) {
            places.merge(name.inode() + "@" + directory, 1, Integer::sum);
          }
        }
      }
    }
    return places;
  }
}

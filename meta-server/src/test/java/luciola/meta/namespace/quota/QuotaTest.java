package luciola.meta.namespace.quota;

import static luciola.meta.namespace.quota.LimitedTree.at;
import static luciola.meta.namespace.quota.LimitedTree.bytes;
import static luciola.meta.namespace.quota.LimitedTree.close;
import static luciola.meta.namespace.quota.LimitedTree.closeAs;
import static luciola.meta.namespace.quota.LimitedTree.exchange;
import static luciola.meta.namespace.quota.LimitedTree.inodes;
import static luciola.meta.namespace.quota.LimitedTree.link;
import static luciola.meta.namespace.quota.LimitedTree.makeFile;
import static luciola.meta.namespace.quota.LimitedTree.mkdir;
import static luciola.meta.namespace.quota.LimitedTree.open;
import static luciola.meta.namespace.quota.LimitedTree.removeTree;
import static luciola.meta.namespace.quota.LimitedTree.rename;
import static luciola.meta.namespace.quota.LimitedTree.request;
import static luciola.meta.namespace.quota.LimitedTree.takeGarbage;
import static luciola.meta.namespace.quota.LimitedTree.truncate;
import static luciola.meta.namespace.quota.LimitedTree.unlimited;
import static luciola.meta.namespace.quota.LimitedTree.unlink;
import static luciola.meta.namespace.quota.LimitedTree.unnamed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.ListQuotas;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.PublishLength;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.SetQuota;
import luciola.grpc.v1.StatFs;
import luciola.grpc.v1.UsageState;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.Usages;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;

class QuotaTest {
  private static final int NAMES = 1_500;

  private final LimitedTree t = new LimitedTree();

  private static List<String> paths(List<Quota> quotas) {
    return quotas.stream().map(quota -> quota.getPath().toStringUtf8()).toList();
  }

  private void used(String path, long bytes, long inodes) {
    Quota quota = t.show(path).getFirst();
    assertEquals(
        List.of(bytes, inodes), List.of(quota.getUsedBytes(), quota.getUsedInodes()), path);
    t.check(path);
  }

  @Test
  void namesBeyondTheLimitAreRefusedAndSayWhichQuota() {
    t.ok(mkdir("/sets/a"));
    t.ok(inodes("/sets/a", 2));
    t.ok(makeFile("/sets/a/1"));
    t.ok(mkdir("/sets/a/2"));
    assertEquals(
        "create: quota exceeded: directory=/sets/a limitInodes=2 usedInodes=2 more=1",
        t.no(ErrorCode.QUOTA_EXCEEDED, makeFile("/sets/a/2/3")));
    t.no(ErrorCode.QUOTA_EXCEEDED, mkdir("/sets/a/3/4/5"));
    t.no(ErrorCode.QUOTA_EXCEEDED, link(inode("/sets/a/1"), "/sets/a/x"));
    used("/sets/a", 0, 2);
    t.ok(unlink("/sets/a/1"));
    t.ok(makeFile("/sets/a/2/3"));
    t.ok(makeFile("/sets/3"));
    used("/sets/a/2/3", 0, 2);
  }

  private long inode(String path) {
    return Namespace.read(
            request().setLookup(luciola.grpc.v1.Lookup.newBuilder().setAt(at(path))).build(),
            t.stored)
        .getInode()
        .getId();
  }

  @Test
  void lengthsBeyondTheLimitAreRefusedWhenTheyAreReported() {
    t.ok(mkdir("/a"));
    t.ok(bytes("/a", 1_000));
    long inode = t.file("/a/f", 400);
    NamespaceReply opened = t.ok(open("/a/f"));
    assertEquals(600, opened.getInode().getBytesLeft());
    PublishLength.Builder publish =
        PublishLength.newBuilder()
            .setInode(inode)
            .setSession(opened.getOpen().getSession())
            .setTruncateGeneration(opened.getInode().getTruncateGeneration());
    assertEquals(
        50, t.ok(request().setPublishLength(publish.setLength(950))).getInode().getBytesLeft());
    assertEquals(
        "publish_length: quota exceeded: directory=/a limitBytes=1000 usedBytes=950 more=51",
        t.no(ErrorCode.QUOTA_EXCEEDED, request().setPublishLength(publish.setLength(1_001))));
    t.no(ErrorCode.QUOTA_EXCEEDED, truncate(inode, 1_001));
    t.no(ErrorCode.QUOTA_EXCEEDED, close(opened, 1_001));
    used("/a", 950, 1);
    // The session is still there, and ends without the length.
    t.ok(
        request()
            .setClose(
                Close.newBuilder().setInode(inode).setSession(opened.getOpen().getSession())));
    t.ok(truncate(inode, 1_000));
    used("/a", 1_000, 1);
    t.ok(truncate(inode, 10));
    used("/a", 10, 1);
  }

  @Test
  void everyEnclosingQuotaCounts() {
    t.ok(mkdir("/a/b/c"));
    t.ok(bytes("/a", 100));
    t.ok(bytes("/a/b/c", 1_000));
    long inode = t.file("/a/b/c/f", 60);
    assertEquals(List.of("/a/b/c", "/a"), paths(t.show("/a/b/c/f")));
    assertEquals(List.of("/a"), paths(t.show("/a/b")));
    assertEquals(List.of(), paths(t.show("/")));
    assertTrue(t.no(ErrorCode.QUOTA_EXCEEDED, truncate(inode, 101)).contains("directory=/a "));
    assertEquals(40, t.ok(open("/a/b/c/f")).getInode().getBytesLeft());
    Quota tightest =
        Namespace.read(request().setStatFs(StatFs.newBuilder().setAt(at(inode))).build(), t.stored)
            .getStatFs()
            .getQuota();
    assertEquals("/a", tightest.getPath().toStringUtf8());
    assertEquals(60, tightest.getUsedBytes());
    t.ok(unlimited("/a"));
    t.ok(truncate(inode, 1_000));
    t.no(ErrorCode.QUOTA_EXCEEDED, truncate(inode, 1_001));
  }

  @Test
  void renamesAreChargedToWhereTheyGo() {
    t.ok(mkdir("/full"));
    t.ok(mkdir("/free/tree/deep"));
    t.file("/free/tree/deep/f", 70);
    t.file("/free/tree/g", 40);
    t.ok(bytes("/full", 100));
    assertTrue(
        t.no(ErrorCode.QUOTA_EXCEEDED, rename("/free/tree", "/full/tree")).contains("more=110"));
    t.ok(rename("/free/tree/deep", "/full/deep"));
    used("/full", 70, 2);
    t.no(ErrorCode.QUOTA_EXCEEDED, rename("/free/tree/g", "/full/g"));
    // What it replaces makes room.
    t.ok(rename("/free/tree/g", "/full/deep/f"));
    used("/full", 40, 2);
    t.file("/free/tree/h", 100);
    t.no(ErrorCode.QUOTA_EXCEEDED, rename("/free/tree/h", "/full/h"));
    t.ok(exchange("/free/tree", "/full/deep"));
    used("/full", 100, 2);
    t.ok(rename("/full/deep", "/free/back"));
    used("/full", 0, 0);
  }

  @Test
  void insideAnExceededQuotaEverythingStaysPossibleThatAddsNothing() {
    t.ok(mkdir("/a/x"));
    t.ok(mkdir("/a/y"));
    long inode = t.file("/a/x/f", 500);
    t.ok(bytes("/a", 100));
    t.ok(inodes("/a", 1));
    t.ok(rename("/a/x/f", "/a/y/g"));
    t.ok(rename("/a/y", "/a/x/y"));
    t.ok(truncate(inode, 400));
    t.no(ErrorCode.QUOTA_EXCEEDED, truncate(inode, 401));
    t.no(ErrorCode.QUOTA_EXCEEDED, makeFile("/a/more"));
    used("/a", 400, 3);
    t.ok(unlink("/a/x/y/g"));
    used("/a", 0, 2);
  }

  @Test
  void everyNameOfAFileCounts() {
    t.ok(mkdir("/a"));
    t.ok(mkdir("/b"));
    t.ok(bytes("/a", 100));
    t.ok(bytes("/b", 100));
    long inode = t.file("/a/f", 40);
    t.ok(link(inode, "/a/g"));
    t.ok(link(inode, "/b/f"));
    used("/a", 80, 2);
    used("/b", 40, 1);
    t.no(ErrorCode.QUOTA_EXCEEDED, link(inode, "/a/h"));
    assertEquals(10, t.ok(open("/b/f")).getInode().getBytesLeft());
    t.no(ErrorCode.QUOTA_EXCEEDED, truncate(inode, 51));
    t.ok(truncate(inode, 50));
    used("/a", 100, 2);
    t.ok(unlink("/a/f"));
    used("/a", 50, 1);
    used("/b", 50, 1);
  }

  @Test
  void aFileCannotHaveNamesInTooManyDirectories() {
    long inode = t.file("/f", 0);
    t.ok(inodes("/", 1_000_000));
    for (int i = 1; i < Usages.PLACES_MAX; i++) {
      t.ok(mkdir("/" + i));
      t.ok(link(inode, "/" + i + "/f"));
    }
    t.ok(mkdir("/one-more"));
    t.no(ErrorCode.TOO_MANY_LINKS, link(inode, "/one-more/f"));
  }

  @Test
  void aRemovedTreeDoesNotCountFromThenOn() {
    t.ok(mkdir("/a/tree/sub"));
    t.ok(bytes("/a", 100));
    t.ok(inodes("/a/tree/sub", 10));
    long inode = t.file("/a/tree/sub/f", 90);
    NamespaceReply opened = t.ok(open("/a/tree/sub/f"));
    t.ok(removeTree("/a/tree"));
    used("/a", 0, 0);
    // Who has a file of it open may write on; nobody is charged.
    t.ok(close(opened, 5_000));
    t.file("/a/new", 100);
    while (inode(inode)) {
      t.ok(takeGarbage(2));
      t.check("garbage");
    }
    t.ok(takeGarbage(2));
    used("/a", 100, 1);
    assertEquals(1, t.tree().counters().getQuotas());
  }

  private boolean inode(long inode) {
    return t.tree().inode(inode).isPresent();
  }

  @Test
  void anOpenFileWithoutANameDoesNotCount() {
    t.ok(mkdir("/a"));
    t.ok(bytes("/a", 100));
    t.file("/a/f", 100);
    NamespaceReply opened = t.ok(open("/a/f"));
    t.ok(unlink("/a/f"));
    t.file("/a/g", 100);
    assertFalse(opened.getInode().getBytesLeft() > 0);
    t.ok(close(opened, 1_000));
    used("/a", 100, 1);
  }

  @Test
  void aFileCountsWhenItGetsItsName() {
    t.ok(mkdir("/a"));
    t.ok(bytes("/a", 100));
    t.file("/a/old", 90);
    NamespaceReply made = t.ok(unnamed("/a/f"));
    used("/a", 90, 1);
    t.no(ErrorCode.QUOTA_EXCEEDED, closeAs(made, "/a/f", 20));
    used("/a", 90, 1);
    t.ok(closeAs(made, "/a/old", 95));
    used("/a", 95, 1);
    t.check("named");
  }

  @Test
  void onlyUser0SetsRemovesAndListsQuotas() {
    t.ok(mkdir("/a"));
    t.ok(bytes("/a", 100));
    t.who = Identity.newBuilder().setUid(1000).build();
    t.no(ErrorCode.NOT_PERMITTED, bytes("/a", 1_000));
    t.no(ErrorCode.NOT_PERMITTED, unlimited("/a"));
    NamespaceRequest list = request().setListQuotas(ListQuotas.getDefaultInstance()).build();
    assertEquals(
        ErrorCode.NOT_PERMITTED.number(),
        Namespace.read(list.toBuilder().setIdentity(t.who).build(), t.stored).getCode());
    assertEquals(List.of("/a"), paths(t.show("/a")));
    assertEquals(List.of("/a"), paths(Namespace.read(list, t.stored).getQuotas().getQuotasList()));
  }

  @Test
  void limitsAreSetOneByOneAndTakenAway() {
    t.ok(mkdir("/a"));
    t.file("/f", 1);
    t.no(ErrorCode.NOT_A_DIRECTORY, bytes("/f", 1));
    t.no(ErrorCode.NOT_FOUND, bytes("/b", 1));
    t.no(ErrorCode.NOT_FOUND, unlimited("/a"));
    t.no(ErrorCode.INVALID_ARGUMENT, bytes("/a", -1));
    t.no(ErrorCode.INVALID_ARGUMENT, request().setSetQuota(SetQuota.newBuilder().setAt(at("/a"))));
    t.ok(bytes("/a", 100));
    t.ok(inodes("/a", 0));
    t.no(ErrorCode.QUOTA_EXCEEDED, makeFile("/a/f"));
    t.ok(request().setSetQuota(SetQuota.newBuilder().setAt(at("/a")).setUnlimitedInodes(true)));
    long inode = t.file("/a/f", 100);
    t.no(ErrorCode.QUOTA_EXCEEDED, truncate(inode, 101));
    t.ok(rename("/a", "/renamed"));
    assertEquals(List.of("/renamed"), paths(t.show("/renamed/f")));
  }

  @Test
  void withTheLastQuotaEverythingThatWasCountedGoes() {
    t.ok(mkdir("/a/b"));
    for (int i = 0; i < 50; i++) {
      t.file("/a/b/" + i, 1);
    }
    t.ok(bytes("/a", 100));
    t.ok(bytes("/a/b", 100));
    t.countsAtOnce = false;
    t.ok(unlimited("/a"));
    assertEquals(UsageState.USAGE_STATE_WHOLE, t.tree().usageState());
    t.ok(removeTree("/a/b"));
    t.ok(takeGarbage(100));
    t.countAll(7);
    assertEquals(UsageState.USAGE_STATE_NONE, t.tree().usageState());
    var keys = new ArrayList<byte[]>();
    t.stored.scan(Family.QUOTA, new byte[0], null, (key, _) -> keys.add(key));
    assertEquals(0, keys.size());
  }

  @Test
  void aQuotaThatIsSetWhileTheOldCountIsRemovedCountsAnew() {
    t.ok(mkdir("/a"));
    for (int i = 0; i < NAMES; i++) {
      t.file("/a/" + i, 1);
    }
    t.ok(bytes("/a", 100_000));
    t.countAll(100);
    used("/a", NAMES, NAMES);
    t.countsAtOnce = false;
    t.ok(unlimited("/a"));
    t.step(200);
    assertEquals(UsageState.USAGE_STATE_CLEARING, t.tree().usageState());
    t.ok(makeFile("/a/more"));
    t.ok(bytes("/a", 50));
    assertTrue(t.show("/a").getFirst().getCounting());
    t.countAll(100);
    used("/a", NAMES, NAMES + 1);
    t.no(ErrorCode.QUOTA_EXCEEDED, truncate(inode("/a/more"), 1));
  }

  @Test
  void isExactAfterRandomChangesWhateverIsCounted() {
    for (int seed = 1; seed <= 300; seed++) {
      new RandomChanges(seed).run();
    }
  }

  /** Random changes of few names, with quotas set and removed and steps of counting among them. */
  private static final class RandomChanges {
    private final LimitedTree t = new LimitedTree();
    private final Random random;
    private final String what;
    private final List<NamespaceReply> opened = new ArrayList<>();
    private final List<Long> seen = new ArrayList<>();

    RandomChanges(int seed) {
      this.random = new Random(seed);
      this.what = "seed=" + seed;
    }

    void run() {
      t.countsAtOnce = false;
      for (int i = 0; i < 120; i++) {
        NamespaceRequest.Builder request = draw();
        NamespaceReply reply = t.apply(request);
        if (reply.getCode() == 0) {
          if (reply.getOpen().getSession() != 0) {
            opened.add(reply);
          }
          if (reply.getInode().getId() > 1) {
            seen.add(reply.getInode().getId());
          }
        }
        t.check(what + " step=" + i + " " + request);
        if (random.nextInt(4) == 0) {
          t.step(1 + random.nextInt(4));
          t.check(what + " step=" + i + " counted");
        }
      }
      t.countAll(3);
      t.check(what + " end");
    }

    private String path() {
      return random
          .ints(1 + random.nextInt(4), 0, 3)
          .mapToObj(i -> "/" + (char) ('a' + i))
          .collect(Collectors.joining());
    }

    private long any() {
      return seen.isEmpty() ? 1 : seen.get(random.nextInt(seen.size()));
    }

    private NamespaceRequest.Builder draw() {
      return switch (random.nextInt(16)) {
        case 0, 1 -> makeFile(path());
        case 2, 3 -> mkdir(path());
        case 4 -> link(any(), path());
        case 5 -> unlink(path());
        case 6 -> request().setRemoveDirectory(RemoveDirectory.newBuilder().setAt(at(path())));
        case 7 -> random.nextInt(3) == 0 ? removeTree(path()) : takeGarbage(1 + random.nextInt(5));
        case 8, 9 -> rename(path(), path());
        case 10 -> exchange(path(), path());
        case 11 -> truncate(any(), random.nextInt(1_000));
        case 12 ->
            opened.isEmpty() || random.nextBoolean()
                ? open(path())
                : close(opened.removeFirst(), random.nextInt(1_000));
        case 13 -> bytes(path(), random.nextInt(3_000));
        case 14 -> inodes(random.nextInt(5) == 0 ? "/" : path(), random.nextInt(12));
        default -> random.nextBoolean() ? unlimited(path()) : makeFile(path());
      };
    }
  }
}

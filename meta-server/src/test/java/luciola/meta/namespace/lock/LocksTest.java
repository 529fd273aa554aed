package luciola.meta.namespace.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import luciola.grpc.v1.At;
import luciola.grpc.v1.AwaitLock;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.LockKind;
import luciola.grpc.v1.LockResult;
import luciola.grpc.v1.LockType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.ReleaseLocks;
import luciola.grpc.v1.RenewSessions;
import luciola.grpc.v1.SetLock;
import luciola.grpc.v1.TakeGarbage;
import luciola.grpc.v1.TestLock;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.routing.ChainTable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocksTest {
  private static final long ANN = 11;
  private static final long BOB = 12;
  private static final long END = Long.MAX_VALUE;

  private final MemoryView stored = new MemoryView();
  private final Map<Long, Long> sequences = new HashMap<>();
  private long now = 1_000;
  private long file;

  @BeforeEach
  void format() {
    var staged = new Staged(stored);
    Namespace.format(staged, now);
    staged.copyTo(stored);
    file = made("f", 0644);
  }

  private long made(String name, int mode) {
    return apply(
            ANN,
            NamespaceRequest.newBuilder()
                .setCreate(Create.newBuilder().setAt(at(name)).setMode(mode)))
        .getInode()
        .getId();
  }

  private static At at(String name) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(name)).build();
  }

  private NamespaceReply apply(long client, NamespaceRequest.Builder request) {
    long sequence = sequences.merge(client, 1L, Long::sum);
    return apply(request.setClientId(client).setSequence(sequence).build());
  }

  private NamespaceReply apply(NamespaceRequest request) {
    var staged = new Staged(stored);
    now += 10;
    var table = new ChainTable(new ChainTableId(1), 1, List.of(new ChainId(1)));
    NamespaceReply reply = Namespace.apply(request, now, Optional.of(table), staged);
    staged.copyTo(stored);
    return reply;
  }

  private FileLock.Builder range(long owner, LockType type, long first, long last) {
    return FileLock.newBuilder()
        .setInode(file)
        .setOwner(owner)
        .setType(type)
        .setFirst(first)
        .setLast(last);
  }

  private FileLock.Builder whole(long owner, LockType type) {
    return FileLock.newBuilder()
        .setInode(file)
        .setKind(LockKind.LOCK_KIND_FILE)
        .setOwner(owner)
        .setType(type);
  }

  private NamespaceReply reply(long client, FileLock.Builder lock) {
    return apply(
        client, NamespaceRequest.newBuilder().setSetLock(SetLock.newBuilder().setLock(lock)));
  }

  private LockResult set(long client, FileLock.Builder lock) {
    NamespaceReply reply = reply(client, lock);
    assertEquals(0, reply.getCode(), reply.getMessage());
    return reply.getLock();
  }

  private boolean has(long client, FileLock.Builder lock) {
    return set(client, lock).getGranted();
  }

  private void expire(Long... clients) {
    var staged = new Staged(stored);
    Namespace.expire(List.of(clients), now, staged);
    staged.copyTo(stored);
  }

  private long session(long client) {
    return Namespace.read(
            NamespaceRequest.newBuilder()
                .setClientId(client)
                .setRenewSessions(RenewSessions.getDefaultInstance())
                .build(),
            stored)
        .getSessions()
        .getLockSession();
  }

  private List<FileLock> held() {
    return Tree.reading(stored).locks().all();
  }

  /** Each byte with its owners, against what a file's bytes would say. */
  private static final class Bytes {
    static final int COUNT = 40;
    private final Map<Long, LockType[]> owners = new HashMap<>();

    private LockType[] of(long owner) {
      return owners.computeIfAbsent(
          owner,
          _ -> {
            var none = new LockType[COUNT];
            Arrays.fill(none, LockType.LOCK_TYPE_NONE);
            return none;
          });
    }

    boolean set(long owner, LockType type, int first, int last) {
      if (type != LockType.LOCK_TYPE_NONE) {
        for (Map.Entry<Long, LockType[]> other : owners.entrySet()) {
          for (int i = first; other.getKey() != owner && i <= last; i++) {
            LockType there = other.getValue()[i];
            if (there == LockType.LOCK_TYPE_EXCLUSIVE
                || (there == LockType.LOCK_TYPE_SHARED && type == LockType.LOCK_TYPE_EXCLUSIVE)) {
              return false;
            }
          }
        }
      }
      Arrays.fill(of(owner), first, last + 1, type);
      return true;
    }
  }

  private static long number(long client, long owner) {
    return client * 100 + owner;
  }

  /** The last of the model's bytes stands for all bytes to the end there can be. */
  private static long last(int index) {
    return index == Bytes.COUNT - 1 ? END : index;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void rangesAreLockedAsBytesOneByOneWouldBe(long seed) {
    var random = new Random(seed);
    var model = new Bytes();
    int granted = 0;
    for (int step = 0; step < 1500; step++) {
      long client = 1L + random.nextInt(3);
      long owner = random.nextInt(2);
      int a = random.nextInt(Bytes.COUNT);
      int b = Math.min(Bytes.COUNT - 1, a + random.nextInt(random.nextInt(8) == 0 ? 40 : 6));
      LockType type = LockType.forNumber(random.nextInt(3));
      if (random.nextInt(200) == 0) {
        expire(client);
        sequences.remove(client);
        model.set(number(client, 0), LockType.LOCK_TYPE_NONE, 0, Bytes.COUNT - 1);
        model.set(number(client, 1), LockType.LOCK_TYPE_NONE, 0, Bytes.COUNT - 1);
        assertEquals(0, session(client));
      }
      boolean expected = model.set(number(client, owner), type, a, b);
      LockResult result = set(client, range(owner, type, a, last(b)));
      assertEquals(expected, result.getGranted(), "step " + step);
      assertNotEquals(expected, result.hasConflict());
      granted += expected ? 1 : 0;
      compare(model);
    }
    assertTrue(granted > 300 && granted < 1400, "granted " + granted);
  }

  private void compare(Bytes model) {
    var found = new Bytes();
    FileLock before = FileLock.getDefaultInstance();
    for (FileLock lock : held()) {
      long owner = number(lock.getClient(), lock.getOwner());
      LockType[] bytes = found.of(owner);
      int last = (int) Math.min(lock.getLast(), Bytes.COUNT - 1);
      for (int i = (int) lock.getFirst(); i <= last; i++) {
        assertEquals(LockType.LOCK_TYPE_NONE, bytes[i], "overlap of one owner");
        bytes[i] = lock.getType();
      }
      assertFalse(
          LockRules.sameOwner(before, lock)
              && before.getType() == lock.getType()
              && before.getLast() + 1 == lock.getFirst(),
          "neighbours are one");
      before = lock;
    }
    model.owners.forEach((owner, bytes) -> assertTrue(Arrays.equals(bytes, found.of(owner))));
  }

  @Test
  void wholeFileLocksAndRangesDoNotKnowOfEachOther() {
    assertTrue(has(ANN, whole(1, LockType.LOCK_TYPE_EXCLUSIVE)));
    assertTrue(has(BOB, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, END)));
    assertFalse(has(BOB, whole(1, LockType.LOCK_TYPE_SHARED)));
    assertFalse(has(ANN, range(1, LockType.LOCK_TYPE_SHARED, 7, 7)));
  }

  @Test
  void aWholeFilesLockThatCannotBeRaisedIsGivenUp() {
    assertTrue(has(ANN, whole(1, LockType.LOCK_TYPE_SHARED)));
    assertTrue(has(BOB, whole(1, LockType.LOCK_TYPE_SHARED)));
    assertFalse(has(ANN, whole(1, LockType.LOCK_TYPE_EXCLUSIVE)));
    assertTrue(has(BOB, whole(1, LockType.LOCK_TYPE_EXCLUSIVE)));
  }

  @Test
  void aRangesLockThatCannotBeRaisedStays() {
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_SHARED, 0, 9)));
    assertTrue(has(BOB, range(1, LockType.LOCK_TYPE_SHARED, 0, 9)));
    assertFalse(has(ANN, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, 9)));
    assertFalse(has(BOB, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, 9)));
    assertEquals(2, held().size());
  }

  @Test
  void aRepeatedRequestGetsTheReplyOfItsFirstTime() {
    NamespaceRequest request =
        NamespaceRequest.newBuilder()
            .setClientId(ANN)
            .setSequence(900)
            .setSetLock(SetLock.newBuilder().setLock(range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, 9)))
            .build();
    NamespaceReply first = apply(request);
    sequences.put(ANN, 901L);
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_NONE, 0, END)));
    assertTrue(has(BOB, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 5, 5)));
    assertEquals(first, apply(request));
    assertEquals(1, held().size());
  }

  @Test
  void theLocksOfAClientEndWithItsLeaseAndItLearnsOfIt() {
    long first = set(ANN, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, 9)).getSession();
    assertEquals(first, set(ANN, whole(2, LockType.LOCK_TYPE_EXCLUSIVE)).getSession());
    assertEquals(first, session(ANN));
    long bobs = set(BOB, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 20, 29)).getSession();
    assertNotEquals(first, bobs);
    expire(ANN);
    sequences.remove(ANN);
    assertEquals(0, session(ANN));
    assertEquals(bobs, session(BOB));
    assertEquals(1, held().size());
    assertTrue(has(BOB, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, 9)));
    assertTrue(set(ANN, range(1, LockType.LOCK_TYPE_SHARED, 50, 59)).getSession() > bobs);
  }

  @Test
  void locksGoWithTheirFileAndWhenAllAreGivenUp() {
    long other = made("g", 0644);
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_SHARED, 0, 9)));
    assertTrue(has(ANN, whole(2, LockType.LOCK_TYPE_SHARED).setInode(other)));
    assertTrue(has(BOB, whole(2, LockType.LOCK_TYPE_SHARED).setInode(other)));
    apply(ANN, NamespaceRequest.newBuilder().setUnlink(Unlink.newBuilder().setAt(at("f"))));
    assertEquals(3, held().size());
    apply(BOB, NamespaceRequest.newBuilder().setTakeGarbage(TakeGarbage.getDefaultInstance()));
    assertEquals(2, held().size());
    apply(
        ANN,
        NamespaceRequest.newBuilder().setReleaseLocks(ReleaseLocks.newBuilder().setInode(other)));
    assertEquals(List.of(BOB), held().stream().map(FileLock::getClient).toList());
    assertEquals(
        ErrorCode.NOT_FOUND.number(),
        reply(ANN, range(1, LockType.LOCK_TYPE_SHARED, 0, 9)).getCode());
  }

  @Test
  void whatIsInTheWayIsTold() {
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_SHARED, 10, 19).setPid(4711)));
    NamespaceReply told =
        Namespace.read(
            NamespaceRequest.newBuilder()
                .setClientId(BOB)
                .setTestLock(
                    TestLock.newBuilder().setLock(range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, END)))
                .build(),
            stored);
    assertFalse(told.getLock().getGranted());
    FileLock conflict = told.getLock().getConflict();
    assertEquals(
        range(1, LockType.LOCK_TYPE_SHARED, 10, 19).setPid(4711).setClient(ANN).build(), conflict);
  }

  @Test
  void wrongOnesAreRefused() {
    assertEquals(
        ErrorCode.INVALID_ARGUMENT.number(),
        reply(ANN, range(1, LockType.LOCK_TYPE_SHARED, 9, 8)).getCode());
    assertEquals(
        ErrorCode.INVALID_ARGUMENT.number(),
        reply(ANN, range(1, LockType.LOCK_TYPE_SHARED, -1, 8)).getCode());
    assertEquals(
        ErrorCode.INVALID_ARGUMENT.number(),
        reply(ANN, range(1, LockType.LOCK_TYPE_SHARED, 0, 8).setInode(Tree.ROOT)).getCode());
    file = made("secret", 0600);
    NamespaceRequest.Builder stranger =
        NamespaceRequest.newBuilder()
            .setIdentity(Identity.newBuilder().setUid(1000).setGid(1000))
            .setSetLock(SetLock.newBuilder().setLock(whole(1, LockType.LOCK_TYPE_SHARED)));
    assertEquals(ErrorCode.PERMISSION_DENIED.number(), apply(BOB, stranger).getCode());
    assertTrue(held().isEmpty());
  }

  @Test
  void aFileHasSoManyLocksAndNoMore() {
    for (int i = 0; i < LockChange.LOCKS_MAX; i++) {
      assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_SHARED, 2L * i, 2L * i)));
    }
    assertEquals(
        ErrorCode.NO_LOCKS.number(),
        reply(BOB, range(1, LockType.LOCK_TYPE_SHARED, 5, 5)).getCode());
    assertEquals(LockChange.LOCKS_MAX, held().size());
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_SHARED, 0, END)));
    assertEquals(1, held().size());
  }

  // Waiting.

  private final LockWaits waits = new LockWaits(10, 4);

  private long wait(long client, FileLock.Builder lock) {
    long wait = waits.begin(client, lock.build(), 0);
    assertNotEquals(0, wait);
    waits.requireEnd(wait, Tree.reading(stored));
    return wait;
  }

  @Test
  void whoWaitsLongestIsToldFirst() {
    assertTrue(has(ANN, whole(1, LockType.LOCK_TYPE_EXCLUSIVE)));
    long reader = wait(BOB, whole(1, LockType.LOCK_TYPE_SHARED));
    long writer = wait(BOB, whole(2, LockType.LOCK_TYPE_EXCLUSIVE));
    long other = wait(99, whole(1, LockType.LOCK_TYPE_SHARED));
    assertEquals(List.of(), waits.freed(file, Tree.reading(stored)));
    assertTrue(has(ANN, whole(1, LockType.LOCK_TYPE_NONE)));
    assertEquals(List.of(reader, other), waits.freed(file, Tree.reading(stored)));
    waits.end(reader);
    assertEquals(List.of(writer), waits.freed(file, Tree.reading(stored)));
    waits.end(writer);
    assertEquals(List.of(other), waits.freed(Tree.reading(stored)));
  }

  @Test
  void whoAsksAgainSoonKeepsItsPlace() {
    FileLock.Builder one = whole(1, LockType.LOCK_TYPE_EXCLUSIVE);
    long first = wait(BOB, one);
    long second = wait(99, whole(1, LockType.LOCK_TYPE_EXCLUSIVE));
    waits.pause(first, 1_000);
    assertEquals(List.of(second), waits.freed(file, Tree.reading(stored)));
    assertEquals(first, waits.begin(BOB, one.build(), 1_000_001_000));
    assertEquals(List.of(first), waits.freed(file, Tree.reading(stored)));
    waits.pause(first, 5_000_000_000L);
    assertNotEquals(first, waits.begin(BOB, one.build(), 8_000_000_000L));
    assertEquals(List.of(second), waits.freed(file, Tree.reading(stored)));
    waits.end(second);
    assertEquals(0, waits.find(99, whole(1, LockType.LOCK_TYPE_EXCLUSIVE).build()));
  }

  @Test
  void aWaitIsOverWhenNothingIsInItsWay() {
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, 9)));
    assertTrue(has(BOB, range(2, LockType.LOCK_TYPE_SHARED, 5, 30).setFirst(10)));
    long shared = wait(BOB, range(3, LockType.LOCK_TYPE_SHARED, 0, 30));
    long exclusive = wait(BOB, range(4, LockType.LOCK_TYPE_EXCLUSIVE, 0, 30));
    assertEquals(List.of(), waits.freed(file, Tree.reading(stored)));
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_NONE, 0, END)));
    assertEquals(List.of(shared), waits.freed(file, Tree.reading(stored)));
    assertEquals(List.of(), waits.freed(file + 1, Tree.reading(stored)));
    waits.end(shared);
    assertTrue(has(BOB, range(2, LockType.LOCK_TYPE_NONE, 0, END)));
    assertEquals(List.of(exclusive), waits.freed(Tree.reading(stored)));
    assertEquals(exclusive, waits.find(BOB, range(4, LockType.LOCK_TYPE_EXCLUSIVE, 0, 30).build()));
    waits.end(exclusive);
    waits.end(exclusive);
    assertTrue(waits.isEmpty());
  }

  @Test
  void ownersThatWouldWaitForEachOtherAreRefused() {
    assertTrue(has(ANN, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 0, 0)));
    assertTrue(has(BOB, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 1, 1)));
    assertTrue(has(BOB, range(2, LockType.LOCK_TYPE_EXCLUSIVE, 2, 2)));
    long first = wait(ANN, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 1, 1));
    long second = wait(BOB, range(1, LockType.LOCK_TYPE_EXCLUSIVE, 2, 2));
    var refusal =
        assertThrows(Refusal.class, () -> wait(BOB, range(2, LockType.LOCK_TYPE_SHARED, 0, 0)));
    assertEquals(ErrorCode.DEADLOCK, refusal.code());
    waits.end(3);
    // Another owner is in no circle, nor is anybody once one of the circle does not wait.
    long third = wait(BOB, range(3, LockType.LOCK_TYPE_SHARED, 0, 0));
    waits.end(third);
    waits.end(first);
    long last = wait(BOB, range(2, LockType.LOCK_TYPE_SHARED, 0, 0));
    waits.end(second);
    waits.end(last);
    assertTrue(waits.isEmpty());
  }

  @Test
  void whoHasALockIsToldWhenOthersWaitForIt() {
    FileLock.Builder mine = whole(1, LockType.LOCK_TYPE_EXCLUSIVE);
    assertTrue(has(ANN, mine));
    long watch = waits.watch(ANN, mine.build());
    assertFalse(waits.isWanted(watch));
    long own = wait(ANN, whole(2, LockType.LOCK_TYPE_EXCLUSIVE));
    long elsewhere = wait(BOB, whole(2, LockType.LOCK_TYPE_EXCLUSIVE).setInode(file + 1));
    assertFalse(waits.isWanted(watch));
    assertEquals(List.of(), waits.disturbed(own));
    assertEquals(List.of(), waits.disturbed(elsewhere));
    long wait = wait(BOB, whole(2, LockType.LOCK_TYPE_EXCLUSIVE));
    assertEquals(List.of(watch), waits.disturbed(wait));
    assertTrue(waits.isWanted(watch));
    waits.end(wait);
    assertFalse(waits.isWanted(watch));
    List.of(own, elsewhere, watch).forEach(waits::end);
    assertTrue(waits.isEmpty());
    for (int i = 0; i < 4; i++) {
      assertNotEquals(0, waits.watch(ANN, mine.build()));
    }
    assertEquals(0, waits.watch(ANN, mine.build()));
  }

  @Test
  void onlySoManyWait() {
    assertTrue(has(ANN, whole(1, LockType.LOCK_TYPE_EXCLUSIVE)));
    for (int i = 0; i < 4; i++) {
      wait(BOB, whole(i, LockType.LOCK_TYPE_SHARED));
    }
    assertEquals(0, waits.begin(BOB, whole(5, LockType.LOCK_TYPE_SHARED).build(), 0));
    for (int i = 0; i < 6; i++) {
      wait(20 + i, whole(i, LockType.LOCK_TYPE_SHARED));
    }
    assertEquals(0, waits.begin(99, whole(5, LockType.LOCK_TYPE_SHARED).build(), 0));
  }

  @Test
  void askingAndWaitingChangeNothing() {
    assertFalse(
        Namespace.isChange(
            NamespaceRequest.newBuilder().setAwaitLock(AwaitLock.getDefaultInstance()).build()));
    assertTrue(
        Namespace.isChange(
            NamespaceRequest.newBuilder().setSetLock(SetLock.getDefaultInstance()).build()));
  }
}

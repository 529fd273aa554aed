package luciola.protocol.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import org.junit.jupiter.api.Test;

/** Tries to pass the gate of a storage-server's connection. */
class TicketGateTest {
  private static final long CALLER = 77;
  private static final long USER = 5;
  private static final long FILE = 1001;
  private static final ChainId CHAIN = new ChainId(3);
  private static final ChainVersion VERSION = new ChainVersion(1);
  private static final TargetId TARGET = new TargetId(9);

  private long now = 1_000_000;
  private TicketKeys keys = keys(1, 2);
  private final TicketGate gate = new TicketGate(() -> keys, () -> now);

  private static Secret secret(int fill) {
    byte[] bytes = new byte[Secret.BYTES];
    Arrays.fill(bytes, (byte) fill);
    return Secret.of(bytes);
  }

  private static TicketKeys keys(int... numbers) {
    var keys = new java.util.TreeMap<Integer, TicketKeys.Key>();
    for (int number : numbers) {
      keys.put(number, new TicketKeys.Key(secret(number), 0));
    }
    return new TicketKeys(keys);
  }

  private SealedTicket pass(int rights, long caller, long user) {
    return keys.seal(new Ticket(Ticket.Kind.PASS, rights, caller, user, 0, now + 60), now);
  }

  private SealedTicket capability(int rights, long inode) {
    return keys.seal(
        new Ticket(Ticket.Kind.CAPABILITY, rights, CALLER, USER, inode, now + 60), now);
  }

  private static Hello hello() {
    return new Hello(new ClusterId(1), Hello.PROTOCOL_VERSION, CALLER);
  }

  private void greetAsUser() {
    assertEquals(ErrorCode.OK, gate.admit(hello(), List.of(pass(0, CALLER, USER))));
    assertEquals(USER, gate.user());
  }

  private static ReadRequest read(long... inodes) {
    return new ReadRequest(
        Arrays.stream(inodes)
            .mapToObj(inode ->
                new ReadRequest.Range(
                    CHAIN, VERSION, TARGET, new ChunkId(new InodeId(inode), 0), 0, 4096))
            .toList());
  }

  private static UpdateRequest remove(long inode) {
    return new UpdateRequest(
        CHAIN,
        VERSION,
        TARGET,
        new ChunkId(new InodeId(inode), 0),
        new UpdateTag(new ClientId(CALLER), 1, 1),
        new Update.Remove(),
        new int[0]);
  }

  private static ChunkListRequest list(long inode) {
    return new ChunkListRequest(CHAIN, VERSION, TARGET, new InodeId(inode), 0, 10);
  }

  private static List<Request> ofServers() {
    return List.of(
        new SyncStartRequest(CHAIN, VERSION, TARGET, TARGET),
        new VersionRequest(CHAIN, VERSION, TARGET, List.of(new ChunkId(new InodeId(FILE), 0))));
  }

  @Test
  void nobodyIsGreetedWithoutAGoodPass() {
    assertEquals(ErrorCode.UNAUTHENTICATED, gate.admit(hello(), List.of()));
    assertEquals(
        ErrorCode.UNAUTHENTICATED, gate.admit(hello(), List.of(pass(0, CALLER + 1, USER))));
    assertEquals(
        ErrorCode.UNAUTHENTICATED,
        gate.admit(hello(), List.of(capability(Ticket.READ | Ticket.SERVER, FILE))));
    assertEquals(
        ErrorCode.UNAUTHENTICATED,
        gate.admit(hello(), List.of(pass(0, CALLER, USER), pass(0, CALLER, USER))));
    SealedTicket early = pass(0, CALLER, USER);
    now += 60;
    assertEquals(ErrorCode.UNAUTHENTICATED, gate.admit(hello(), List.of(early)));
    greetAsUser();
  }

  @Test
  void aFlippedBitAnywhereIsAForgery() {
    byte[] genuine = pass(Ticket.SERVER, CALLER, 0).bytes();
    for (int bit = 0; bit < genuine.length * 8; bit++) {
      byte[] forged = genuine.clone();
      forged[bit / 8] ^= (byte) (1 << bit % 8);
      TicketKeys.Opened opened = keys.open(SealedTicket.of(forged));
      assertTrue(opened.ticket().isEmpty(), "bit " + bit);
    }
    assertEquals(ErrorCode.OK, gate.admit(hello(), List.of(SealedTicket.of(genuine))));
  }

  @Test
  void aGuessedChunkIsNotReadWrittenOrListed() {
    greetAsUser();
    for (Request request : List.of(read(FILE), remove(FILE), list(FILE))) {
      assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(request, List.of()));
      SealedTicket other = capability(Ticket.READ | Ticket.WRITE, FILE + 1);
      assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(request, List.of(other)));
      assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(request, List.of(pass(0, CALLER, USER))));
      // Nor beside one that may be read.
      for (long inode : new long[] {1, FILE + 1, Long.MAX_VALUE}) {
        assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(read(inode), List.of()));
        assertEquals(
            ErrorCode.NOT_PERMITTED,
            gate.admit(read(inode, FILE), List.of(capability(Ticket.READ, FILE))));
      }
    }
  }

  @Test
  void aCapabilityIsForItsInodeAndRightOnly() {
    greetAsUser();
    List<SealedTicket> reading = List.of(capability(Ticket.READ, FILE));
    List<SealedTicket> writing = List.of(capability(Ticket.WRITE, FILE));
    assertEquals(ErrorCode.OK, gate.admit(read(FILE, FILE), reading));
    assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(read(FILE), writing));
    assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(remove(FILE), reading));
    assertEquals(ErrorCode.OK, gate.admit(remove(FILE), writing));
    assertEquals(ErrorCode.OK, gate.admit(list(FILE), reading));
    assertEquals(ErrorCode.OK, gate.admit(list(FILE), writing));
    assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(read(FILE, FILE + 1), reading));
    assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(read(FILE + 1, FILE), reading));
    List<SealedTicket> both =
        List.of(capability(Ticket.READ, FILE + 1), capability(Ticket.READ, FILE));
    assertEquals(ErrorCode.OK, gate.admit(read(FILE, FILE + 1, FILE), both));
    for (Request request : ofServers()) {
      assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(request, both));
    }
  }

  @Test
  void anothersCapabilityIsGoodForNothing() {
    greetAsUser();
    for (Ticket stolen :
        List.of(
            new Ticket(Ticket.Kind.CAPABILITY, Ticket.READ, CALLER, USER + 1, FILE, now + 60),
            new Ticket(Ticket.Kind.CAPABILITY, Ticket.READ, CALLER + 1, USER, FILE, now + 60))) {
      assertEquals(
          ErrorCode.NOT_PERMITTED, gate.admit(read(FILE), List.of(keys.seal(stolen, now))));
    }
  }

  @Test
  void anExpiredCapabilityIsRefusedThoughItIsKnown() {
    greetAsUser();
    List<SealedTicket> reading = List.of(capability(Ticket.READ, FILE));
    assertEquals(ErrorCode.OK, gate.admit(read(FILE), reading));
    now += 59;
    assertEquals(ErrorCode.OK, gate.admit(read(FILE), reading));
    now += 1;
    assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(read(FILE), reading));
  }

  @Test
  void administratorsReadAndMendEverythingButAreNoServers() {
    assertEquals(ErrorCode.OK, gate.admit(hello(), List.of(pass(Ticket.ADMIN, CALLER, USER))));
    List<SealedTicket> shown = List.of(pass(Ticket.ADMIN, CALLER, USER));
    Request inventory = new InventoryRequest(CHAIN, VERSION, TARGET, Optional.empty(), 10);
    for (Request request : List.of(read(FILE, FILE + 1), remove(FILE), list(FILE), inventory)) {
      assertEquals(ErrorCode.OK, gate.admit(request, shown));
      assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(request, List.of()), "shown each time");
    }
    for (Request request : ofServers()) {
      assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(request, shown));
    }
    now += 60;
    assertEquals(ErrorCode.NOT_PERMITTED, gate.admit(inventory, shown));
  }

  @Test
  void usersDoNotListChains() {
    greetAsUser();
    Request inventory = new InventoryRequest(CHAIN, VERSION, TARGET, Optional.empty(), 10);
    assertEquals(
        ErrorCode.NOT_PERMITTED,
        gate.admit(inventory, List.of(capability(Ticket.READ | Ticket.WRITE, FILE))));
  }

  @Test
  void serversPass() {
    assertEquals(ErrorCode.OK, gate.admit(hello(), List.of(pass(Ticket.SERVER, CALLER, 0))));
    now += 3600; // their connections live for long
    for (Request request : ofServers()) {
      assertEquals(ErrorCode.OK, gate.admit(request, List.of()));
    }
  }

  @Test
  void keysAreReplacedWithoutAPause() {
    greetAsUser();
    SealedTicket before = capability(Ticket.READ, FILE);
    keys = keys(1, 2, 3);
    assertEquals(ErrorCode.OK, gate.admit(read(FILE), List.of(before)));
    SealedTicket after = capability(Ticket.READ, FILE);
    assertEquals(ErrorCode.OK, gate.admit(read(FILE), List.of(after)));
    // A server that has not heard of the newest key yet asks for another try.
    keys = keys(1, 2);
    var late = new TicketGate(() -> keys, () -> now);
    assertEquals(ErrorCode.OK, late.admit(hello(), List.of(pass(0, CALLER, USER))));
    assertEquals(ErrorCode.NO_LEASE, late.admit(read(FILE), List.of(after)));
    // One that has forgotten the key does not.
    keys = keys(3, 4, 5);
    var later = new TicketGate(() -> keys, () -> now);
    assertEquals(ErrorCode.OK, later.admit(hello(), List.of(pass(0, CALLER, USER))));
    assertEquals(ErrorCode.UNAUTHENTICATED, later.admit(read(FILE), List.of(before)));
    keys = TicketKeys.NONE;
    assertEquals(
        ErrorCode.NO_LEASE, new TicketGate(() -> keys, () -> now).admit(hello(), List.of(before)));
  }

  @Test
  void aKeySignsWhenItHasSettled() {
    var young =
        new TicketKeys(
            Map.of(
                1,
                new TicketKeys.Key(secret(1), now - 100),
                2,
                new TicketKeys.Key(secret(2), now + 30)));
    var ticket = new Ticket(Ticket.Kind.PASS, 0, CALLER, USER, 0, now + 60);
    assertEquals(1, young.seal(ticket, now).bytes()[4]);
    assertEquals(2, young.seal(ticket, now + 30).bytes()[4]);
  }

  @Test
  void whatIsRememberedIsBounded() {
    greetAsUser();
    var many = new ArrayList<SealedTicket>();
    long[] inodes = new long[2 * TicketGate.KNOWN_MAX];
    for (int i = 0; i < inodes.length; i++) {
      inodes[i] = FILE + i;
      many.add(capability(Ticket.READ, FILE + i));
    }
    assertEquals(ErrorCode.OK, gate.admit(read(inodes), many));
    assertEquals(ErrorCode.OK, gate.admit(read(inodes), many));
  }

  /** Made by another program from the layout that the page shows. */
  @Test
  void theBytesOfATicketNeverChange() {
    var ticket =
        new Ticket(
            Ticket.Kind.CAPABILITY,
            Ticket.READ | Ticket.WRITE,
            0x1122334455667788L,
            5,
            1001,
            1_800_000_000L);
    assertEquals(
        "020300000700000088776655443322110500000000000000e90300000000000000d2496b"
            + "00000000d6cf65eae9d8406a7bcd590bf19701d080d0ff006e1df7e19fa4552e0efc8b01",
        HexFormat.of().formatHex(keys(7).seal(ticket, 0).bytes()));
  }
}

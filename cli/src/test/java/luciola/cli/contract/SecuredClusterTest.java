package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.client.AttributeChange;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.client.cluster.GarbageCollector;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.CreateTableRequest;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.access.Credential;
import luciola.protocol.access.SealedTicket;
import luciola.protocol.access.Ticket;
import luciola.protocol.access.TicketKeys;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.DataClientOptions;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.Tickets;
import luciola.protocol.connection.Tls;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.control.TestUsers;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.SyncReply;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.StorageNode;
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Files of users in a cluster that asks who one is, and attempts to get at others'. */
class SecuredClusterTest {
  private static final int SERVERS = 2;
  private static final int CHUNK_BYTES = 1 << 20;
  private static final Duration CALL = Duration.ofSeconds(20);

  @TempDir Path directory;

  final Credential.OfServers secret = new Credential.OfServers(TestUsers.secret());
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<StorageServer> servers = new ArrayList<>();
  private MetaServer meta;
  private SecuritySettings security = SecuritySettings.OFF;
  private Credential ann = secret;
  private Credential bob = secret;

  @BeforeEach
  void start() throws Exception {
    Path file = directory.resolve("secret");
    CredentialFile.write(file, secret);
    security = settings(file).withTimes(Duration.ofSeconds(3), Duration.ofSeconds(60));
    meta =
        MetaServer.start(
            MetaServerConfig.of(directory.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withSecurity(security)
                .withTimings(
                    new ClusterTimings(
                        TimeUnit.MILLISECONDS.toNanos(200),
                        TimeUnit.MILLISECONDS.toNanos(3000),
                        TimeUnit.MILLISECONDS.toNanos(4000)),
                    TimeUnit.MINUTES.toNanos(5)));
    for (int i = 0; i < SERVERS; i++) {
      servers.add(StorageServer.start(storage(i).withSecurity(security)));
    }
    try (MetaConnection admin = connection(secret)) {
      var _ = admin.createTable(CreateTableRequest.newBuilder().setReplicas(SERVERS).build());
      ann =
          TestUsers.withToken(
              admin, AccessUser.newBuilder().setName("ann").setUid(1000).setGid(1000).build());
      bob =
          TestUsers.withToken(
              admin, AccessUser.newBuilder().setName("bob").setUid(1001).setGid(1001).build());
    }
  }

  /** What the servers are told. */
  SecuritySettings settings(Path secretFile) throws Exception {
    return SecuritySettings.required(secretFile);
  }

  /** How callers reach the servers. */
  ClientAccess reach() {
    return ClientAccess.NONE;
  }

  List<String> addresses() {
    return List.of("127.0.0.1:" + meta.port());
  }

  StorageServerConfig storage(int number) {
    Path folder = directory.resolve("storage-" + number);
    return StorageServerConfig.of(
            folder.resolve("data"),
            List.of(folder.resolve("target")),
            List.of("127.0.0.1:" + meta.port()))
        .withLabels(java.util.Map.of("host", "h" + number));
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable part : open.reversed()) {
      part.close();
    }
    servers.forEach(StorageServer::close);
    meta.close();
  }

  private MetaConnection connection(Credential shown) {
    return MetaConnection.connect(
        MetaOptions.of(List.of("127.0.0.1:" + meta.port()))
            .withCallNanos(CALL.toNanos())
            .withAccess(reach().withCredential(shown)));
  }

  ClusterFileSystem as(Credential shown) {
    ClusterFileSystem files =
        ClusterFileSystem.connect(
            ClusterOptions.of(List.of("127.0.0.1:" + meta.port()))
                .withAccess(reach().withCredential(shown)));
    open.add(files);
    return files;
  }

  private static byte[] bytes(int count, int seed) {
    byte[] bytes = new byte[count];
    new java.util.Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void write(ClusterFileSystem files, String path, byte[] bytes) {
    try (WritableFile file =
        files.openWrite(path, new OpenOptions(true, true, false, 0644, CHUNK_BYTES, 0))) {
      file.write(0, MemorySegment.ofArray(bytes));
    }
  }

  private static byte[] read(ReadableFile file, int count) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(count);
      file.read(0, into).join();
      return into.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  static void assertRefused(ErrorCode code, Executable attempt) {
    Throwable failure = assertThrows(RuntimeException.class, attempt);
    while (failure instanceof CompletionException && failure.getCause() != null) {
      failure = failure.getCause();
    }
    assertEquals(code, ((LuciolaException) failure).code(), failure.toString());
  }

  @Test
  void usersHaveTheirFilesAndCapabilitiesAreRenewedWhileTheyAreOpen() {
    ClusterFileSystem files = as(ann);
    byte[] content = bytes(3 * CHUNK_BYTES + 5, 1);
    write(files, "/of-ann", content);
    assertEquals(1000, files.stat("/of-ann").uid());
    files.setAttributes("/of-ann", AttributeChange.ofMode(0600));
    assertRefused(ErrorCode.PERMISSION_DENIED, () -> as(bob).openRead("/of-ann"));
    ReadableFile reading = files.openRead("/of-ann");
    assertArrayEquals(content, read(reading, content.length));
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(7); // twice a capability's life
    while (System.nanoTime() - until < 0) {
      assertArrayEquals(content, read(reading, content.length));
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
    }
    files.remove("/of-ann");
    ClusterFileSystem operator = as(secret);
    assertEquals(0, new GarbageCollector(operator, java.time.Duration.ZERO).collect(100));
    assertArrayEquals(content, read(reading, content.length), "it stays for who has it open");
    reading.close();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (new GarbageCollector(operator, java.time.Duration.ZERO).collect(100) == 0) {
      assertTrue(System.nanoTime() - deadline < 0, "nothing collected");
    }
  }

  @Test
  void aServerThatDiedIsFilledByOthersAgain() throws Exception {
    ClusterFileSystem files = as(ann);
    byte[] content = bytes(CHUNK_BYTES, 2);
    write(files, "/before", content);
    servers.remove(1).close();
    write(files, "/while", content);
    servers.add(StorageServer.start(storage(1).withSecurity(security)));
    awaitWhole();
    servers.removeFirst().close();
    assertArrayEquals(content, read(files.openRead("/before"), content.length));
    assertArrayEquals(content, read(files.openRead("/while"), content.length));
  }

  private void awaitWhole() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    try (MetaConnection admin = connection(secret)) {
      while (!admin.status().getChainsList().stream()
          .flatMap(chain -> chain.getMembersList().stream())
          .allMatch(
              it -> it.getPublicState() == luciola.grpc.v1.PublicState.PUBLIC_STATE_SERVING)) {
        assertTrue(System.nanoTime() - deadline < 0, "never whole");
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      }
    }
  }

  /** The settings with another secret, or none. */
  private SecuritySettings asking(boolean required, Path secretFile) {
    return new SecuritySettings(
        required,
        secretFile,
        security.capabilityTime(),
        security.keyTime(),
        security.audit(),
        security.auditBytes(),
        security.auditFiles(),
        security.operationsPerSecond(),
        security.tls(),
        security.certificate(),
        security.key(),
        security.authorities(),
        security.memberCertificates(),
        security.clientAuthorities());
  }

  @Test
  void aStorageServerWithoutTheSecretOrTheSettingIsNotTaken() {
    assertRefused(ErrorCode.UNAUTHENTICATED, () -> startWith(asking(false, Path.of(""))));
    Path file = directory.resolve("another");
    CredentialFile.write(file, new Credential.OfServers(TestUsers.secret()));
    assertRefused(ErrorCode.UNAUTHENTICATED, () -> startWith(asking(true, file)));
    assertRefused(ErrorCode.INVALID_ARGUMENT, () -> startWith(asking(false, security.secret())));
  }

  private void startWith(SecuritySettings settings) throws java.io.IOException {
    StorageServer.start(storage(7).withSecurity(settings)).close();
  }

  /** What a caller may do who speaks to a storage-server itself. */
  private final class Attack implements AutoCloseable {
    private final EventLoops loops = EventLoops.start("attack", 1);
    private final ClusterFileSystem files;
    private final Chain chain;
    private final StorageNode node;
    private final ChunkId chunk;
    private List<SealedTicket> shown = List.of();

    Attack(ClusterFileSystem files, InodeId inode) {
      this.files = files;
      // Every chain has both servers; the file's two first chunks are on two of them.
      this.chain = files.routing().chains().values().iterator().next();
      this.node = files.routing().nodeOf(chain.members().getFirst().target()).orElseThrow();
      this.chunk = new ChunkId(inode, 0);
    }

    DataClient connect(long caller, SealedTicket... pass) {
      Tickets tickets = request -> request instanceof Hello ? List.of(pass) : shown;
      try {
        return DataClient.connect(
                loops,
                DataClientOptions.DEFAULTS,
                node.host(),
                node.port(),
                new Hello(files.cluster(), Hello.PROTOCOL_VERSION, caller),
                tickets,
                reach().authorities().map(Path::of).map(Tls::ofCaller).orElse(null))
            .join();
      } catch (CompletionException refused) {
        throw refused.getCause() instanceof LuciolaException known ? known : refused;
      }
    }

    ErrorCode read(DataClient client, SealedTicket... tickets) {
      shown = List.of(tickets);
      var range =
          new ReadRequest.Range(
              chain.id(), chain.version(), chain.members().getFirst().target(), chunk, 0, 1);
      return client.call(new ReadRequest(List.of(range)), ReadReply.class, CALL).join().code();
    }

    ErrorCode remove(DataClient client, SealedTicket... tickets) {
      shown = List.of(tickets);
      return client
          .call(
              new UpdateRequest(
                  chain.id(),
                  chain.version(),
                  chain.members().getFirst().target(),
                  chunk,
                  new UpdateTag(new ClientId(1), 1, 1),
                  new Update.Remove(),
                  new int[0]),
              UpdateReply.class,
              CALL)
          .join()
          .code();
    }

    ErrorCode beAServer(DataClient client) {
      var target = chain.members().getFirst().target();
      return client
          .call(
              new SyncStartRequest(chain.id(), chain.version(), target, target),
              SyncReply.class,
              CALL)
          .join()
          .code();
    }

    @Override
    public void close() {
      loops.close();
    }
  }

  private static SealedTicket only(List<SealedTicket> tickets) {
    assertEquals(1, tickets.size());
    return tickets.getFirst();
  }

  private static ReadRequest reading(InodeId inode) {
    var any =
        new ReadRequest.Range(
            new luciola.protocol.id.ChainId(1),
            new luciola.protocol.id.ChainVersion(1),
            new luciola.protocol.id.TargetId(1),
            new ChunkId(inode, 0),
            0,
            1);
    return new ReadRequest(List.of(any));
  }

  @Test
  void chunksAreNotReachedWithoutTheRightTickets() {
    ClusterFileSystem files = as(ann);
    byte[] content = bytes(2 * CHUNK_BYTES, 3);
    write(files, "/of-ann", content);
    files.setAttributes("/of-ann", AttributeChange.ofMode(0600));
    InodeId inode = files.stat("/of-ann").inode();
    ReadableFile reading = files.openRead("/of-ann");
    assertArrayEquals(content, read(reading, content.length));
    long annCaller = files.meta().client().value();
    Hello annHello = new Hello(files.cluster(), Hello.PROTOCOL_VERSION, annCaller);
    SealedTicket annRead = only(files.meta().wallet().of(reading(inode)));

    ClusterFileSystem others = as(bob);
    write(others, "/of-bob", content);
    long bobCaller = others.meta().client().value();
    SealedTicket bobPass = only(others.meta().wallet().of(annHello));
    SealedTicket bobRead = only(others.meta().wallet().of(reading(others.stat("/of-bob").inode())));
    var forged =
        new TicketKeys(java.util.Map.of(1, new TicketKeys.Key(TestUsers.secret(), 0)))
            .seal(new Ticket(Ticket.Kind.PASS, Ticket.SERVER, annCaller, 0, 0, Long.MAX_VALUE), 0);

    try (var attack = new Attack(files, inode)) {
      assertRefused(ErrorCode.UNAUTHENTICATED, () -> attack.connect(annCaller).close());
      assertRefused(ErrorCode.UNAUTHENTICATED, () -> attack.connect(annCaller, forged).close());
      assertRefused(ErrorCode.UNAUTHENTICATED, () -> attack.connect(annCaller, bobPass).close());
      assertRefused(ErrorCode.UNAUTHENTICATED, () -> attack.connect(annCaller, annRead).close());
      // Tickets are good for a few seconds only: those that are to pass are taken anew.
      SealedTicket bobNow = only(others.meta().wallet().of(annHello));
      try (DataClient eve = attack.connect(bobCaller, bobNow)) {
        assertEquals(ErrorCode.NOT_PERMITTED, attack.read(eve), "a guessed chunk");
        assertEquals(ErrorCode.NOT_PERMITTED, attack.read(eve, bobRead), "for another inode");
        assertEquals(ErrorCode.NOT_PERMITTED, attack.read(eve, annRead), "another's");
        assertEquals(ErrorCode.NOT_PERMITTED, attack.read(eve, annRead, bobRead, bobPass));
        assertEquals(ErrorCode.UNAUTHENTICATED, attack.read(eve, forged));
        assertEquals(ErrorCode.NOT_PERMITTED, attack.remove(eve, annRead, bobRead));
        assertEquals(ErrorCode.NOT_PERMITTED, attack.beAServer(eve));
      }
      SealedTicket annNow = only(files.meta().wallet().of(annHello));
      try (DataClient own = attack.connect(annCaller, annNow)) {
        SealedTicket readNow = readOnly(files, inode);
        assertEquals(ErrorCode.OK, attack.read(own, readNow));
        assertEquals(
            ErrorCode.NOT_PERMITTED, attack.remove(own, readNow), "reading is not writing");
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (attack.read(own, readNow) == ErrorCode.OK) {
          assertTrue(System.nanoTime() - deadline < 0, "never expires");
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
        assertEquals(ErrorCode.NOT_PERMITTED, attack.read(own, readNow), "expired");
      }
    }
    assertArrayEquals(content, read(reading, content.length));
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!audited("call=ReadRequest") || !audited("call=Hello")) {
      assertTrue(System.nanoTime() - deadline < 0, "denials are not written down");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
  }

  /** A capability to read only: who made the file has one for both, and shows either. */
  private static SealedTicket readOnly(ClusterFileSystem files, InodeId inode) {
    while (true) {
      files.openRead("/of-ann").close();
      SealedTicket shown = only(files.meta().wallet().of(reading(inode)));
      if (shown.claimed().rights() == Ticket.READ) {
        return shown;
      }
    }
  }

  private boolean audited(String what) {
    boolean found = false;
    for (int i = 0; i < SERVERS; i++) {
      try {
        Path file = directory.resolve("storage-" + i).resolve("data").resolve("audit.log");
        found |=
            Files.readString(file).contains("event=denied")
                && Files.readString(file).contains(what);
      } catch (java.io.IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
    return found;
  }
}

package luciola.cli.fuzz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.grpc.v1.CreateTableRequest;
import luciola.meta.log.Member;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.FrameCodec;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three meta-servers and a storage-server that ask who one is. Each kind of port is fuzzed while a
 * correct client goes on; then nothing may be broken and no more memory in use. For {@code
 * -Dluciola.fuzz.seconds=60} a minute each.
 */
class PortFuzzTest {
  static final long SECONDS = Long.getLong("luciola.fuzz.seconds", 2);
  static final long SEED = Long.getLong("luciola.fuzz.seed", 1);
  static final long KEPT_BYTES_MAX = 128L << 20;
  private static final int CONTENT_BYTES = 200_000;

  @TempDir Path directory;

  final List<Member> members = new ArrayList<>();
  private final List<MetaServer> metas = new ArrayList<>();
  private StorageServer storage;
  private ClusterFileSystem files;
  ClientAccess access = ClientAccess.NONE;

  @BeforeEach
  void start() throws Exception {
    byte[] random = new byte[Secret.BYTES];
    new SecureRandom().nextBytes(random);
    var secret = new Credential.OfServers(Secret.of(random));
    Path file = directory.resolve("secret");
    CredentialFile.write(file, secret);
    SecuritySettings security = security(file);
    access = reach().withCredential(secret);
    for (int i = 1; i <= 3; i++) {
      members.add(new Member("m" + i, "127.0.0.1", freePort(), freePort()));
    }
    for (Member member : members) {
      metas.add(
          MetaServer.start(
              MetaServerConfig.of(directory.resolve(member.id()))
                  .withAddress("127.0.0.1", member.servicePort())
                  .withMembers(member.id(), members)
                  .withSecurity(security)));
    }
    Path folder = directory.resolve("storage");
    storage =
        StorageServer.start(
            StorageServerConfig.of(
                    folder.resolve("data"), List.of(folder.resolve("target")), addresses())
                .withSecurity(security));
    try (MetaConnection admin =
        MetaConnection.connect(MetaOptions.of(addresses()).withAccess(access))) {
      var _ = admin.createTable(CreateTableRequest.newBuilder().setReplicas(1).build());
    }
    files = ClusterFileSystem.connect(ClusterOptions.of(addresses()).withAccess(access));
  }

  /** What the servers are told. */
  SecuritySettings security(Path secretFile) throws Exception {
    return SecuritySettings.required(secretFile);
  }

  /** How callers reach them. */
  ClientAccess reach() {
    return ClientAccess.NONE;
  }

  /** Fewer would have tried nothing. */
  int connectionsMin() {
    return 10;
  }

  /** Ways to a port. */
  List<Lines> lines(int port) throws Exception {
    return List.of(Lines.to(port));
  }

  private static int freePort() throws IOException {
    try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  private List<String> addresses() {
    return members.stream().map(Member::serviceAddress).toList();
  }

  @AfterEach
  void stop() {
    files.close();
    storage.close();
    metas.forEach(MetaServer::close);
  }

  @Test
  void theMetaServersPort() throws Exception {
    fuzz(members.getFirst().servicePort(), List.of(ofAMetaClient(), List.of(preface())));
  }

  @Test
  void thePortOfTheMetaServersLog() throws Exception {
    fuzz(members.getFirst().raftPort(), List.of(ofAMetaClient(), List.of(preface())));
  }

  @Test
  void theStorageServersPort() throws Exception {
    fuzz(storage.port(), List.of(ofADataClient(true), ofADataClient(false)));
  }

  static byte[] preface() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  /** What a client of the control plane sends: the start of HTTP/2, calls, a stream. */
  List<byte[]> ofAMetaClient() throws Exception {
    int leader = metas.stream().filter(MetaServer::leads).findFirst().orElseThrow().port();
    try (var recorder = new Recorder(leader);
        ClusterFileSystem recorded =
            ClusterFileSystem.connect(
                ClusterOptions.of(List.of("127.0.0.1:" + recorder.port())).withAccess(access))) {
      recorded.mkdirs("/recorded");
      var _ = recorded.list("/");
      return recorder.pieces();
    }
  }

  /** What a client of the data plane sends, with good tickets or with none. */
  private List<byte[]> ofADataClient(boolean known) {
    Chain chain = files.routing().chains().values().iterator().next();
    TargetId target = chain.members().getFirst().target();
    var chunk = new ChunkId(new InodeId(1 << 20), 0);
    var range = new ReadRequest.Range(chain.id(), chain.version(), target, chunk, 0, 4096);
    var tag = new UpdateTag(new ClientId(9), 1, 1);
    List<Request> requests =
        List.of(
            new Hello(files.cluster(), Hello.PROTOCOL_VERSION, files.meta().client().value()),
            new ReadRequest(List.of(range, range, range)),
            new UpdateRequest(
                chain.id(), chain.version(), target, chunk, tag, new Update.Remove(), new int[0]),
            new ChunkListRequest(chain.id(), chain.version(), target, chunk.inode(), 0, 100),
            new InventoryRequest(chain.id(), chain.version(), target, Optional.empty(), 100));
    var pieces = new ArrayList<byte[]>();
    for (int i = 0; i < requests.size(); i++) {
      Request request = requests.get(i);
      ByteBuffer frame =
          known
              ? FrameCodec.encode(i + 1, request, files.meta().wallet().of(request))
              : FrameCodec.encode(i + 1, request);
      byte[] bytes = new byte[frame.remaining()];
      frame.get(bytes);
      pieces.add(bytes);
    }
    return pieces;
  }

  void fuzz(int port, List<List<byte[]>> genuine) throws Exception {
    work("/before");
    long before = bytesInUse();
    var fuzzer = new PortFuzzer(lines(port), SEED, genuine);
    var ended = new AtomicBoolean();
    CompletableFuture<Integer> correct =
        CompletableFuture.supplyAsync(
            () -> {
              int done = 0;
              while (!ended.get()) {
                work("/during-" + done++);
              }
              return done;
            },
            task -> Thread.ofVirtual().start(task));
    fuzzer.run(System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS));
    ended.set(true);
    int done = correct.get(120, TimeUnit.SECONDS);
    work("/after");
    long kept = bytesInUse() - before;
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (kept >= KEPT_BYTES_MAX && System.nanoTime() - deadline < 0) {
      // Memory of connections that have ended is given back some time after a collection.
      kept = bytesInUse() - before;
    }
    System.out.println(
        "fuzz: "
            + getClass().getSimpleName()
            + " port="
            + port
            + " seed="
            + SEED
            + " "
            + fuzzer.report()
            + " correctRounds="
            + done
            + " keptBytes="
            + kept);
    assertTrue(fuzzer.connections() > connectionsMin(), fuzzer.report());
    assertTrue(done > 0, "a correct client came to nothing");
    assertTrue(kept < KEPT_BYTES_MAX, "bytes kept: " + kept);
    assertTrue(metas.stream().noneMatch(meta -> meta.broken().isDone()), "a meta-server is broken");
    while (metas.stream().filter(MetaServer::leads).count() != 1) {
      // On a starved machine members elect anew.
      assertTrue(System.nanoTime() - deadline < 0, "no leader");
      Thread.onSpinWait();
    }
  }

  /** Writes, reads and removes a file. */
  private void work(String path) {
    byte[] content = new byte[CONTENT_BYTES];
    new java.util.Random(path.hashCode()).nextBytes(content);
    try (WritableFile file = files.openWrite(path, OpenOptions.CREATE)) {
      file.write(0, content);
    }
    try (ReadableFile file = files.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(CONTENT_BYTES);
      assertEquals(CONTENT_BYTES, file.read(0, into).join());
      assertArrayEquals(content, into.toArray(ValueLayout.JAVA_BYTE));
    }
    files.remove(path);
  }

  /** Heap after a collection, and memory outside of it that Java knows of. */
  static long bytesInUse() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    return heap
        + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
  }
}

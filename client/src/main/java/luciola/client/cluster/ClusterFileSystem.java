package luciola.client.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import luciola.client.NewFile;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.client.SpaceUsage;
import luciola.client.WritableFile;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.Open;
import luciola.protocol.connection.Tls;
import luciola.protocol.control.LayoutMessages;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.RoutingFeed;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.InodeId;
import luciola.protocol.layout.FileLayout;
import luciola.protocol.routing.Routing;

/**
 * The files of a cluster. Futures of reads complete on an event loop of the data plane: what
 * follows them directly must not block there (use the {@code Async} forms, or wait).
 */
public final class ClusterFileSystem extends NamespaceFileSystem {
  private static final long TABLE_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final MetaConnection meta;
  private final RoutingFeed feed;
  private final DataPlane plane;
  private final ChunkReads reads;
  private final ChunkUpdates updates;
  private final FileCutter cutter;
  private final WriteMemory writeMemory;
  private final SessionKeeper sessions;
  private final OpenReaders readers;
  private final InodeFiles inodes;
  private final InodeLocks locks;
  private final InodeLocks ownLocks;

  /** Any thread but the caller's: whose accesses the event loops' stand for. */
  private final Thread anotherThread = Thread.ofVirtual().unstarted(() -> {});

  private ClusterFileSystem(ClusterOptions options, MetaConnection meta, RoutingFeed feed) {
    super(new Names(meta, asked(options)));
    this.meta = meta;
    this.feed = feed;
    this.plane =
        new DataPlane(
            feed,
            meta.cluster(),
            meta.client(),
            meta.wallet(),
            options.access().authorities().map(Path::of).map(Tls::ofCaller).orElse(null),
            options.limits(),
            options.zone(),
            options.ioThreads());
    this.reads =
        new ChunkReads(
            plane, options.readBytesMax(), options.batchBytesMax(), options.batchRangesMax());
    this.updates =
        new ChunkUpdates(
            plane, meta.client(), options.updatesMax(), 2 * options.limits().deadlineNanos());
    this.cutter = new FileCutter(plane, updates);
    this.writeMemory =
        new WriteMemory(options.writeBytesMax(), 2 * options.limits().deadlineNanos());
    this.sessions = new SessionKeeper(names, options.renewNanos());
    this.readers = new OpenReaders(names, sessions);
    this.inodes = new InodeFiles(this, meta);
    this.locks = new InodeLocks(inodes::call, sessions);
    this.ownLocks =
        new InodeLocks((_, request) -> names.call("lock", "by inode", request), sessions);
  }

  /**
   * Connects to the cluster of these meta-servers.
   *
   * @throws LuciolaException WRONG_CLUSTER if another one answers; CONNECTION_LOST or TIMED_OUT if
   *     none does in time
   */
  public static ClusterFileSystem connect(ClusterOptions options) {
    MetaOptions metaOptions =
        MetaOptions.of(options.metaAddresses())
            .withCallNanos(options.metaCallNanos())
            .withAccess(options.access())
            .withReadsAnywhere(options.metaReadsAnywhere());
    MetaConnection meta =
        MetaConnection.connect(options.cluster().map(metaOptions::withCluster).orElse(metaOptions));
    try {
      meta.wallet().start();
      return new ClusterFileSystem(options, meta, RoutingFeed.start(meta));
    } catch (RuntimeException e) {
      meta.close();
      throw e;
    }
  }

  /** User 0 is asked for by nobody who says who it is: such a caller is that user. */
  private static Optional<Identity> asked(ClusterOptions options) {
    return options.access().saysWho() && options.uid() == 0
        ? Optional.empty()
        : Optional.of(Identity.newBuilder().setUid(options.uid()).setGid(options.gid()).build());
  }

  /** The cluster it is connected to. */
  public ClusterId cluster() {
    return meta.cluster();
  }

  /** The connection to the meta-servers, for what is not about files. */
  public MetaConnection meta() {
    return meta;
  }

  /** Where everything is, as far as this client knows. */
  public Routing routing() {
    return feed.routing();
  }

  /** Files by their inodes. */
  public InodeFiles inodes() {
    return inodes;
  }

  /** Advisory locks on them. */
  public InodeLocks locks() {
    return locks;
  }

  /** The same, always in the name of this file system's own user, whoever is named. */
  public InodeLocks ownLocks() {
    return ownLocks;
  }

  /** What the chains hold, whatever files there are. */
  public ChainChunks chainChunks() {
    return new ChainChunks(this, plane);
  }

  Names names() {
    return names;
  }

  ChunkReads reads() {
    return reads;
  }

  ChunkUpdates updates() {
    return updates;
  }

  /** What removes bytes past the ends of files. */
  Leftovers leftovers() {
    return new Leftovers(names, cutter, sessions);
  }

  FileCutter cutter() {
    return cutter;
  }

  WriteMemory writeMemory() {
    return writeMemory;
  }

  SessionKeeper sessions() {
    return sessions;
  }

  Thread anotherThread() {
    return anotherThread;
  }

  @Override
  public ReadableFile openRead(String path) {
    Inode inode =
        call(
                "openRead",
                path,
                request -> request.setOpen(Open.newBuilder().setAt(Names.at("openRead", path))))
            .getInode();
    var file =
        new ClusterReadableFile(this, path, chunks("openRead", path, inode), inode.getLength());
    readers.opened(file);
    return file;
  }

  @Override
  public WritableFile openWrite(String path, OpenOptions options) {
    NamespaceReply reply = options.create() ? create(path, options) : openExisting(path);
    ClusterWritableFile file = writer(path, reply.getInode(), reply.getOpen().getSession());
    if (options.truncate() && !reply.getOpen().getCreated()) {
      cutToNothing(file);
    }
    return file;
  }

  @Override
  public NewFile begin(String path, int mode) {
    NamespaceReply reply =
        call(
            "begin",
            path,
            request ->
                request.setCreate(
                    Create.newBuilder()
                        .setAt(Names.at("begin", path))
                        .setMode(mode)
                        .setOpenForWrite(true)
                        .setUnnamed(true)));
    return new ClusterNewFile(
        this, writer(path, reply.getInode(), reply.getOpen().getSession()), reply.getInode());
  }

  /** A file to write to in a session that was opened. */
  ClusterWritableFile writer(String path, Inode inode, long session) {
    sessions.began();
    ClusterWritableFile file = writable(path, inode, session);
    writeMemory.opened(file);
    if (inode.getUntold()) {
      orClose(file, file::dropUntold);
    }
    return file;
  }

  private ClusterWritableFile writable(String path, Inode inode, long session) {
    try {
      return new ClusterWritableFile(this, path, chunks("openWrite", path, inode), inode, session);
    } catch (RuntimeException e) {
      endSession(path, inode, session, e);
      throw e;
    }
  }

  private void endSession(String path, Inode inode, long session, RuntimeException because) {
    try {
      call(
          "openWrite",
          path,
          request ->
              request.setClose(Close.newBuilder().setInode(inode.getId()).setSession(session)));
    } catch (LuciolaException suppressed) {
      because.addSuppressed(suppressed);
    } finally {
      sessions.ended();
    }
  }

  /**
   * The chunks go before the length does: a client that dies between leaves zeros, no old bytes.
   */
  private static void cutToNothing(ClusterWritableFile file) {
    orClose(
        file,
        () -> {
          file.cut(0);
          return true;
        });
  }

  /** Does what a file needs before it is written to; a file for which that fails is closed. */
  private static void orClose(ClusterWritableFile file, BooleanSupplier first) {
    try {
      boolean _ = first.getAsBoolean();
    } catch (RuntimeException e) {
      try {
        file.close();
      } catch (LuciolaException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private NamespaceReply create(String path, OpenOptions options) {
    return call(
        "openWrite",
        path,
        request ->
            request.setCreate(
                Create.newBuilder()
                    .setAt(Names.at("openWrite", path))
                    .setMode(options.mode())
                    .setExclusive(options.exclusive())
                    .setChunkBytes(options.chunkBytes())
                    .setStripe(options.stripe())
                    .setOpenForWrite(true)));
  }

  private NamespaceReply openExisting(String path) {
    return call(
        "openWrite",
        path,
        request ->
            request.setOpen(Open.newBuilder().setAt(Names.at("openWrite", path)).setWrite(true)));
  }

  private FileChunks chunks(String operation, String path, Inode inode) {
    if (!Names.stat(inode).isFile()) {
      throw new LuciolaException(ErrorCode.IS_A_DIRECTORY, operation + ": path=" + path);
    }
    return chunks(inode);
  }

  /** Where the chunks of a file lie; waits for routing that knows its chain table. */
  FileChunks chunks(Inode inode) {
    FileLayout layout = LayoutMessages.fromMessage(inode.getLayout());
    long deadline = System.nanoTime() + TABLE_WAIT_NANOS;
    while (true) {
      Routing routing = feed.routing();
      try {
        return new FileChunks(new InodeId(inode.getId()), layout, routing.stripe(layout));
      } catch (LuciolaException e) {
        if (e.code() != ErrorCode.NO_CHAIN_TABLE || System.nanoTime() - deadline >= 0) {
          throw e;
        }
        feed.refresh();
        feed.awaitNewerThan(routing.version(), TABLE_WAIT_NANOS / 10);
      }
    }
  }

  @Override
  public CompletableFuture<Void> read(List<ReadRange> ranges) {
    List<ChunkRange> pieces = new ArrayList<>(ranges.size());
    try {
      ranges.forEach(range -> pieces.addAll(checked(range)));
    } catch (LuciolaException e) {
      return CompletableFuture.failedFuture(e);
    }
    String path = ranges.isEmpty() ? "" : ranges.getFirst().file().path();
    return reads.read(ranges.size() > 1 ? path + ",…" : path, pieces);
  }

  @Override
  public List<CompletableFuture<Void>> readEach(List<ReadRange> ranges) {
    List<CompletableFuture<Void>> outcomes = new ArrayList<>(ranges.size());
    List<ChunkReads.Wanted> wanted = new ArrayList<>(ranges.size());
    List<Integer> places = new ArrayList<>(ranges.size());
    for (int i = 0; i < ranges.size(); i++) {
      try {
        wanted.add(new ChunkReads.Wanted(ranges.get(i).file().path(), checked(ranges.get(i))));
        places.add(i);
        outcomes.add(new CompletableFuture<>()); // Its place; the outcome comes below.
      } catch (LuciolaException e) {
        outcomes.add(CompletableFuture.failedFuture(e));
      }
    }
    List<CompletableFuture<Void>> started = reads.readEach(wanted);
    for (int i = 0; i < started.size(); i++) {
      outcomes.set(places.get(i), started.get(i));
    }
    return outcomes;
  }

  /** The pieces of a range that can be read. */
  private List<ChunkRange> checked(ReadRange range) {
    if (!(range.file() instanceof ClusterReadableFile file) || !file.isOf(this)) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "read: path=" + range.file().path() + " (opened by another file system)");
    }
    file.check(range.offset(), range.into());
    checkEnd(file, range);
    return file.ranges(range.offset(), range.into());
  }

  private static void checkEnd(ClusterReadableFile file, ReadRange range) {
    long end = range.offset() + range.into().byteSize();
    if (end > file.length() && end > file.refresh()) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "read: path="
              + file.path()
              + " offset="
              + range.offset()
              + " bytes="
              + range.into().byteSize()
              + " length="
              + file.length()
              + " (past the end)");
    }
  }

  @Override
  public SpaceUsage usage() {
    return UsableSpace.of(meta.status());
  }

  /** Closes; bytes written to files that are still open and not synced are lost with it. */
  @Override
  public void close() {
    readers.close();
    sessions.close();
    plane.stop();
    writeMemory.files().forEach(ClusterWritableFile::abandon);
    feed.close();
    plane.close();
    meta.close();
    writeMemory.close();
  }
}

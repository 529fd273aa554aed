package luciola.client.cluster;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.At;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.GarbageResult;
import luciola.grpc.v1.IdentifyReply;
import luciola.grpc.v1.IdentifyRequest;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReplies;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.NamespaceRequests;
import luciola.grpc.v1.OpenResult;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.protocol.control.LayoutMessages;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.ChainTable;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.RoutingDelta;
import luciola.protocol.routing.StorageNode;

/**
 * Three storage-servers, two chains over them, and a meta-server that knows files in the root
 * directory and nothing else.
 */
final class FakeCluster implements AutoCloseable {
  static final int CHUNK = 1 << 16;
  private static final long CLUSTER = 4711;

  final FakeStorage.Chunks chunks = new FakeStorage.Chunks();
  final List<FakeStorage> servers = new ArrayList<>();
  final List<String> operations = new CopyOnWriteArrayList<>();

  private final Server meta;
  private final Map<String, Long> names = new HashMap<>();
  private final Map<Long, Inode.Builder> inodes = new HashMap<>();
  private final Map<Long, Inode> garbage = new HashMap<>();
  private final List<StreamObserver<RoutingUpdate>> watches = new CopyOnWriteArrayList<>();
  private long lastInode = 1;
  private long lastSession;
  private int version = 1;
  private List<Integer> order = List.of(1, 2, 3);
  private int serving = 3;

  FakeCluster() throws IOException {
    for (int node = 1; node <= 3; node++) {
      servers.add(new FakeStorage(CLUSTER, node, chunks));
    }
    meta =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(new FakeNamespace())
            .addService(new FakeManager())
            .build()
            .start();
  }

  String address() {
    return "127.0.0.1:" + meta.getPort();
  }

  FakeStorage server(int node) {
    return servers.get(node - 1);
  }

  /** Changes the chains: the first {@code count} of these targets serve. */
  void publish(int count, Integer... targets) {
    RoutingUpdate update;
    synchronized (this) {
      version++;
      order = List.of(targets);
      serving = count;
      update = routing();
    }
    watches.forEach(watch -> watch.onNext(update));
  }

  synchronized int chainVersion() {
    return version;
  }

  private synchronized RoutingUpdate routing() {
    List<StorageNode> nodes = new ArrayList<>();
    for (int node = 1; node <= 3; node++) {
      nodes.add(
          new StorageNode(
              new NodeId(node),
              "127.0.0.1",
              server(node).port(),
              Map.of("zone", "z" + node),
              List.of(new TargetId(node)),
              1));
    }
    List<ChainMember> members = new ArrayList<>();
    for (int i = 0; i < order.size(); i++) {
      members.add(
          new ChainMember(
              new TargetId(order.get(i)), i < serving ? PublicState.SERVING : PublicState.OFFLINE));
    }
    return RoutingMessages.toMessage(
        new RoutingDelta(
            new RoutingVersion(0),
            new RoutingVersion(version),
            true,
            nodes,
            List.of(
                new Chain(new ChainId(1), new ChainVersion(version), members),
                new Chain(new ChainId(2), new ChainVersion(version), members)),
            List.of(
                new ChainTable(new ChainTableId(1), 1, List.of(new ChainId(1), new ChainId(2))))));
  }

  @Override
  public void close() {
    meta.shutdownNow();
    try {
      meta.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    servers.forEach(FakeStorage::close);
  }

  private final class FakeNamespace extends NamespaceGrpc.NamespaceImplBase {
    @Override
    public StreamObserver<NamespaceRequests> calls(StreamObserver<NamespaceReplies> replies) {
      return new StreamObserver<>() {
        @Override
        public void onNext(NamespaceRequests message) {
          message.getRequestsList().forEach(this::take);
        }

        private void take(NamespaceRequest request) {
          operations.add(request.getOperationCase().name());
          NamespaceReply.Builder reply =
              NamespaceReply.newBuilder().setSequence(request.getSequence());
          synchronized (FakeCluster.this) {
            answer(request, reply);
          }
          replies.onNext(NamespaceReplies.newBuilder().addReplies(reply).build());
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
      };
    }

    private void answer(NamespaceRequest request, NamespaceReply.Builder reply) {
      switch (request.getOperationCase()) {
        case CREATE -> {
          String name =
              request.getCreate().getUnnamed()
                  ? "unnamed " + (lastInode + 1)
                  : name(request.getCreate().getAt());
          boolean created = !names.containsKey(name);
          names.computeIfAbsent(name, _ -> create(request.getCreate().getChunkBytes()));
          reply
              .setInode(inode(name))
              .setOpen(OpenResult.newBuilder().setSession(++lastSession).setCreated(created));
        }
        case OPEN ->
            found(reply, name(request.getOpen().getAt()))
                .setOpen(OpenResult.newBuilder().setSession(++lastSession));
        case LOOKUP -> found(reply, name(request.getLookup().getAt()));
        case GET_ATTRIBUTES -> reply.setInode(inodes.get(request.getGetAttributes().getInode()));
        case PUBLISH_LENGTH ->
            raise(request.getPublishLength().getInode(), request.getPublishLength().getLength());
        case CLOSE -> {
          long id = request.getClose().getInode();
          raise(id, request.getClose().getLength());
          if (request.getClose().hasName()) {
            names.remove("unnamed " + id);
            names.put(name(request.getClose().getName()), id);
            reply.setInode(inode(name(request.getClose().getName())));
          }
        }
        case TRUNCATE -> {
          Inode.Builder inode = inodes.get(request.getTruncate().getInode());
          if (inode != null) {
            inode
                .setLength(request.getTruncate().getLength())
                .setTruncateGeneration(inode.getTruncateGeneration() + 1);
            reply.setInode(inode);
          }
        }
        case UNLINK -> {
          Inode inode = inode(name(request.getUnlink().getAt()));
          names.remove(name(request.getUnlink().getAt()));
          garbage.put(inode.getId(), inode);
        }
        case TAKE_GARBAGE ->
            reply.setGarbage(
                GarbageResult.newBuilder()
                    .addAllInodes(
                        garbage.values().stream()
                            .limit(request.getTakeGarbage().getLimit())
                            .toList()));
        case DROP_GARBAGE -> request.getDropGarbage().getInodesList().forEach(garbage::remove);
        case RENEW_SESSIONS -> {}
        default -> reply.setCode(ErrorCode.UNSUPPORTED.number());
      }
    }

    private NamespaceReply.Builder found(NamespaceReply.Builder reply, String name) {
      return names.containsKey(name)
          ? reply.setInode(inode(name))
          : reply.setCode(ErrorCode.NOT_FOUND.number()).setMessage("no such file");
    }

    private long create(int chunkBytes) {
      long id = ++lastInode;
      inodes.put(
          id,
          Inode.newBuilder()
              .setId(id)
              .setType(InodeType.INODE_TYPE_FILE)
              .setNlink(1)
              .setLayout(
                  LayoutMessages.toMessage(
                      new FileLayout(
                          new ChainTableId(1), 1, chunkBytes == 0 ? CHUNK : chunkBytes, 2, 0, 3))));
      return id;
    }

    private Inode inode(String name) {
      Inode.Builder inode = inodes.get(names.getOrDefault(name, 0L));
      return inode == null ? Inode.getDefaultInstance() : inode.build();
    }

    private void raise(long id, long length) {
      Inode.Builder inode = inodes.get(id);
      if (inode != null) {
        inode.setLength(Math.max(inode.getLength(), length));
      }
    }

    private static String name(At at) {
      return at.getPath().toStringUtf8();
    }
  }

  private final class FakeManager extends ClusterGrpc.ClusterImplBase {
    @Override
    public void identify(IdentifyRequest request, StreamObserver<IdentifyReply> replies) {
      replies.onNext(IdentifyReply.newBuilder().setClusterId(CLUSTER).build());
      replies.onCompleted();
    }

    @Override
    public void getRouting(RoutingRequest request, StreamObserver<RoutingUpdate> replies) {
      replies.onNext(routing());
      replies.onCompleted();
    }

    @Override
    public void watchRouting(RoutingRequest request, StreamObserver<RoutingUpdate> replies) {
      watches.add(replies);
      replies.onNext(routing());
    }
  }
}

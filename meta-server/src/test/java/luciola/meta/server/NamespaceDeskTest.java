package luciola.meta.server;

import static luciola.meta.server.LoopbackClient.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.CheckNamespaceReply;
import luciola.grpc.v1.CheckNamespaceRequest;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceFault;
import luciola.grpc.v1.NamespaceFinding;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.store.RocksStore;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Damage written into the database of a stopped server, found and repaired over the network. */
@Timeout(120)
class NamespaceDeskTest {
  @TempDir Path directory;

  private MetaServerConfig config() {
    return MetaServerConfig.of(directory.resolve("meta")).withAddress("127.0.0.1", 0);
  }

  private static CheckNamespaceReply check(MetaConnection meta) {
    return meta.checkNamespace(
        CheckNamespaceRequest.getDefaultInstance(), TimeUnit.MINUTES.toNanos(1), _ -> {});
  }

  @Test
  void damageIsFoundAndRepairedThroughTheLogAndStaysRepaired() {
    long data;
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 5)) {
      data =
          client
              .call(
                  client
                      .request()
                      .setMakeDirectory(
                          MakeDirectory.newBuilder()
                              .setAt(at("data/set"))
                              .setMode(0755)
                              .setParents(true)))
              .getInode()
              .getId();
    }
    plant(data);
    try (MetaServer server = MetaServer.start(config());
        MetaConnection meta =
            MetaConnection.connect(MetaOptions.of(List.of("127.0.0.1:" + server.port())))) {
      CheckNamespaceReply checked = check(meta);
      assertTrue(checked.getDone());
      assertEquals(3, checked.getInodes());
      assertEquals(3, checked.getNames());
      assertEquals(
          List.of(
              NamespaceFault.NAMESPACE_FAULT_DANGLING_NAME,
              NamespaceFault.NAMESPACE_FAULT_WRONG_LINKS),
          checked.getFindingsList().stream().map(NamespaceFinding::getFault).toList());
      RepairNamespaceReply repaired =
          meta.repairNamespace(
              RepairNamespaceRequest.newBuilder()
                  .setRepairs(checked.getRepairs())
                  .addAllFindings(checked.getFindingsList())
                  .build());
      assertEquals(List.of(true, true), repaired.getRepairedList());
      assertEquals(0, check(meta).getFound());
    }
    try (MetaServer server = MetaServer.start(config());
        MetaConnection meta =
            MetaConnection.connect(MetaOptions.of(List.of("127.0.0.1:" + server.port())));
        var client = new LoopbackClient(server.port(), 6)) {
      assertEquals(0, check(meta).getFound());
      assertEquals(
          2,
          client
              .call(client.request().setLookup(Lookup.newBuilder().setAt(at("data/set"))))
              .getInode()
              .getNlink());
      var inspected =
          meta.inspectInodes(
              InspectInodesRequest.newBuilder().addInodes(data).addInodes(77).build());
      assertEquals(data, inspected.getInodes(0).getInode().getId());
      assertFalse(inspected.getInodes(1).hasInode());
    }
  }

  private void plant(long data) {
    try (RocksStore store = RocksStore.open(directory.resolve("meta").resolve("db"), 8 << 20)) {
      store.change(
          store.applied(),
          staged -> {
            Tree tree = Tree.changing(staged);
            var ghost =
                tree.namedInode(data).toBuilder()
                    .setId(900)
                    .setType(InodeType.INODE_TYPE_FILE)
                    .build();
            tree.putName(data, ByteString.copyFromUtf8("ghost"), ghost);
            tree.put(tree.namedInode(data).toBuilder().setNlink(6).build());
            return true;
          });
    }
  }
}

package luciola.meta.server;

import static luciola.meta.server.LoopbackClient.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetaServerKillTest {
  private static final int MADE = 200;

  @TempDir Path directory;

  @Test
  void whatWasAcknowledgedOutlivesSigkill() throws Exception {
    List<NamespaceReply> acknowledged = new ArrayList<>();
    NamespaceRequest last = NamespaceRequest.getDefaultInstance();
    for (int life = 0; life < 2; life++) {
      try (var server =
              MetaServerProcess.start(directory.resolve("meta"), directory.resolve("output"), 150);
          var client = new LoopbackClient(server.port, 5 + life)) {
        for (int i = 0; i < MADE; i++) {
          last =
              client
                  .request()
                  .setMakeDirectory(
                      MakeDirectory.newBuilder().setAt(at("/d" + life + "." + i)).setMode(0755))
                  .build();
          NamespaceReply reply = client.namespace.call(last);
          assertEquals(0, reply.getCode(), reply.getMessage());
          acknowledged.add(reply);
        }
        server.kill();
      }
    }
    try (MetaServer server =
            MetaServer.start(
                MetaServerConfig.of(directory.resolve("meta")).withAddress("127.0.0.1", 0));
        var client = new LoopbackClient(server.port(), 9)) {
      for (int i = 0; i < acknowledged.size(); i++) {
        NamespaceReply found =
            client.call(
                client
                    .request()
                    .setLookup(Lookup.newBuilder().setAt(at("/d" + i / MADE + "." + i % MADE))));
        assertEquals(0, found.getCode(), found.getMessage());
        assertEquals(acknowledged.get(i).getInode(), found.getInode());
      }
      assertEquals(acknowledged.getLast(), client.namespace.call(last), "sent again");
      assertTrue(server.leads());
    }
  }
}

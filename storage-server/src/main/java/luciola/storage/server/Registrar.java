package luciola.storage.server;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.TargetRegistration;
import luciola.protocol.control.HostPort;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.Incarnation;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;
import luciola.storage.disk.TargetDirectory;

/**
 * Makes one life of a server and its targets known to the cluster manager. The numbers that the
 * manager gives are kept in the directories; the same ones are asked for ever after.
 *
 * @param incarnation of this life
 * @param secured whether the server asks callers who they are
 * @param directory of the server, locked by it
 */
record Registrar(
    MetaConnection meta,
    TargetDirectory directory,
    List<Target> targets,
    HostPort address,
    Map<String, String> labels,
    long incarnation,
    boolean secured) {

  Registrar {
    targets = List.copyOf(targets);
    labels = Map.copyOf(labels);
  }

  /**
   * Begins a life of the server, after every one that its directory or the cluster knows of: the
   * directory may be new, or an old copy.
   *
   * @return the new incarnation; kept in the directory
   */
  static long newLife(MetaConnection meta, TargetDirectory directory, List<Target> targets)
      throws IOException {
    Routing known =
        Routing.EMPTY.apply(
            RoutingMessages.fromMessage(
                meta.routing(
                    RoutingRequest.newBuilder().setClusterId(meta.cluster().value()).build())));
    long last = directory.number("incarnation");
    for (StorageNode node : known.nodes().values()) {
      boolean former =
          node.id().value() == directory.number("node")
              || targets.stream()
                  .filter(target -> target.number() != 0)
                  .anyMatch(target -> node.targets().contains(target.id()));
      last = former ? Incarnation.later(last, node.incarnation()) : last;
    }
    long incarnation = Incarnation.after(last, ThreadLocalRandom.current().nextInt());
    directory.put("incarnation", incarnation);
    return incarnation;
  }

  /**
   * Registers this life.
   *
   * @throws LuciolaException WRONG_CLUSTER; IDENTITY_IN_USE if another server with this identity is
   *     alive; UNKNOWN_NODE if operators removed the server
   */
  RegisterReply register() throws IOException {
    RegisterReply reply = ask();
    if (directory.number("node") != reply.getNodeId()) {
      directory.put("node", reply.getNodeId());
    }
    for (int i = 0; i < targets.size(); i++) {
      targets.get(i).keepNumber(reply.getTargetIds(i));
    }
    return reply;
  }

  private RegisterReply ask() {
    var request =
        RegisterRequest.newBuilder()
            .setClusterId(meta.cluster().value())
            .setNodeId(directory.number("node"))
            .setIncarnation(incarnation)
            .setAddress(address.toString())
            .putAllLabels(labels)
            .setSecured(secured);
    for (Target target : targets) {
      request.addTargets(
          TargetRegistration.newBuilder()
              .setTargetId(target.number())
              .setUuid(target.uuid())
              .setDisk(target.path().toString())
              .setCapacityBytes(target.engine().usage().capacityBytes()));
    }
    RegisterReply reply = meta.register(request.build());
    if (reply.getTargetIdsCount() != targets.size()) {
      throw new LuciolaException(
          ErrorCode.INTERNAL, "register: targets=" + targets.size() + " answered=" + reply);
    }
    return reply;
  }
}

package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import luciola.grpc.v1.AddTable;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.ClusterSettings;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.FailureDomain;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.StoredCluster;
import luciola.grpc.v1.TargetRegistration;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Routing;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OperatorChangeTest {
  private ClusterState state = ClusterState.EMPTY;

  @BeforeEach
  void fiveNodesAndTwoChains() {
    state = state.initCluster(InitCluster.newBuilder().setClusterId(77).build());
    for (int node = 1; node <= 5; node++) {
      state = state.register(registration(node).build()).state();
    }
    state = state.addTable(table(List.of(1, 2, 3), List.of(2, 3, 4)).build()).state();
    assertEquals(2, state.routing().chains().size());
  }

  private static RegisterRequest.Builder registration(int node) {
    return RegisterRequest.newBuilder()
        .setClusterId(77)
        .setIncarnation(10 + node)
        .setAddress("host" + node + ":7000")
        .putLabels("rack", "r" + node)
        .addTargets(TargetRegistration.newBuilder().setUuid(100 + node).setDisk("d" + node));
  }

  @SafeVarargs
  private static AddTable.Builder table(List<Integer>... chains) {
    var table = AddTable.newBuilder().setReplicas(chains[0].size());
    for (List<Integer> chain : chains) {
      table.addChains(
          RoutingMessages.toMessage(
              RoutingMessages.newChain(
                  new ChainId(1), chain.stream().map(TargetId::new).toList())));
    }
    return table;
  }

  private static ChainPlan.Builder plan(int chain, long... wanted) {
    var plan = ChainPlan.newBuilder().setChainId(chain);
    for (long target : wanted) {
      plan.addWanted(target);
    }
    return plan;
  }

  private void refused(Operation.Builder operation, ErrorCode code, String words) {
    var applied = state.operate(operation.build());
    assertEquals(code.number(), applied.reply().getCode(), applied.reply().getMessage());
    assertTrue(applied.reply().getMessage().contains(words), applied.reply().getMessage());
    assertSame(state, applied.state(), "nothing changes");
  }

  private void done(Operation.Builder operation) {
    var applied = state.operate(operation.build());
    assertEquals(0, applied.reply().getCode(), applied.reply().getMessage());
    state = applied.state();
  }

  @Test
  void unknownNumbersAreRefused() {
    refused(Operation.newBuilder().addPlans(plan(9, 1, 2, 3)), ErrorCode.NOT_FOUND, "chain=9");
    refused(Operation.newBuilder().addPlans(plan(1, 1, 2, 99)), ErrorCode.NOT_FOUND, "target=99");
    refused(Operation.newBuilder().addDrainNodes(9), ErrorCode.UNKNOWN_NODE, "node=9");
    refused(Operation.newBuilder().addDrainTargets(9), ErrorCode.NOT_FOUND, "target=9");
    refused(Operation.newBuilder().addHoldTargets(9), ErrorCode.NOT_FOUND, "target=9");
    refused(Operation.newBuilder().addRemoveNodes(9), ErrorCode.UNKNOWN_NODE, "node=9");
    refused(Operation.newBuilder().addCancelChains(9), ErrorCode.NOT_FOUND, "chain=9");
    refused(Operation.newBuilder().addPlans(plan(-1, 1, 2, 3)), ErrorCode.NOT_FOUND, "chain=");
    refused(Operation.newBuilder().addPlans(plan(1, 1, 2, -3)), ErrorCode.INVALID_ARGUMENT, "-3");
    refused(
        Operation.newBuilder().setLabelNode(9).putLabels("a", "b"),
        ErrorCode.UNKNOWN_NODE,
        "node=9");
  }

  @Test
  void aDrainThatLeavesTooFewReplicasChangesNothing() {
    refused(
        Operation.newBuilder().addDrainNodes(1), ErrorCode.INVALID_ARGUMENT, "too few replicas");
    refused(
        Operation.newBuilder().addDrainNodes(1).addPlans(plan(1, 2, 3)),
        ErrorCode.INVALID_ARGUMENT,
        "too few replicas");
    // Node 4 is drained too: it takes nothing.
    refused(
        Operation.newBuilder()
            .addDrainNodes(1)
            .addDrainNodes(4)
            .addPlans(plan(1, 2, 3, 4))
            .addPlans(plan(2, 2, 3, 5)),
        ErrorCode.INVALID_ARGUMENT,
        "being drained");
    assertFalse(state.draining(new NodeId(1)));
    done(Operation.newBuilder().addDrainNodes(1).addPlans(plan(1, 2, 3, 5)));
    assertTrue(state.draining(new TargetId(1)));
    assertEquals(
        Set.of(new TargetId(2), new TargetId(3), new TargetId(5)), state.wanted(new ChainId(1)));
  }

  @Test
  void aPlanThatWasMadeBeforeADrainDoesNotUndoIt() {
    done(Operation.newBuilder().addDrainNodes(1).addPlans(plan(1, 2, 3, 5)));
    refused(
        Operation.newBuilder().addPlans(plan(1, 1, 2, 3, 4).addFormer(1).addFormer(2).addFormer(3)),
        ErrorCode.INVALID_ARGUMENT,
        "being drained");
    done(Operation.newBuilder().addUndrainNodes(1).addPlans(plan(1, 1, 2, 3, 4)));
  }

  @Test
  void aPlanThatWasMadeForOtherMembersIsRefused() {
    refused(
        Operation.newBuilder().addPlans(plan(1, 2, 3, 5).addFormer(2).addFormer(3).addFormer(4)),
        ErrorCode.INVALID_ARGUMENT,
        "made for other members");
    done(Operation.newBuilder().addPlans(plan(1, 2, 3, 5).addFormer(3).addFormer(1).addFormer(2)));
    assertEquals(1, state.plans().size());
    done(Operation.newBuilder().addCancelChains(1));
    assertEquals(List.of(), state.plans());
  }

  @Test
  void replicasOfAChainStayOnDifferentHosts() {
    done(Operation.newBuilder().setLabelNode(5).putLabels("host", "host2"));
    refused(
        Operation.newBuilder().addPlans(plan(1, 2, 3, 5)),
        ErrorCode.INVALID_ARGUMENT,
        "share a failure domain");
    var refused = state.addTable(table(List.of(1, 2, 5)).build());
    assertEquals(ErrorCode.INVALID_ARGUMENT.number(), refused.reply().getCode());
    assertTrue(refused.reply().getMessage().contains("host=host2"), refused.reply().getMessage());
    assertSame(state, refused.state());
    var said =
        state.addTable(
            table(List.of(1, 2, 5)).setFailureDomain(FailureDomain.FAILURE_DOMAIN_TARGET).build());
    assertEquals(0, said.reply().getCode());
  }

  @Test
  void aTableThatNamesAMissingTargetIsRefused() {
    var refused = state.addTable(table(List.of(1, 2, 3), List.of(1, 2, 99)).build());
    assertEquals(ErrorCode.NOT_FOUND.number(), refused.reply().getCode());
    assertTrue(refused.reply().getMessage().contains("target=99"), refused.reply().getMessage());
    assertSame(state, refused.state());
    AddTable.Builder same = table(List.of(1, 2, 3));
    same.getChainsBuilder(0).getMembersBuilder(2).setTargetId(2);
    var twice = state.addTable(same.build());
    assertEquals(ErrorCode.INVALID_ARGUMENT.number(), twice.reply().getCode());
    assertTrue(twice.reply().getMessage().contains("target twice"), twice.reply().getMessage());
    var other = state.addTable(table(List.of(1, 2, 3), List.of(1, 2)).build());
    assertTrue(other.reply().getMessage().contains("another number of replicas"));
    assertSame(state, other.state());
  }

  @Test
  void theSameTableRequestAgainMakesNoSecondTable() {
    AddTable request = table(List.of(1, 2, 5)).setRequestId(4711).build();
    var first = state.addTable(request);
    var again = first.state().addTable(request);
    assertEquals(first.reply(), again.reply());
    assertSame(first.state(), again.state());
    assertEquals(2, first.reply().getTableVersion());
  }

  @Test
  void labelsOfOperatorsGoBeforeThoseOfTheServerAndOutliveItsRestart() {
    done(Operation.newBuilder().setLabelNode(5).putLabels("rack", "other").putLabels("leaf", "7"));
    state = state.register(registration(5).setNodeId(5).setIncarnation(99).build()).state();
    assertEquals(Map.of("rack", "other", "leaf", "7"), labels(5));
    done(Operation.newBuilder().setLabelNode(5).putLabels("rack", ""));
    assertEquals(Map.of("leaf", "7"), labels(5));
    refused(
        Operation.newBuilder().setLabelNode(5).putLabels("no spaces", "x"),
        ErrorCode.INVALID_ARGUMENT,
        "bad label");
  }

  private Map<String, String> labels(int node) {
    return state.routing().nodes().values().stream()
        .filter(each -> each.id().equals(new NodeId(node)))
        .findFirst()
        .orElseThrow()
        .labels();
  }

  @Test
  void aRestartKeepsWhatOperatorsSaidOfATarget() {
    done(Operation.newBuilder().addHoldTargets(4).addDrainTargets(5));
    state = state.register(registration(4).setNodeId(4).setIncarnation(99).build()).state();
    state = state.register(registration(5).setNodeId(5).setIncarnation(99).build()).state();
    assertTrue(state.held(new TargetId(4)));
    assertTrue(state.draining(new TargetId(5)));
  }

  @Test
  void settingsAreCheckedAndGoBackToTheirDefaults() {
    refused(
        Operation.newBuilder().setSettings(ClusterSettings.newBuilder().setMovesMax(0)),
        ErrorCode.INVALID_ARGUMENT,
        "moves-max=0");
    refused(
        Operation.newBuilder()
            .setSettings(ClusterSettings.newBuilder().setResyncBytesPerSecond(-5)),
        ErrorCode.INVALID_ARGUMENT,
        "resync-rate=-5");
    refused(
        Operation.newBuilder().addSettingsCleared("nothing"),
        ErrorCode.INVALID_ARGUMENT,
        "unknown setting=nothing");
    done(
        Operation.newBuilder()
            .setSettings(ClusterSettings.newBuilder().setResyncBytesPerSecond(200L << 20)));
    assertEquals(200L << 20, state.settings().getResyncBytesPerSecond());
    done(Operation.newBuilder().setSettings(ClusterSettings.newBuilder().setMovesMax(4)));
    assertEquals(200L << 20, state.settings().getResyncBytesPerSecond());
    done(Operation.newBuilder().addSettingsCleared("resync_bytes_per_second"));
    assertFalse(state.settings().hasResyncBytesPerSecond());
    assertEquals(4, state.settings().getMovesMax());
  }

  @Test
  void aRemovedNodeLeavesTheRoutingOfEverybody() {
    refused(Operation.newBuilder().addRemoveNodes(1), ErrorCode.INVALID_ARGUMENT, "drain it first");
    Routing known = Routing.EMPTY.apply(state.deltaSince(new RoutingVersion(0)));
    ClusterState before = state;
    done(Operation.newBuilder().addRemoveNodes(5));
    Routing after =
        known.apply(RoutingMessages.fromMessage(state.updateSince(known.version().value())));
    assertEquals(4, after.nodes().size());
    assertEquals(state.routing().nodes(), after.nodes());
    assertEquals(state.routing().chains(), after.chains());
    // What is stored is what there is.
    Map<String, StoredCluster> stored = new HashMap<>();
    for (StoredCluster record : before.changedSince(ClusterState.EMPTY)) {
      stored.put(java.util.HexFormat.of().formatHex(ClusterState.key(record)), record);
    }
    state
        .removedSince(before)
        .forEach(key -> stored.remove(java.util.HexFormat.of().formatHex(key)));
    for (StoredCluster record : state.changedSince(before)) {
      stored.put(java.util.HexFormat.of().formatHex(ClusterState.key(record)), record);
    }
    assertEquals(state, ClusterState.of(new ArrayList<>(stored.values())));
    // Deltas after the removal are small again.
    RoutingVersion now = state.routing().version();
    done(Operation.newBuilder().setLabelNode(4).putLabels("leaf", "1"));
    assertFalse(state.deltaSince(now).full());
    assertEquals(1, state.deltaSince(now).nodes().size());
    assertEquals(0, state.deltaSince(now).chains().size());
  }

  @Test
  void anyCommandGoesThroughOneDoor() {
    var applied =
        state.apply(
            Command.newBuilder().setOperation(Operation.newBuilder().addHoldTargets(1)).build());
    assertTrue(applied.state().held(new TargetId(1)));
    assertTrue(applied.reply().hasOperation());
    assertSame(state, state.apply(Command.getDefaultInstance()).state());
  }
}

package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import luciola.grpc.v1.AddChains;
import luciola.grpc.v1.AddChainsReply;
import luciola.grpc.v1.ChainMember;
import luciola.grpc.v1.FailureDomain;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.Operation;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.ChainTable;
import luciola.protocol.routing.PublicState;
import org.junit.jupiter.api.Test;

/** Chains that an operator makes one by one, in a living cluster of six with a table of one. */
class NewChainsTest {
  private final LivingCluster cluster = new LivingCluster(6);

  NewChainsTest() {
    cluster.table(3, 1);
  }

  private static AddChains.Builder chains(long... members) {
    return AddChains.newBuilder().addChains(chain(members));
  }

  private static luciola.grpc.v1.Chain chain(long... members) {
    return luciola.grpc.v1.Chain.newBuilder()
        .addAllMembers(
            LongStream.of(members)
                .mapToObj(target -> ChainMember.newBuilder().setTargetId(target).build())
                .toList())
        .build();
  }

  private void refused(AddChains.Builder wanted, ErrorCode code, String words) {
    ClusterState before = cluster.state;
    cluster.reply = null;
    cluster.refusal = null;
    cluster.step(new ClusterEvent.CreateChains(wanted.build()));
    String message;
    if (cluster.refusal != null) {
      assertEquals(code, cluster.refusal.code(), cluster.refusal.message());
      message = cluster.refusal.message();
    } else {
      assertEquals(code.number(), answer().getCode());
      message = answer().getMessage();
    }
    assertTrue(message.contains(words), message);
    assertSame(before, cluster.state, "nothing changes");
  }

  private AddChainsReply answer() {
    return Objects.requireNonNull(cluster.reply, "no answer").getAddChains();
  }

  private AddChainsReply made(AddChains.Builder wanted) {
    cluster.step(new ClusterEvent.CreateChains(wanted.build()));
    AddChainsReply reply = answer();
    assertEquals(0, reply.getCode(), reply.getMessage());
    return reply;
  }

  private ChainTable table() {
    return cluster.state.newestTable().orElseThrow();
  }

  @Test
  void aChainServesAtOnceAndIsInNoTableUnlessThatIsAsked() {
    RoutingVersion before = cluster.state.routing().version();
    var reply = made(chains(4, 5));
    assertEquals(2, reply.getChains(0).getId());
    assertEquals(0, reply.getTableId());
    assertEquals(List.of(new TargetId(4), new TargetId(5)), cluster.chain(2).serving());
    assertEquals(List.of(new ChainId(1)), table().chains());
    assertEquals(2, cluster.state.replicas(new ChainId(2)));
    assertEquals(1, cluster.state.deltaSince(before).chains().size(), "everybody learns of it");
    cluster.pass(3);
    assertEquals(PublicState.SERVING, cluster.chain(2).stateOf(new TargetId(5)).orElseThrow());
  }

  @Test
  void aTableGetsANewVersionWithTheChainsAtItsEnd() {
    var reply = made(chains(4, 5, 6).addChains(chain(6, 1, 2)).setTableId(1));
    assertEquals(2, reply.getTableVersion());
    assertEquals(List.of(new ChainId(1), new ChainId(2), new ChainId(3)), table().chains());
    assertEquals(2, cluster.state.tables().size(), "files that exist keep the older one");
    assertEquals(3, cluster.state.tables().getLast().getReplicas());
  }

  @Test
  void theSameRequestAgainMakesNothing() {
    AddChains.Builder wanted = chains(4, 5, 6).setTableId(1).setRequestId(4711);
    var first = made(wanted);
    ClusterState after = cluster.state;
    assertEquals(first, made(wanted));
    assertSame(after, cluster.state);
    assertTrue(after.hasChainsOf(4711));
    assertNotEquals(first, made(wanted.setRequestId(4712)));
  }

  @Test
  void whatIsNotThereOrTwiceIsRefused() {
    refused(AddChains.newBuilder(), ErrorCode.INVALID_ARGUMENT, "no chains");
    refused(chains(), ErrorCode.INVALID_ARGUMENT, "replicas out of bounds");
    refused(chains(4, 5, 99), ErrorCode.NOT_FOUND, "unknown target=99");
    refused(chains(4, -5), ErrorCode.INVALID_ARGUMENT, "not a target: target=-5");
    refused(chains(4, 5, 4), ErrorCode.INVALID_ARGUMENT, "target twice");
    refused(chains(4, 5, 6).setTableId(7), ErrorCode.NOT_FOUND, "unknown table=7");
    // One bad chain: none is made.
    refused(chains(4, 5, 6).addChains(chain(1, 99)), ErrorCode.NOT_FOUND, "unknown target=99");
    var empty = ClusterState.EMPTY.addChains(chains(1).setTableId(1).build()).reply();
    assertTrue(empty.getMessage().contains("there is none yet"), empty.getMessage());
  }

  @Test
  void aChainOfATableIsAsItsOthersAre() {
    refused(chains(4, 5).setTableId(1), ErrorCode.INVALID_ARGUMENT, "another number of replicas");
    refused(
        chains(4, 5, 6).setTableId(1).setFailureDomain(FailureDomain.FAILURE_DOMAIN_TARGET),
        ErrorCode.INVALID_ARGUMENT,
        "another failure domain than its table: table=1 failure_domain=host asked=target");
    made(chains(4, 5, 6).setTableId(1).setFailureDomain(FailureDomain.FAILURE_DOMAIN_HOST));
  }

  @Test
  void replicasOnOneHostAreRefusedUnlessThatIsSaid() {
    cluster.operate(Operation.newBuilder().setLabelNode(5).putLabels("host", "host4"));
    refused(chains(4, 5), ErrorCode.INVALID_ARGUMENT, "two replicas would share a failure domain");
    made(chains(4, 5).setFailureDomain(FailureDomain.FAILURE_DOMAIN_TARGET));
  }

  @Test
  void targetsThatCannotTakeAReplicaNowAreRefused() {
    cluster.operate(Operation.newBuilder().addHoldTargets(6));
    refused(chains(5, 6), ErrorCode.INVALID_ARGUMENT, "out of service by an operator: target=6");
    cluster.operate(Operation.newBuilder().addReleaseTargets(6).addDrainTargets(6));
    refused(chains(5, 6), ErrorCode.INVALID_ARGUMENT, "being drained: target=6");
    cluster.operate(Operation.newBuilder().addUndrainTargets(6));
    cluster.reports.put(6, report -> report.setLowSpace(true));
    cluster.pass(1);
    refused(chains(5, 6), ErrorCode.NO_SPACE, "target is full: target=6");
    cluster.reports.put(
        6, report -> report.setLocalState(LocalState.LOCAL_STATE_OFFLINE).setError("EIO"));
    cluster.pass(1);
    refused(chains(5, 6), ErrorCode.INVALID_ARGUMENT, "not alive: target=6");
    cluster.reports.remove(6);
    cluster.silent.add(6);
    cluster.pass(12);
    refused(chains(5, 6), ErrorCode.INVALID_ARGUMENT, "not alive: target=6");
    cluster.silent.clear();
    cluster.pass(2);
    made(chains(5, 6));
  }

  @Test
  void aFailedTargetIsToldToBeOpenedAgainSomeTimes() {
    assertEquals(
        "the target has not failed: target=2",
        cluster.operate(Operation.newBuilder().addReopenTargets(2)));
    assertEquals("unknown target=99", cluster.operate(Operation.newBuilder().addReopenTargets(99)));
    cluster.reports.put(2, report -> report.setLocalState(LocalState.LOCAL_STATE_OFFLINE));
    cluster.pass(1);
    ClusterState before = cluster.state;
    assertEquals("", cluster.operate(Operation.newBuilder().addReopenTargets(2)));
    assertEquals(before, cluster.state, "nothing of it is stored");
    cluster.answers.clear();
    cluster.pass(5);
    List<List<Long>> told =
        cluster.answers.stream().map(answer -> answer.getReopenTargetsList()).toList();
    assertEquals(3, told.stream().filter(List.of(2L)::equals).count(), told::toString);
    assertEquals(27, told.stream().filter(List.of()::equals).count(), told::toString);
    cluster.silent.add(2);
    cluster.pass(12);
    assertTrue(
        cluster
            .operate(Operation.newBuilder().addReopenTargets(2))
            .startsWith("its server is silent"));
  }
}

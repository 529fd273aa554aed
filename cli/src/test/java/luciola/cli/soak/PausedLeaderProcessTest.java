package luciola.cli.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.operate.ClusterView;
import luciola.cli.soak.fault.FleetOptions;
import luciola.cli.soak.fault.ProcessFleet;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A leader that is held while others elect another and go on does not know of it when it wakes up.
 * Whoever asks it then gets no answer, or one that is not old.
 */
@Timeout(240)
final class PausedLeaderProcessTest {
  private static final int ROUNDS = 5;
  private static final int CALLS = 32;
  private static final long SENT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  @TempDir private Path directory;

  private long made;
  private int refused;

  @Test
  void answersNothingOld() throws Exception {
    FleetOptions options = FleetOptions.of(directory, 1).withMetaServers(3);
    List<String> old = new ArrayList<>();
    try (var fleet = ProcessFleet.prepare(options)) {
      for (String server : fleet.metaServers()) {
        fleet.start(server);
      }
      MetaOptions all = MetaOptions.of(fleet.metaAddresses()).withCallNanos(60_000_000_000L);
      try (var writer = MetaConnection.connect(all)) {
        make(writer);
        for (int round = 0; round < ROUNDS; round++) {
          old.addAll(hold(fleet, leader(fleet, writer), writer));
        }
      }
    }
    assertEquals(List.of(), old);
    assertTrue(refused > 0, "it was never asked while it was deposed");
  }

  private static String leader(ProcessFleet fleet, MetaConnection meta) {
    String address = ClusterView.of(meta.status()).leader();
    return fleet.metaServers().stream()
        .filter(server -> fleet.address(server).equals(address))
        .findFirst()
        .orElseThrow();
  }

  private static At at(long number) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8("/v" + number)).build();
  }

  private void make(MetaConnection writer) {
    made++;
    writer.call(
        NamespaceRequest.newBuilder()
            .setMakeDirectory(MakeDirectory.newBuilder().setAt(at(made)).setMode(0755)));
  }

  /** Holds the leader, lets the others go on, and asks it for what they have done meanwhile. */
  private List<String> hold(ProcessFleet fleet, String leader, MetaConnection writer)
      throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(fleet.address(leader)).usePlaintext().build();
    try {
      var stub = NamespaceGrpc.newFutureStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
      assertEquals(0, stub.call(lookup(1)).get().getCode());
      List<ListenableFuture<NamespaceReply>> asked = new ArrayList<>();
      fleet.pause(leader);
      try {
        // Acknowledged by others: one of them leads now.
        make(writer);
        make(writer);
        for (int i = 0; i < CALLS; i++) {
          asked.add(stub.call(lookup(made)));
        }
        LockSupport.parkNanos(SENT_NANOS);
      } finally {
        fleet.resume(leader);
      }
      List<String> old = new ArrayList<>();
      for (ListenableFuture<NamespaceReply> each : asked) {
        if (code(each) == ErrorCode.NOT_FOUND) {
          old.add(leader + " does not know /v" + made);
        }
      }
      return old;
    } finally {
      channel.shutdownNow();
    }
  }

  private static NamespaceRequest lookup(long number) {
    return NamespaceRequest.newBuilder().setLookup(Lookup.newBuilder().setAt(at(number))).build();
  }

  private ErrorCode code(ListenableFuture<NamespaceReply> asked) throws InterruptedException {
    try {
      ErrorCode code = ErrorCode.ofNumber(asked.get().getCode());
      refused += code == ErrorCode.OK ? 0 : 1;
      return code;
    } catch (ExecutionException e) {
      refused++;
      return ErrorCode.NOT_LEADER;
    }
  }
}

package luciola.storage.host;

import java.util.Optional;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.DataHandler;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.FetchRequest;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.storage.peer.RoutingSource;
import luciola.storage.replica.ChainRunner;

/**
 * Hands each call to the runner of its chain and target, reads to {@link CommittedReads}. Runs on
 * event loops, never blocks.
 */
final class RequestRouter implements DataHandler {
  private final Runners runners;
  private final CommittedReads reads;
  private final RoutingSource routing;

  RequestRouter(Runners runners, CommittedReads reads, RoutingSource routing) {
    this.runners = runners;
    this.reads = reads;
    this.routing = routing;
  }

  @Override
  public void handle(Call call) {
    switch (call.request()) {
      case ReadRequest read -> reads.read(call, read);
      case UpdateRequest update -> hand(call, update.chain(), update.target());
      case ForwardRequest forward -> hand(call, forward.chain(), forward.to());
      case VersionRequest question -> hand(call, question.chain(), question.target());
      case ChunkListRequest list -> hand(call, list.chain(), list.target());
      case InventoryRequest inventory -> hand(call, inventory.chain(), inventory.target());
      case SyncStartRequest start -> hand(call, start.chain(), start.to());
      case DedupRequest dedup -> hand(call, dedup.chain(), dedup.to());
      case SyncDoneRequest done -> hand(call, done.chain(), done.to());
      case CollectRequest question -> hand(call, question.chain(), question.to());
      case ForgetRequest order -> hand(call, order.chain(), order.to());
      case FetchRequest fetch -> fetch(call, fetch);
      case Hello _ -> call.fail(ErrorCode.UNSUPPORTED);
    }
  }

  private void fetch(Call call, FetchRequest fetch) {
    Optional<ChainRunner> runner = runners.find(fetch.chain(), fetch.target());
    if (runner.isPresent()) {
      runner.get().fetch(call, fetch);
    } else {
      call.fail(ErrorCode.UNKNOWN_CHAIN);
    }
  }

  private void hand(Call call, ChainId chain, TargetId target) {
    Optional<ChainRunner> runner = runners.find(chain, target);
    if (runner.isPresent()) {
      runner.get().handle(call);
    } else {
      routing.refresh();
      call.fail(ErrorCode.UNKNOWN_CHAIN);
    }
  }
}

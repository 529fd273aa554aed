package luciola.cli.soak.fault;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import luciola.cli.soak.load.BlockAddress;
import luciola.cli.soak.load.VerifyingLoad;
import luciola.protocol.routing.PublicState;

/**
 * Asks a server that has missed something for blocks by what was known of it before: its answer is
 * a refusal or it is current.
 */
final class StaleQuestions {
  private static final Duration ASK = Duration.ofSeconds(20);
  private static final int BLOCKS_MAX = 64;

  private final Fleet fleet;
  private final VerifyingLoad load;
  private final ReplicaProbe probe;
  private final Consumer<String> log;
  private final Map<String, Integer> answers = new TreeMap<>();

  StaleQuestions(Fleet fleet, VerifyingLoad load, ReplicaProbe probe, Consumer<String> log) {
    this.fleet = fleet;
    this.load = load;
    this.probe = probe;
    this.log = log;
  }

  /** One of its blocks, and the answer that is owed. */
  record Question(VerifyingLoad.DirectRead read, CompletableFuture<ReplicaProbe.Answer> answer) {}

  /** What was answered so far, and how often. */
  synchronized Map<String, Integer> answers() {
    return new TreeMap<>(answers);
  }

  /** Blocks of which the server has a serving replica, and how that is addressed now. */
  Map<BlockAddress, ReplicaProbe.Replica> blocksOf(String server, Random random) {
    Map<BlockAddress, ReplicaProbe.Replica> known = new HashMap<>();
    for (BlockAddress block : load.anyBlocks(random, BLOCKS_MAX)) {
      probe.replicas(block).stream()
          .filter(each -> each.address().equals(fleet.address(server)))
          .filter(each -> each.state() == PublicState.SERVING)
          .forEach(each -> known.put(block, each));
    }
    known.values().stream().findFirst().ifPresent(this::connect);
    return known;
  }

  private void connect(ReplicaProbe.Replica replica) {
    try {
      probe.prepare(replica);
    } catch (RuntimeException unreachable) {
      log.accept("cannot reach " + replica.address() + ": " + unreachable.getMessage());
    }
  }

  /** Asks for each of these; does not wait. */
  List<Question> ask(Map<BlockAddress, ReplicaProbe.Replica> known) {
    var asked = new ArrayList<Question>();
    known.forEach((block, replica) -> ask(block, replica).ifPresent(asked::add));
    return asked;
  }

  private Optional<Question> ask(BlockAddress block, ReplicaProbe.Replica replica) {
    return load.beginDirectRead("a paused server serves nothing old", block)
        .map(read -> new Question(read, probe.read(replica, block, ASK)));
  }

  /** Waits for the answers and judges them. */
  void settle(List<Question> questions) {
    for (Question question : questions) {
      ReplicaProbe.Answer answer = question.answer().join();
      String outcome = answer.code().name();
      if (answer.good()) {
        outcome = question.read().got(answer.bytes()) ? "OK, current" : "OK, STALE";
      } else {
        question.read().refused();
      }
      synchronized (this) {
        answers.merge(outcome, 1, Integer::sum);
      }
    }
  }
}

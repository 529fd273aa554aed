package luciola.storage.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import luciola.protocol.id.ChainId;

/** Threads that decide for chains. Everything of one chain runs on one of them. */
final class Owners implements AutoCloseable {
  private final List<ScheduledExecutorService> threads = new ArrayList<>();

  Owners(int count) {
    for (int i = 0; i < count; i++) {
      threads.add(
          Executors.newSingleThreadScheduledExecutor(
              Thread.ofPlatform().name("storage-chain-" + i).daemon().factory()));
    }
  }

  ScheduledExecutorService of(ChainId chain) {
    return threads.get(Math.floorMod(chain.value(), threads.size()));
  }

  @Override
  public void close() {
    threads.forEach(ScheduledExecutorService::shutdownNow);
  }
}

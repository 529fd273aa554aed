package luciola.loader.agent;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import luciola.loader.dataset.DatasetPacker;
import luciola.loader.dataset.DatasetPacker.Document;

/** A live agent over a file system in memory with a token and a record dataset. */
final class AgentFixture implements AutoCloseable {
  static final int DOCUMENTS = 60;

  final LuciolaFileSystem files = new MemoryFileSystem();
  final List<Document> documents = new ArrayList<>();
  final byte[] tokens;
  final Path socket;
  final LoaderAgent agent;

  AgentFixture(Path directory) {
    this(AgentConfiguration.of(directory.resolve("agent.sock")));
  }

  AgentFixture(AgentConfiguration configuration) {
    Random random = new Random(77);
    int size = 0;
    for (int i = 0; i < DOCUMENTS; i++) {
      byte[] bytes = new byte[i == 5 ? 0 : 1 + random.nextInt(900)];
      for (int at = 0; at < bytes.length; at++) {
        bytes[at] = (byte) (1 + random.nextInt(255));
      }
      documents.add(new Document("doc-" + i, bytes));
      size += bytes.length + 1;
    }
    tokens = new byte[size];
    int at = 0;
    for (Document document : documents) {
      System.arraycopy(document.bytes(), 0, tokens, at, document.bytes().length);
      at += document.bytes().length + 1;
    }
    DatasetPacker packer = new DatasetPacker(files);
    packer.packByteTokens("/corpus", documents.iterator(), OptionalInt.of(0));
    packer.packRecords("/records", documents.iterator(), 4000);
    socket = configuration.socket();
    agent = LoaderAgent.start(configuration, files);
  }

  /** Waits until it holds, or fails. */
  static void await(String what, BooleanSupplier holds) {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not in time: " + what);
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() {
    agent.close();
  }
}

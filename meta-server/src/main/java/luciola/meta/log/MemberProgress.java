package luciola.meta.log;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * How far the other members say they are. The leader asks them, twice a second: what Ratis knows of
 * a member it keeps when that one comes back with an empty disk. Any thread.
 */
final class MemberProgress implements AutoCloseable {
  private static final long ASK_MILLIS = 500;

  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private final long startedNanos = System.nanoTime();
  private final Thread asks;

  private record Answer(boolean empty, long behindEntries, long atNanos) {}

  /**
   * What a member said last.
   *
   * @param empty it has no log, or never said anything
   * @param behindEntries that this one had applied when it said so, and it had not on its disk
   * @param silentNanos since then
   */
  record Told(boolean empty, long behindEntries, long silentNanos) {}

  /**
   * Asks nobody before {@link #start}, and then only while this member leads.
   *
   * @param leads whether it does
   */
  MemberProgress(LogConfig config, Peers peers, BooleanSupplier leads) {
    boolean alone = config.members().size() == 1;
    this.asks =
        Thread.ofVirtual()
            .name("meta-progress")
            .unstarted(() -> {
              try {
                while (!alone) {
                  TimeUnit.MILLISECONDS.sleep(ASK_MILLIS);
                  if (leads.getAsBoolean()) {
                    peers.confirm(Recovery.NO_READ);
                  }
                }
              } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
              }
            });
  }

  void start() {
    asks.start();
  }

  /**
   * A member has answered.
   *
   * @param index of the last entry on its disk; -1 if it has none
   * @param applied the last entry that is applied here
   */
  void told(String member, long index, long applied) {
    answers.put(member, new Answer(index < 0, Math.max(0, applied - index), System.nanoTime()));
  }

  Told of(String member) {
    Answer answer = answers.getOrDefault(member, new Answer(true, 0, startedNanos));
    return new Told(answer.empty(), answer.behindEntries(), System.nanoTime() - answer.atNanos());
  }

  @Override
  public void close() {
    asks.interrupt();
  }
}

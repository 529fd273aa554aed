package luciola.meta.cluster;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads that wait until it is known that the leader still led after they had come: what it has
 * applied then is all that anybody was told of (Raft's read index). Whoever stands between two
 * members of a majority to be elected has to raise their term first, so a majority that is asked
 * after the read came and still has the leader's term has elected nobody else by then. A leader
 * that was held finds out this way, whatever it believes; no clock is trusted.
 *
 * <p>One round at a time is under way, for all reads that had come when it began; those that come
 * meanwhile wait for the next. A round that brings no majority in time is begun anew.
 *
 * <p>A pure core, owned by one thread at a time.
 *
 * @param <R> a read
 */
public final class ReadRounds<R> {
  private final int othersNeeded;
  private final long roundNanos;
  private final long readNanos;

  private final List<Waiting<R>> waiting = new ArrayList<>();
  private @Nullable Round<R> current;
  private long lastRound;

  private record Waiting<R>(R read, long sinceNanos) {}

  private record Round<R>(
      long number, long term, long begunNanos, List<Waiting<R>> reads, Set<Integer> agreed) {}

  /** What is to be done. */
  public sealed interface Effect<R> {
    /** Asks every other member for its term, which is hoped to be this one. */
    record Ask<R>(long round, long term) implements Effect<R> {}

    /** These may be answered from what is applied here. */
    record Release<R>(ImmutableList<R> reads) implements Effect<R> {}

    /** These cannot be answered here. */
    record Refuse<R>(ImmutableList<R> reads) implements Effect<R> {}
  }

  /**
   * No reads yet.
   *
   * @param othersNeeded how many other members have to agree; 0 for a member that is alone
   * @param roundNanos after which a round is begun anew
   * @param readNanos after which a read is refused
   */
  public ReadRounds(int othersNeeded, long roundNanos, long readNanos) {
    this.othersNeeded = othersNeeded;
    this.roundNanos = roundNanos;
    this.readNanos = readNanos;
  }

  /** How many others make a majority of so many members. */
  public static int othersOfMajority(int members) {
    return members / 2;
  }

  /**
   * A read has come.
   *
   * @param term that this member leads, with everything applied that was decided before it
   */
  public List<Effect<R>> read(R read, OptionalLong term, long nowNanos) {
    waiting.add(new Waiting<>(read, nowNanos));
    return current == null || term.isEmpty() ? begin(term, nowNanos) : List.of();
  }

  /**
   * A member has answered.
   *
   * @param itsTerm what it was when it answered
   * @param term as in {@link #read}, now
   */
  public List<Effect<R>> answered(
      long round, int member, long itsTerm, OptionalLong term, long nowNanos) {
    Round<R> asked = current;
    if (asked == null || asked.number() != round || asked.term() != itsTerm) {
      return List.of();
    }
    asked.agreed().add(member);
    if (asked.agreed().size() < othersNeeded) {
      return List.of();
    }
    current = null;
    var effects = new ArrayList<Effect<R>>();
    effects.add(new Effect.Release<>(reads(asked.reads())));
    effects.addAll(begin(term, nowNanos));
    return effects;
  }

  /** Time has passed; to be called more often than {@code roundNanos}. */
  public List<Effect<R>> tick(OptionalLong term, long nowNanos) {
    Round<R> asked = current;
    if (asked != null && term.isPresent() && nowNanos - asked.begunNanos() < roundNanos) {
      return List.of();
    }
    var effects = new ArrayList<Effect<R>>();
    if (asked != null) {
      current = null;
      waiting.addAll(0, asked.reads());
    }
    List<Waiting<R>> late =
        waiting.stream().filter(each -> nowNanos - each.sinceNanos() >= readNanos).toList();
    if (!late.isEmpty()) {
      waiting.removeAll(late);
      effects.add(new Effect.Refuse<>(reads(late)));
    }
    effects.addAll(begin(term, nowNanos));
    return effects;
  }

  /** Whether anything waits. */
  public boolean isIdle() {
    return current == null && waiting.isEmpty();
  }

  private List<Effect<R>> begin(OptionalLong term, long nowNanos) {
    var effects = new ArrayList<Effect<R>>();
    Round<R> left = current;
    if (term.isEmpty() && left != null) {
      waiting.addAll(0, left.reads());
      current = null;
    }
    if (waiting.isEmpty()) {
      return effects;
    }
    List<Waiting<R>> those = List.copyOf(waiting);
    waiting.clear();
    if (term.isEmpty()) {
      effects.add(new Effect.Refuse<>(reads(those)));
    } else if (othersNeeded == 0) {
      effects.add(new Effect.Release<>(reads(those)));
    } else {
      lastRound++;
      current = new Round<>(lastRound, term.getAsLong(), nowNanos, those, new HashSet<>());
      effects.add(new Effect.Ask<>(lastRound, term.getAsLong()));
    }
    return effects;
  }

  private static <R> ImmutableList<R> reads(List<Waiting<R>> waiting) {
    return waiting.stream().map(Waiting::read).collect(ImmutableList.toImmutableList());
  }
}

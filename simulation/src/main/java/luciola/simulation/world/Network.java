package luciola.simulation.world;

import java.util.HashMap;
import java.util.Map;

/** Requests and replies between processes; each may be lost, late, overtaken or repeated. */
public final class Network {
  private static final long MICRO = 1_000;
  private static final long REPEATED_LATE_NANOS = 400_000 * MICRO;

  private final World world;
  private final Map<Link, Integer> cuts = new HashMap<>();
  private final Map<Link, Long> slow = new HashMap<>();
  private double loss;
  private double repeat;
  private long delayMaxNanos = 2_000 * MICRO;

  private record Link(String from, String to) {}

  /** Answers one request. */
  public interface ReplySink<A> {
    /** Sends the reply; a second one is ignored by the asker. */
    void reply(A answer);
  }

  /** Takes requests. */
  public interface Server<Q, A> {
    /** A request arrived. */
    void receive(Q request, ReplySink<A> sink);
  }

  /** Hears how a request ended. */
  public interface Asker<A> {
    /** The reply came in time. */
    void answered(A answer);

    /** It did not; {@code refused}: the other side is known not to be there. */
    void failed(boolean refused);
  }

  /** A network without faults. */
  public Network(World world) {
    this.world = world;
  }

  /** Sets how bad it is. */
  public void quality(double lossShare, double repeatShare, long delayMax) {
    loss = lossShare;
    repeat = repeatShare;
    delayMaxNanos = delayMax;
  }

  /** Lets nothing through in this direction, until it is mended as often as it was cut. */
  public void cut(SimProcess from, SimProcess to) {
    cuts.merge(new Link(from.name(), to.name()), 1, Integer::sum);
  }

  /** Takes one cut back. */
  public void mend(SimProcess from, SimProcess to) {
    cuts.computeIfPresent(
        new Link(from.name(), to.name()), (_, count) -> count == 1 ? null : count - 1);
  }

  /** Whether messages pass in this direction. */
  public boolean open(SimProcess from, SimProcess to) {
    return !cuts.containsKey(new Link(from.name(), to.name()));
  }

  /** Makes messages in this direction take up to so much longer; 0: as usual. */
  public void slow(SimProcess from, SimProcess to, long moreNanos) {
    slow.put(new Link(from.name(), to.name()), moreNanos);
  }

  /** Repairs every link. */
  public void repair() {
    cuts.clear();
    slow.clear();
  }

  /** Sends a request; exactly one of the asker's methods is called, if its life lasts. */
  public <Q, A> void call(
      SimProcess from,
      SimProcess to,
      Server<Q, A> server,
      Q request,
      long timeoutNanos,
      Asker<A> asker) {
    var call = new Call<A>(from, from.life(), asker);
    from.later(timeoutNanos, () -> call.fail(false));
    int copies = world.chance(repeat) ? 2 : 1;
    for (int copy = 0; copy < copies; copy++) {
      if (lost(from, to)) {
        world.met("a message was lost");
        continue;
      }
      // A repeated one may come long after: from a connection that nobody uses any more.
      long late = copy > 0 && world.chance(0.4) ? world.between(0, REPEATED_LATE_NANOS) : 0;
      world.later(delay(from, to) + late, () -> deliver(call, to, server, request));
    }
  }

  private <Q, A> void deliver(Call<A> call, SimProcess to, Server<Q, A> server, Q request) {
    if (!to.up()) {
      if (!lost(to, call.from)) {
        world.later(delay(to, call.from), () -> call.from.run(call.life, () -> call.fail(true)));
      }
      return;
    }
    to.run(to.life(), () -> server.receive(request, answer -> reply(call, to, answer)));
  }

  private <A> void reply(Call<A> call, SimProcess to, A answer) {
    if (!lost(to, call.from)) {
      world.later(delay(to, call.from), () -> call.from.run(call.life, () -> call.answer(answer)));
    }
  }

  private boolean lost(SimProcess from, SimProcess to) {
    return !open(from, to) || world.chance(loss);
  }

  private long delay(SimProcess from, SimProcess to) {
    long usual = world.between(20 * MICRO, 400 * MICRO);
    long taken = world.chance(0.1) ? world.between(usual, delayMaxNanos) : usual;
    Long more = slow.isEmpty() ? null : slow.get(new Link(from.name(), to.name()));
    return more == null ? taken : taken + world.between(0, more);
  }

  private static final class Call<A> {
    final SimProcess from;
    final int life;
    private final Asker<A> asker;
    private boolean done;

    Call(SimProcess from, int life, Asker<A> asker) {
      this.from = from;
      this.life = life;
      this.asker = asker;
    }

    void answer(A answer) {
      if (!done) {
        done = true;
        asker.answered(answer);
      }
    }

    void fail(boolean refused) {
      if (!done) {
        done = true;
        asker.failed(refused);
      }
    }
  }
}

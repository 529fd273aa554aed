package luciola.loader.ring;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/** The owner's end of both rings. One thread, but {@link #lost}. */
final class RingOwner implements AutoCloseable {
  private static final long NANOS_PER_MILLI = 1_000_000;

  private final RingMemory memory;
  private final WakePipe agentWakes;
  private final WakePipe ownerWakes;
  private final int entries;
  private volatile @Nullable LuciolaException lost;
  private int put;
  private int taken;

  private RingOwner(RingMemory memory, WakePipe agentWakes, WakePipe ownerWakes) {
    this.memory = memory;
    this.agentWakes = agentWakes;
    this.ownerWakes = ownerWakes;
    this.entries = memory.layout().entries();
    this.put = memory.submissionsPut();
    this.taken = memory.completionsTaken();
  }

  /** Of a region that an agent has made, with the pipes beside it. */
  static RingOwner of(MemorySegment region, Path submitPipe, Path completePipe) {
    RingMemory memory = new RingMemory(region, RingLayout.decode(region));
    WakePipe agentWakes = WakePipe.open(submitPipe);
    try {
      return new RingOwner(memory, agentWakes, WakePipe.open(completePipe));
    } catch (RuntimeException e) {
      agentWakes.close();
      throw e;
    }
  }

  MemorySegment data() {
    return memory.data();
  }

  int underWay() {
    return put - taken;
  }

  boolean put(Submission submission) {
    if (put - taken == entries) {
      return false;
    }
    memory.put(put++, submission);
    return true;
  }

  void submit() {
    memory.publishSubmissions(put);
    if (memory.wakesAgent()) {
      agentWakes.wake();
    }
  }

  Optional<Completion> take() {
    if (memory.completionsPut() == taken) {
      return Optional.empty();
    }
    Completion completion = memory.completion(taken);
    memory.freeCompletions(++taken);
    return Optional.of(completion);
  }

  /** Nothing more will come; {@link #await} says why. From any thread. */
  void lost(LuciolaException why) {
    lost = why;
    ownerWakes.wake();
  }

  int await(int wanted, Duration timeout) {
    int least = Math.min(wanted, underWay());
    long until = System.nanoTime() + timeout.toNanos();
    while (true) {
      int there = memory.completionsPut() - taken;
      long left = until - System.nanoTime();
      if (there >= least || left <= 0) {
        return there;
      }
      LuciolaException why = lost;
      if (why != null) {
        throw why;
      }
      memory.ownerWaits(least);
      if (memory.completionsPut() - taken < least && lost == null) {
        ownerWakes.await((int) Math.min(Integer.MAX_VALUE, left / NANOS_PER_MILLI + 1));
      }
      memory.ownerIsAwake();
    }
  }

  /** {@link #lost} may not be called any more. */
  @Override
  public void close() {
    agentWakes.close();
    ownerWakes.close();
  }
}

package luciola.loader.ring;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * The memory of a ring as both sides use it. A counter is published with release after what it
 * counts, and read with acquire before it. Who goes to sleep says so, then looks once more; who has
 * published looks afterwards whether somebody sleeps: a full fence between the two on both sides
 * means that one of them sees the other.
 */
final class RingMemory {
  private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();

  private final MemorySegment region;
  private final RingLayout layout;
  private final MemorySegment data;

  /** The region must outlive all use of this. */
  RingMemory(MemorySegment region, RingLayout layout) {
    if (region.byteSize() != layout.regionBytes()) {
      throw new IllegalArgumentException(
          "region does not fit: bytes=" + region.byteSize() + " " + layout);
    }
    this.region = region;
    this.layout = layout;
    this.data = region.asSlice(layout.dataAt(), layout.dataBytes());
  }

  RingLayout layout() {
    return layout;
  }

  MemorySegment data() {
    return data;
  }

  private int acquire(long word) {
    return (int) WORD.getAcquire(region, word);
  }

  private void release(long word, int value) {
    WORD.setRelease(region, word, value);
  }

  int submissionsPut() {
    return acquire(RingLayout.SUBMISSIONS_PUT);
  }

  void publishSubmissions(int put) {
    release(RingLayout.SUBMISSIONS_PUT, put);
  }

  int submissionsTaken() {
    return acquire(RingLayout.SUBMISSIONS_TAKEN);
  }

  void freeSubmissions(int taken) {
    release(RingLayout.SUBMISSIONS_TAKEN, taken);
  }

  int completionsPut() {
    return acquire(RingLayout.COMPLETIONS_PUT);
  }

  void publishCompletions(int put) {
    release(RingLayout.COMPLETIONS_PUT, put);
  }

  int completionsTaken() {
    return acquire(RingLayout.COMPLETIONS_TAKEN);
  }

  void freeCompletions(int taken) {
    release(RingLayout.COMPLETIONS_TAKEN, taken);
  }

  Submission submission(int number) {
    return RingLayout.submission(region, layout.submissionAt(number));
  }

  void put(int number, Submission submission) {
    RingLayout.encode(region, layout.submissionAt(number), submission);
  }

  Completion completion(int number) {
    return RingLayout.completion(region, layout.completionAt(number));
  }

  void put(int number, Completion completion) {
    RingLayout.encode(region, layout.completionAt(number), completion);
  }

  /** The agent is about to sleep; it looks for submissions once more after this. */
  void agentSleeps() {
    WORD.setVolatile(region, RingLayout.AGENT_SLEEPS, 1);
    VarHandle.fullFence();
  }

  void agentIsAwake() {
    WORD.setVolatile(region, RingLayout.AGENT_SLEEPS, 0);
  }

  /** After submissions were published: whether the agent is to be woken, by the caller alone. */
  boolean wakesAgent() {
    VarHandle.fullFence();
    return (int) WORD.getVolatile(region, RingLayout.AGENT_SLEEPS) != 0
        && (int) WORD.getAndSet(region, RingLayout.AGENT_SLEEPS, 0) != 0;
  }

  /** The owner is about to sleep until so many are there; it looks once more after this. */
  void ownerWaits(int completions) {
    WORD.setVolatile(region, RingLayout.OWNER_WAITS, completions);
    VarHandle.fullFence();
  }

  void ownerIsAwake() {
    WORD.setVolatile(region, RingLayout.OWNER_WAITS, 0);
  }

  /** After completions were published: whether the owner is to be woken, by the caller alone. */
  boolean wakesOwner(int put) {
    VarHandle.fullFence();
    int wanted = (int) WORD.getVolatile(region, RingLayout.OWNER_WAITS);
    return wanted != 0
        && Integer.compareUnsigned(put - completionsTaken(), wanted) >= 0
        && (int) WORD.getAndSet(region, RingLayout.OWNER_WAITS, 0) != 0;
  }
}

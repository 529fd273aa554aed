package luciola.loader.ring;

/**
 * The agent's end of the completions: any thread puts one in, none ever waits. There is room for
 * each, because only so many submissions are taken as there are entries.
 */
final class CompletionRing {
  private final RingMemory memory;
  private final WakePipe owner;
  private int put;

  CompletionRing(RingMemory memory, WakePipe owner) {
    this.memory = memory;
    this.owner = owner;
    this.put = memory.layout().firstNumber();
  }

  /** Puts one in and wakes the owner if it waits for that. */
  void put(Completion completion) {
    int number;
    synchronized (this) {
      memory.put(put, completion);
      number = ++put;
      memory.publishCompletions(number);
    }
    if (memory.wakesOwner(number)) {
      owner.wake();
    }
  }
}

package luciola.storage.replica;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;

/** Sees what replicas decide, on their owners' threads. A simulator holds it against its rules. */
public interface ChainObserver {
  /** Looks away. */
  ChainObserver NONE =
      new ChainObserver() {
        @Override
        public void stepped(
            ChainId chain,
            TargetId target,
            ChainEvent event,
            List<ChainEffect> effects,
            ChainReplica replica) {}

        @Override
        public void broke(ChainId chain, TargetId target, RuntimeException cause) {}
      };

  /** A replica took an event; its effects are executed next. */
  void stepped(
      ChainId chain,
      TargetId target,
      ChainEvent event,
      List<ChainEffect> effects,
      ChainReplica replica);

  /** A replica takes part in nothing any more because of a mistake in the program. */
  void broke(ChainId chain, TargetId target, RuntimeException cause);
}

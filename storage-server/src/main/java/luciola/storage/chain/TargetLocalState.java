package luciola.storage.chain;

import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import org.jspecify.annotations.Nullable;

/**
 * What a target reports of itself.
 *
 * <p>A life begins OFFLINE: what the chain did meanwhile is unknown, and the manager may still
 * count the target as serving. On each chain version that is learned:
 *
 * <pre>
 * local now    public in the new version          local next
 * FAILED       any                                OFFLINE for the rest of this life
 * any          LAST_SERVING                       UP_TO_DATE (held everything when the chain stopped)
 * any          WAITING, OFFLINE                   ONLINE
 * OFFLINE      SERVING of a chain's version 1     UP_TO_DATE if nothing was ever stored here
 * OFFLINE      SERVING, SYNCING otherwise         OFFLINE until demoted: that was the former life
 * ONLINE       SERVING                            ONLINE (the manager does not do this)
 * ONLINE       SYNCING                            ONLINE
 * UP_TO_DATE   SERVING                            UP_TO_DATE
 * UP_TO_DATE   SYNCING, and in the one before     UP_TO_DATE (sync is done, not yet promoted)
 * UP_TO_DATE   SYNCING otherwise                  ONLINE (others may have gone on without it)
 * </pre>
 *
 * SyncDone of the present chain version turns ONLINE into UP_TO_DATE.
 */
public final class TargetLocalState {
  private LocalState state = LocalState.OFFLINE;
  private boolean failed;
  private @Nullable PublicState publicState;

  /** What to report. */
  public LocalState state() {
    return state;
  }

  /** Whether the target takes part in nothing in this life: until it is opened again. */
  public boolean failed() {
    return failed;
  }

  /**
   * A newer chain version holds the target in this state; OFFLINE if it is no member.
   *
   * @param nextOne whether it is the one after the version known until now
   */
  void chainChanged(PublicState now, boolean nextOne) {
    @Nullable PublicState before = publicState;
    publicState = now;
    if (failed) {
      return;
    }
    state =
        switch (now) {
          case LAST_SERVING -> LocalState.UP_TO_DATE;
          case WAITING, OFFLINE -> LocalState.ONLINE;
          case SERVING -> state;
          case SYNCING ->
              state == LocalState.UP_TO_DATE && !(nextOne && before == PublicState.SYNCING)
                  ? LocalState.ONLINE
                  : state;
        };
  }

  /**
   * The first thing this life learns is the first version of its chain, and nothing was ever
   * stored: no update can have completed, because each needed this target.
   */
  void newChain() {
    if (!failed) {
      state = LocalState.UP_TO_DATE;
    }
  }

  /** The sync source has delivered everything. */
  void syncDone() {
    if (!failed && state == LocalState.ONLINE) {
      state = LocalState.UP_TO_DATE;
    }
  }

  /** The disk failed. */
  void fail() {
    failed = true;
    state = LocalState.OFFLINE;
  }
}

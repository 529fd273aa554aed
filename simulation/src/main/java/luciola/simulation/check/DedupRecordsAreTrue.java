package luciola.simulation.check;

import luciola.protocol.frame.DedupRecord;
import luciola.protocol.id.ChunkVersion;

/**
 * Whoever keeps a record that a client's update is done has that update: its version, or a newer
 * one, is durable there before the record is, or the chunk was removed since and all forgot it.
 * Otherwise it would one day answer a retry with an update that is nowhere.
 */
public final class DedupRecordsAreTrue {
  private static final String RULE = "DedupRecordsAreTrue";

  private DedupRecordsAreTrue() {}

  /**
   * A replica is handed a record and is about to store it.
   *
   * @param replica as its disk is at this very time
   * @param forgotten the newest removal of the chunk whose tombstone was forgotten
   */
  public static void stores(
      DedupRecord record, AcknowledgedWritesSurvive.Replica replica, ChunkVersion forgotten) {
    ChunkVersion held = replica.newestDurable(record.chunk());
    boolean gone = held.equals(ChunkVersion.NONE) && forgotten.compareTo(record.version()) >= 0;
    if (!gone && held.compareTo(record.version()) < 0) {
      throw new RuleBroken(
          RULE, replica.name() + " stores " + record + ", but holds durably " + held);
    }
  }
}

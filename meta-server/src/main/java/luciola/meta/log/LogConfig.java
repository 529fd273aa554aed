package luciola.meta.log;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the replicated log is kept.
 *
 * @param directory of the log and its snapshots
 * @param self id of this member
 * @param members all members, this one included
 * @param commandsMax commands in one entry, 1 to 65536; default 1024
 * @param bytesMax bytes of one entry, 64 KiB to 2 MiB; default 1 MiB (one command may be larger, up
 *     to the service's message limit)
 * @param entriesMax entries under way at once, 1 to 64; default 2: while they are written, the next
 *     one gathers
 * @param queueMax commands waiting for an entry, 1 or more; default 65536; more are refused
 * @param electionMillis shortest silence after which another member stands for election, 50 or
 *     more; default 1000; the longest is twice that
 * @param snapshotEntries entries between two snapshots, 100 or more; default 100000
 * @param segmentBytes size of a log file, 64 KiB or more; default 64 MiB; what a snapshot covers is
 *     removed by whole files
 * @param tls how the members know each other; null: not at all
 */
public record LogConfig(
    Path directory,
    String self,
    List<Member> members,
    int commandsMax,
    int bytesMax,
    int entriesMax,
    int queueMax,
    int electionMillis,
    long snapshotEntries,
    int segmentBytes,
    @Nullable MemberTls tls) {
  public LogConfig {
    members = List.copyOf(members);
    if (members.stream().filter(member -> member.id().equals(self)).count() != 1) {
      throw new IllegalArgumentException(
          "this member must be listed once: self=" + self + " members=" + members);
    }
    if (commandsMax < 1
        || commandsMax > 65_536
        || bytesMax < 1 << 16
        || bytesMax > 1 << 21
        || entriesMax < 1
        || entriesMax > 64
        || queueMax < 1
        || electionMillis < 50
        || snapshotEntries < 100
        || segmentBytes < 1 << 16) {
      throw new IllegalArgumentException(
          "out of bounds: commandsMax="
              + commandsMax
              + " bytesMax="
              + bytesMax
              + " entriesMax="
              + entriesMax
              + " queueMax="
              + queueMax
              + " electionMillis="
              + electionMillis
              + " snapshotEntries="
              + snapshotEntries
              + " segmentBytes="
              + segmentBytes);
    }
  }
}

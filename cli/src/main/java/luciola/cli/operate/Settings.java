package luciola.cli.operate;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.ClusterSettings;
import luciola.grpc.v1.SlowDiskPolicy;

/** The settings of a running cluster as operators write them. */
final class Settings {
  /** One setting: its name, its field, how it is read and how it is shown. */
  private record Setting(
      String name,
      String field,
      String meaning,
      BiConsumer<ClusterSettings.Builder, String> set,
      Function<ClusterSettings, String> show) {}

  private static final List<Setting> ALL =
      List.of(
          new Setting(
              "resync-rate",
              "resync_bytes_per_second",
              "bytes a second that a server fills other replicas with, 200MiB; 0: its own setting",
              (to, text) -> to.setResyncBytesPerSecond(Quantity.bytes("resync-rate", text)),
              set -> rate(set.getResyncBytesPerSecond())),
          new Setting(
              "scrub-rate",
              "scrub_bytes_per_second",
              "bytes a second that a target is scrubbed with; 0: its server's own setting",
              (to, text) -> to.setScrubBytesPerSecond(Quantity.bytes("scrub-rate", text)),
              set -> rate(set.getScrubBytesPerSecond())),
          new Setting(
              "slow-disks",
              "slow_disk_policy",
              "off, report, or demote: out of service while its chains stay redundant",
              (to, text) -> to.setSlowDiskPolicy(policy(text)),
              set -> policy(set.getSlowDiskPolicy())),
          new Setting(
              "slow-disk-factor",
              "slow_disk_factor",
              "how many times the median latency of its peers is slow",
              (to, text) -> to.setSlowDiskFactor(Quantity.count("slow-disk-factor", text)),
              set -> set.hasSlowDiskFactor() ? "" + set.getSlowDiskFactor() : "8 (default)"),
          new Setting(
              "slow-disk-time",
              "slow_disk_nanos",
              "for how long, 30s",
              (to, text) -> to.setSlowDiskNanos(Quantity.nanos("slow-disk-time", text)),
              set -> set.hasSlowDiskNanos() ? time(set.getSlowDiskNanos()) : "30.0 s (default)"),
          new Setting(
              "auto-replace",
              "auto_replace_nanos",
              "replace a replica that is gone for longer, 1h; off",
              (to, text) ->
                  to.setAutoReplaceNanos(
                      text.equals("off") ? 0 : Quantity.nanos("auto-replace", text)),
              set -> set.getAutoReplaceNanos() == 0 ? "off" : time(set.getAutoReplaceNanos())),
          new Setting(
              "moves-max",
              "moves_max",
              "chains whose members move at the same time",
              (to, text) -> to.setMovesMax(Quantity.count("moves-max", text)),
              set -> set.hasMovesMax() ? "" + set.getMovesMax() : "16 (default)"),
          new Setting(
              "syncing-per-chain",
              "syncing_per_chain",
              "members of a chain that are filled at the same time",
              (to, text) -> to.setSyncingPerChain(Quantity.count("syncing-per-chain", text)),
              set ->
                  set.hasSyncingPerChain()
                      ? "" + set.getSyncingPerChain()
                      : "as the meta-server is configured (default)"),
          new Setting(
              "syncing-per-target",
              "syncing_per_target",
              "chains that are filled into one target at the same time",
              (to, text) -> to.setSyncingPerTarget(Quantity.count("syncing-per-target", text)),
              set -> set.hasSyncingPerTarget() ? "" + set.getSyncingPerTarget() : "8 (default)"));

  private Settings() {}

  private static String rate(long bytes) {
    return bytes == 0 ? "each server's own (default)" : Units.bytes(bytes) + "/s";
  }

  private static String time(long nanos) {
    return Units.duration(Duration.ofNanos(nanos));
  }

  private static SlowDiskPolicy policy(String text) {
    return switch (text) {
      case "off" -> SlowDiskPolicy.SLOW_DISK_POLICY_OFF;
      case "report" -> SlowDiskPolicy.SLOW_DISK_POLICY_REPORT;
      case "demote" -> SlowDiskPolicy.SLOW_DISK_POLICY_DEMOTE;
      default -> throw CommandFailure.wrongUse("slow-disks is off, report or demote: " + text);
    };
  }

  private static String policy(SlowDiskPolicy policy) {
    return switch (policy) {
      case SLOW_DISK_POLICY_OFF -> "off";
      case SLOW_DISK_POLICY_DEMOTE -> "demote";
      case SLOW_DISK_POLICY_REPORT -> "report";
      case SLOW_DISK_POLICY_UNSPECIFIED, UNRECOGNIZED -> "report (default)";
    };
  }

  /** Names and values in force. */
  static Map<String, String> of(ClusterSettings settings) {
    var values = new LinkedHashMap<String, String>();
    ALL.forEach(each -> values.put(each.name(), each.show().apply(settings)));
    return values;
  }

  /** What a setting means. */
  static String meaning(String name) {
    return named(name).meaning();
  }

  /** The message that sets one. */
  static ClusterSettings set(String name, String value) {
    var settings = ClusterSettings.newBuilder();
    named(name).set().accept(settings, value);
    return settings.build();
  }

  /** The field of a setting. */
  static String field(String name) {
    return named(name).field();
  }

  private static Setting named(String name) {
    return ALL.stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            CommandFailure.wrongUse(
                "unknown setting "
                    + name
                    + "; there are "
                    + String.join(", ", ALL.stream().map(Setting::name).toList())
                        .toLowerCase(Locale.ROOT)));
  }
}

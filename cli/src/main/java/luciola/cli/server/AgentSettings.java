package luciola.cli.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import luciola.loader.agent.AgentConfiguration;

/**
 * One agent.
 *
 * @param metaAddresses {@code host:port} of some or all meta-servers, 1 or more
 * @param garbagePeriod between two rounds of removing the chunks of removed files, 1 ms or more; a
 *     round that finds much is followed by the next at once
 * @param garbageAge how long ago a file must have lost its last name, 0 or more: by then who has it
 *     open for reading has taken a session that keeps it
 * @param agent how it serves trainers
 * @param security what it shows to the cluster
 */
public record AgentSettings(
    List<String> metaAddresses,
    Duration garbagePeriod,
    Duration garbageAge,
    AgentConfiguration agent,
    ClientSecurity security) {
  private static final Duration GARBAGE_PERIOD_DEFAULT = Duration.ofSeconds(1);
  private static final Duration GARBAGE_AGE_DEFAULT = Duration.ofSeconds(10);

  public AgentSettings {
    if (garbagePeriod.toMillis() < 1) {
      throw new IllegalArgumentException("garbagePeriod must be 1 ms or more: " + garbagePeriod);
    }
    if (garbageAge.isNegative()) {
      throw new IllegalArgumentException("garbageAge must be 0 or more: " + garbageAge);
    }
    metaAddresses = List.copyOf(metaAddresses);
    if (metaAddresses.isEmpty()) {
      throw new IllegalArgumentException("metaAddresses must name a meta-server");
    }
  }

  /** An agent with the defaults. */
  public static AgentSettings of(List<String> metaAddresses, Path socket) {
    return new AgentSettings(
        metaAddresses,
        GARBAGE_PERIOD_DEFAULT,
        GARBAGE_AGE_DEFAULT,
        AgentConfiguration.of(socket),
        ClientSecurity.NONE);
  }
}

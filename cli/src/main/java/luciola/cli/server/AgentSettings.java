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
 * @param agent how it serves trainers
 * @param security what it shows to the cluster
 */
public record AgentSettings(
    List<String> metaAddresses,
    Duration garbagePeriod,
    AgentConfiguration agent,
    ClientSecurity security) {
  private static final Duration GARBAGE_PERIOD_DEFAULT = Duration.ofSeconds(1);

  public AgentSettings {
    if (garbagePeriod.toMillis() < 1) {
      throw new IllegalArgumentException("garbagePeriod must be 1 ms or more: " + garbagePeriod);
    }
    metaAddresses = List.copyOf(metaAddresses);
    if (metaAddresses.isEmpty()) {
      throw new IllegalArgumentException("metaAddresses must name a meta-server");
    }
  }

  /** An agent with the defaults. */
  public static AgentSettings of(List<String> metaAddresses, Path socket) {
    return new AgentSettings(
        metaAddresses, GARBAGE_PERIOD_DEFAULT, AgentConfiguration.of(socket), ClientSecurity.NONE);
  }
}

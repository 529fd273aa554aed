package luciola.cli.server;

import java.nio.file.Path;
import java.util.List;
import luciola.loader.agent.AgentConfiguration;

/**
 * One agent.
 *
 * @param metaAddresses {@code host:port} of some or all meta-servers, 1 or more
 * @param agent how it serves trainers
 */
public record AgentSettings(List<String> metaAddresses, AgentConfiguration agent) {
  public AgentSettings {
    metaAddresses = List.copyOf(metaAddresses);
    if (metaAddresses.isEmpty()) {
      throw new IllegalArgumentException("metaAddresses must name a meta-server");
    }
  }

  /** An agent with the defaults. */
  public static AgentSettings of(List<String> metaAddresses, Path socket) {
    return new AgentSettings(metaAddresses, AgentConfiguration.of(socket));
  }
}

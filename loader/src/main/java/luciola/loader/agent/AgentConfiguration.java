package luciola.loader.agent;

import java.nio.file.Path;
import luciola.loader.ring.RingConfiguration;
import luciola.loader.slot.SharedRegion;

/**
 * How an agent serves trainers.
 *
 * @param socket where it listens; at most 100 bytes, the limit of Unix sockets
 * @param sharedMemory directory of regions; best a memory file system
 * @param regionBytesMax shared memory of all trainers together, in bytes
 * @param slotBytesMax largest slot: a batch that needs more is refused
 * @param slotsMax most slots of one trainer
 * @param connectionsMax most trainers at once
 * @param requestsMax file requests of one trainer in progress at once
 * @param rings limits of rings
 */
public record AgentConfiguration(
    Path socket,
    Path sharedMemory,
    long regionBytesMax,
    long slotBytesMax,
    int slotsMax,
    int connectionsMax,
    int requestsMax,
    RingConfiguration rings) {
  private static final int SOCKET_PATH_BYTES_MAX = 100;

  public AgentConfiguration {
    if (socket.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length
        > SOCKET_PATH_BYTES_MAX) {
      throw new IllegalArgumentException(
          "socket path is longer than Unix sockets allow: socket="
              + socket
              + " bytesMax="
              + SOCKET_PATH_BYTES_MAX);
    }
    if (regionBytesMax < 1
        || slotBytesMax < 1
        || slotsMax < 1
        || connectionsMax < 1
        || requestsMax < 1) {
      throw new IllegalArgumentException("limits of an agent must be positive");
    }
  }

  /** The same with other limits of rings. */
  public AgentConfiguration withRings(RingConfiguration limits) {
    return new AgentConfiguration(
        socket,
        sharedMemory,
        regionBytesMax,
        slotBytesMax,
        slotsMax,
        connectionsMax,
        requestsMax,
        limits);
  }

  /** 1 GiB of shared memory, slots up to 256 MiB, 64 trainers. */
  public static AgentConfiguration of(Path socket) {
    return new AgentConfiguration(
        socket,
        SharedRegion.directoryDefault(),
        1L << 30,
        256L << 20,
        1024,
        64,
        64,
        RingConfiguration.DEFAULTS);
  }
}

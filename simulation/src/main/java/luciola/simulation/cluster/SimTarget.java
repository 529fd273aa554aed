package luciola.simulation.cluster;

import java.util.Map;
import java.util.TreeMap;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.simulation.PlantedBug;

/** A target of a storage-server: its number and what its disk holds of each chain. */
final class SimTarget {
  private final Cluster cluster;
  private final SimServer server;
  private final long uuid;
  private final Map<ChainId, SimDisk> disks = new TreeMap<>();
  private long id;
  private double errorChance;
  private double fullChance;

  SimTarget(Cluster cluster, SimServer server, long uuid) {
    this.cluster = cluster;
    this.server = server;
    this.uuid = uuid;
  }

  SimServer server() {
    return server;
  }

  long uuid() {
    return uuid;
  }

  /** 0 before the first registration. */
  long number() {
    return id;
  }

  TargetId id() {
    return new TargetId(id);
  }

  boolean registered() {
    return id != 0;
  }

  void number(long given) {
    id = given;
  }

  SimDisk disk(ChainId chain) {
    return disks.computeIfAbsent(
        chain,
        _ -> {
          var disk =
              new SimDisk(
                  cluster.world(),
                  server.process(),
                  cluster.rules(),
                  server.process() + "/target" + uuid + "/chain" + chain,
                  cluster.has(PlantedBug.NO_DEDUP));
          disk.failing(errorChance, fullChance);
          return disk;
        });
  }

  void diskFails(double errors, double full) {
    errorChance = errors;
    fullChance = full;
    disks.values().forEach(disk -> disk.failing(errors, full));
  }

  void crash() {
    disks.values().forEach(SimDisk::crash);
  }

  @Override
  public String toString() {
    return "target" + id;
  }
}

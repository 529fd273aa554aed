package luciola.storage.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import luciola.protocol.control.SecuritySettings;
import luciola.storage.chain.ChainLimits;
import luciola.storage.engine.EngineConfig;
import luciola.storage.replica.ReplicaSettings;
import luciola.storage.resync.ResyncLimits;

/**
 * One storage-server.
 *
 * @param dataDirectory where the server keeps its own identity; made if it is missing
 * @param targets directory of each target, 1 … 256, best one or more for each disk; made if missing
 * @param host address to listen on and to be reached at; default 127.0.0.1
 * @param port TCP port of the data plane, 0 … 65535; 0 (default): any free one
 * @param metaAddresses {@code host:port} of some or all meta-servers, 1 or more
 * @param labels zone, leaf, host, disk class; for placement; default none
 * @param engine limits of each target's engine, with its durability
 * @param chain limits of each chain's replica
 * @param resync limits of filling another replica
 * @param payloadBytes memory for what is received, a multiple of 64 MiB, 64 MiB …; default 512 MiB,
 *     of which only what is used is touched
 * @param ownerThreads threads that decide for chains, 1 … 64; default 2
 * @param readThreads threads that read from disks, 1 … 256; default 4
 * @param eventLoopThreads threads that move frames, 1 … 64; default 2
 * @param peerTimeout how long a call to another storage-server may take; 100 ms …; default 10 s
 * @param startTimeout how long the start waits for a meta-server; 100 ms …; default 60 s
 * @param resyncRetry pause before a failed resync begins anew; 1 ms …; default 1 s
 * @param resyncBytesPerSecond bandwidth of filling other replicas, of the whole server, 1 …;
 *     default 256 MiB; the cluster manager can set another while it runs
 * @param scrubBytesPerSecond most bandwidth of the scrub of each target, 1 …; default 64 MiB; the
 *     cluster manager can set another while it runs
 * @param scrubPeriod within which each block is verified once, as far as the bandwidth allows; 1 ms
 *     …; default 7 days
 * @param dedupKeep how long a client's channel that is not used is remembered; 1 s …; default 24 h
 * @param tombstoneKeep how long a removed chunk is remembered at least, of the time that its target
 *     is open; {@code dedupKeep} …; default 24 h
 * @param reopen when a target whose disk failed is tried again
 * @param security who is let in; default everybody
 */
public record StorageServerConfig(
    Path dataDirectory,
    List<Path> targets,
    String host,
    int port,
    List<String> metaAddresses,
    Map<String, String> labels,
    EngineConfig engine,
    ChainLimits chain,
    ResyncLimits resync,
    long payloadBytes,
    int ownerThreads,
    int readThreads,
    int eventLoopThreads,
    Duration peerTimeout,
    Duration startTimeout,
    Duration resyncRetry,
    long resyncBytesPerSecond,
    long scrubBytesPerSecond,
    Duration scrubPeriod,
    Duration dedupKeep,
    Duration tombstoneKeep,
    ReopenSettings reopen,
    SecuritySettings security) {
  public StorageServerConfig {
    targets = List.copyOf(targets);
    metaAddresses = List.copyOf(metaAddresses);
    labels = Map.copyOf(labels);
    check(!targets.isEmpty() && targets.size() <= 256, "targets", targets.size());
    check(!host.isEmpty(), "host", host);
    check(port >= 0 && port <= 65535, "port", port);
    check(!metaAddresses.isEmpty(), "metaAddresses", metaAddresses);
    check(payloadBytes >= 64 << 20 && payloadBytes % (64 << 20) == 0, "payloadBytes", payloadBytes);
    check(ownerThreads >= 1 && ownerThreads <= 64, "ownerThreads", ownerThreads);
    check(readThreads >= 1 && readThreads <= 256, "readThreads", readThreads);
    check(eventLoopThreads >= 1 && eventLoopThreads <= 64, "eventLoopThreads", eventLoopThreads);
    check(peerTimeout.toMillis() >= 100, "peerTimeout", peerTimeout);
    check(startTimeout.toMillis() >= 100, "startTimeout", startTimeout);
    check(resyncRetry.toMillis() >= 1, "resyncRetry", resyncRetry);
    check(resyncBytesPerSecond >= 1, "resyncBytesPerSecond", resyncBytesPerSecond);
    check(scrubBytesPerSecond >= 1, "scrubBytesPerSecond", scrubBytesPerSecond);
    check(scrubPeriod.toMillis() >= 1, "scrubPeriod", scrubPeriod);
    check(dedupKeep.toSeconds() >= 1, "dedupKeep", dedupKeep);
    check(tombstoneKeep.compareTo(dedupKeep) >= 0, "tombstoneKeep", tombstoneKeep);
  }

  private static void check(boolean ok, String name, Object value) {
    if (!ok) {
      throw new IllegalArgumentException("bad storage-server setting: " + name + "=" + value);
    }
  }

  /** What the replicas are told of this. */
  ReplicaSettings replicas() {
    return new ReplicaSettings(chain, resync, resyncRetry, readThreads);
  }

  /** One server on loopback with every default: a target for each directory. */
  public static StorageServerConfig of(
      Path dataDirectory, List<Path> targets, List<String> metaAddresses) {
    return new StorageServerConfig(
        dataDirectory,
        targets,
        "127.0.0.1",
        0,
        metaAddresses,
        Map.of(),
        EngineConfig.DEFAULTS,
        ChainLimits.DEFAULT,
        ResyncLimits.DEFAULT,
        512L << 20,
        2,
        4,
        2,
        Duration.ofSeconds(10),
        Duration.ofSeconds(60),
        Duration.ofSeconds(1),
        256L << 20,
        64L << 20,
        Duration.ofDays(7),
        Duration.ofHours(24),
        Duration.ofHours(24),
        ReopenSettings.DEFAULTS,
        SecuritySettings.OFF);
  }

  /** The same at another address. */
  public StorageServerConfig withAddress(String newHost, int newPort) {
    var changed = new Changed(this);
    changed.host = newHost;
    changed.port = newPort;
    return changed.build();
  }

  /** The same with other labels. */
  public StorageServerConfig withLabels(Map<String, String> newLabels) {
    var changed = new Changed(this);
    changed.labels = newLabels;
    return changed.build();
  }

  /** The same with other engine limits. */
  public StorageServerConfig withEngine(EngineConfig newEngine) {
    var changed = new Changed(this);
    changed.engine = newEngine;
    return changed.build();
  }

  /** The same with another pace of the scrub. */
  public StorageServerConfig withScrub(long bytesPerSecond, Duration period) {
    var changed = new Changed(this);
    changed.scrubBytesPerSecond = bytesPerSecond;
    changed.scrubPeriod = period;
    return changed.build();
  }

  /** The same with another bandwidth of filling other replicas. */
  public StorageServerConfig withResync(long bytesPerSecond) {
    var changed = new Changed(this);
    changed.resyncBytesPerSecond = bytesPerSecond;
    return changed.build();
  }

  /** The same with other times of remembering clients' channels and removed chunks. */
  public StorageServerConfig withKeep(Duration dedups, Duration tombstones) {
    var changed = new Changed(this);
    changed.dedupKeep = dedups;
    changed.tombstoneKeep = tombstones;
    return changed.build();
  }

  /** The same with other pauses before a failed target is tried again. */
  public StorageServerConfig withReopen(ReopenSettings newReopen) {
    var changed = new Changed(this);
    changed.reopen = newReopen;
    return changed.build();
  }

  /** The same waiting so long for a meta-server at its start. */
  public StorageServerConfig withStartTimeout(Duration newStartTimeout) {
    var changed = new Changed(this);
    changed.startTimeout = newStartTimeout;
    return changed.build();
  }

  /** The same letting others in. */
  public StorageServerConfig withSecurity(SecuritySettings newSecurity) {
    var changed = new Changed(this);
    changed.security = newSecurity;
    return changed.build();
  }

  /** A configuration of which some settings were changed. */
  private static final class Changed {
    private final StorageServerConfig from;
    private String host;
    private int port;
    private Map<String, String> labels;
    private EngineConfig engine;
    private long resyncBytesPerSecond;
    private long scrubBytesPerSecond;
    private Duration scrubPeriod;
    private Duration dedupKeep;
    private Duration startTimeout;
    private Duration tombstoneKeep;
    private ReopenSettings reopen;
    private SecuritySettings security;

    Changed(StorageServerConfig from) {
      this.from = from;
      this.host = from.host;
      this.port = from.port;
      this.labels = from.labels;
      this.engine = from.engine;
      this.resyncBytesPerSecond = from.resyncBytesPerSecond;
      this.scrubBytesPerSecond = from.scrubBytesPerSecond;
      this.scrubPeriod = from.scrubPeriod;
      this.dedupKeep = from.dedupKeep;
      this.startTimeout = from.startTimeout;
      this.tombstoneKeep = from.tombstoneKeep;
      this.reopen = from.reopen;
      this.security = from.security;
    }

    StorageServerConfig build() {
      return new StorageServerConfig(
          from.dataDirectory,
          from.targets,
          host,
          port,
          from.metaAddresses,
          labels,
          engine,
          from.chain,
          from.resync,
          from.payloadBytes,
          from.ownerThreads,
          from.readThreads,
          from.eventLoopThreads,
          from.peerTimeout,
          startTimeout,
          from.resyncRetry,
          resyncBytesPerSecond,
          scrubBytesPerSecond,
          scrubPeriod,
          dedupKeep,
          tombstoneKeep,
          reopen,
          security);
    }
  }
}

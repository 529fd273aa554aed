package luciola.meta.log;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.grpc.GrpcUtil;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.security.TlsConf;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslProvider;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/**
 * What Ratis is told.
 *
 * @param group the members
 * @param properties bounds, times and addresses
 * @param parameters who may connect to the raft port, and how this member connects to others'
 * @param appends holds replies back; to be told where the log is
 */
record RaftSetup(
    RaftGroup group, RaftProperties properties, Parameters parameters, AppendGate appends) {
  /** The one group there is. */
  static final RaftGroupId GROUP =
      RaftGroupId.valueOf(
          UUID.nameUUIDFromBytes("luciola-meta-server".getBytes(StandardCharsets.US_ASCII)));

  /**
   * Of a member.
   *
   * @param recovery whether it may be counted on
   * @throws luciola.protocol.error.LuciolaException INVALID_ARGUMENT if its certificates cannot be
   *     used
   */
  static RaftSetup of(LogConfig config, Recovery recovery) {
    var appends = new AppendGate(recovery);
    return new RaftSetup(
        groupOf(config), propertiesOf(config), parametersOf(config, appends), appends);
  }

  private static Parameters parametersOf(LogConfig config, AppendGate appends) {
    var parameters = new Parameters();
    var gate = new PortGate(config.members().size() == 1);
    GrpcConfigKeys.Server.setServicesCustomizer(
        parameters, (builder, _) -> builder.intercept(gate).intercept(appends));
    MemberTls tls = config.tls();
    if (tls != null) {
      // For what is served and what is called, members', clients' and operators' calls alike.
      GrpcConfigKeys.TLS.setConf(parameters, encryption(tls));
    }
    return parameters;
  }

  private static GrpcTlsConfig encryption(MemberTls tls) {
    GrpcTlsConfig encryption =
        GrpcTlsConfig.newBuilder()
            .setPrivateKey(new TlsConf.PrivateKeyConf(tls.key().toFile()))
            .setKeyCertificates(new TlsConf.CertificatesConf(tls.certificate().toFile()))
            .setTrustManager(MemberTrust.of(tls))
            .setMutualTls(true)
            .setSslProvider(SslProvider.JDK)
            .setProtocols("TLSv1.3")
            .build();
    try {
      // Tried here, where it can be told what is wrong.
      var _ = GrpcUtil.buildSslContextForServer(encryption);
      return encryption;
    } catch (IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "tls: cannot use certificate=" + tls.certificate() + " key=" + tls.key() + " cause=" + e,
          e);
    }
  }

  private static RaftGroup groupOf(LogConfig config) {
    List<RaftPeer> peers = new ArrayList<>();
    for (Member member : config.members()) {
      peers.add(
          RaftPeer.newBuilder()
              .setId(member.id())
              .setAddress(member.host() + ":" + member.raftPort())
              .build());
    }
    return RaftGroup.valueOf(GROUP, peers);
  }

  private static RaftProperties propertiesOf(LogConfig config) {
    var properties = new RaftProperties();
    Member self =
        config.members().stream()
            .filter(member -> member.id().equals(config.self()))
            .findFirst()
            .orElseThrow();
    boolean alone = config.members().size() == 1;
    RaftServerConfigKeys.setStorageDir(properties, List.of(config.directory().toFile()));
    GrpcConfigKeys.Server.setHost(properties, alone ? "127.0.0.1" : self.host());
    GrpcConfigKeys.Server.setPort(properties, alone ? 0 : self.raftPort());
    RaftServerConfigKeys.Log.setLogMetadataEnabled(properties, false);
    RaftServerConfigKeys.Log.setSegmentSizeMax(
        properties, SizeInBytes.valueOf(config.segmentBytes()));
    RaftServerConfigKeys.Log.setPreallocatedSize(
        properties, SizeInBytes.valueOf(Math.min(4 << 20, config.segmentBytes())));
    RaftServerConfigKeys.Log.setWriteBufferSize(properties, SizeInBytes.valueOf("5MB"));
    // Composed appends acknowledge what is sent again with more behind it before that is there.
    RaftServerConfigKeys.Log.setAppendEntriesComposeEnabled(properties, false);
    RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
    RaftServerConfigKeys.Log.setPurgeGap(
        properties, (int) Math.min(1024, config.snapshotEntries()));
    RaftServerConfigKeys.Log.Appender.setBufferByteLimit(properties, SizeInBytes.valueOf("4MB"));
    // One that was away is not kept waiting: seconds without a word are an election.
    RaftServerConfigKeys.Log.Appender.setRetryPolicy(properties, "1ms,10, 100ms,1000000");
    RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, true);
    RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(properties, config.snapshotEntries());
    RaftServerConfigKeys.Snapshot.setCreationGap(properties, 1);
    RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(properties, true);
    RaftServerConfigKeys.Read.setLeaderLeaseEnabled(properties, true);
    RaftServerConfigKeys.LeaderElection.setPreVote(properties, true);
    RaftServerConfigKeys.RetryCache.setExpiryTime(
        properties, TimeDuration.valueOf(5, TimeUnit.SECONDS));
    // A pause of the process is survived: followers elect another leader, clients find it.
    RaftServerConfigKeys.setCloseThreshold(properties, TimeDuration.valueOf(1, TimeUnit.HOURS));
    int election = config.electionMillis();
    RaftServerConfigKeys.Rpc.setTimeoutMin(properties, millis(election));
    RaftServerConfigKeys.Rpc.setTimeoutMax(properties, millis(2 * election));
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, millis(alone ? 1 : election));
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(
        properties, millis(alone ? 20 : 2 * election));
    return properties;
  }

  private static TimeDuration millis(int millis) {
    return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
  }
}

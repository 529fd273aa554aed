package luciola.protocol.control;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;
import luciola.protocol.audit.AuditLog;
import luciola.protocol.connection.Tls;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whom a server lets in. The same on all servers of a cluster.
 *
 * @param required whether callers have to show who they are; default false: everybody is let in
 * @param secret file with the cluster's secret, by which its servers know each other; required with
 *     {@code required}
 * @param capabilityTime how long what a caller shows to storage-servers is good for; it is renewed
 *     at a third; 1 s or more; default 10 min
 * @param keyTime after which the key that signs it is replaced; {@code capabilityTime} or more;
 *     default 1 h
 * @param audit file in which operators' calls and refusals are recorded; empty (the default):
 *     {@code audit.log} in the server's own directory. Only with {@code required}
 * @param auditBytes after which that file is put aside, 4 KiB or more; default 16 MiB
 * @param auditFiles files put aside that are kept, 1 to 1000; default 8
 * @param operationsPerSecond namespace operations that each user may ask for; 0 (the default): as
 *     many as it likes
 * @param tls whether connections are encrypted; default false
 * @param certificate file with this server's certificate and those above it, PEM; required with
 *     {@code tls}
 * @param key file with its private key, PEM, PKCS 8; required with {@code tls}
 * @param authorities file with the certificates of those whose signature this server believes of
 *     others, PEM; required with {@code tls}
 * @param memberCertificates file with the certificates of the meta-servers, or of an authority that
 *     signs for nobody else, PEM: only who has one of them may replicate the log; required with
 *     {@code tls} where there are several meta-servers
 * @param clientAuthorities file with the certificates of those who sign for users, PEM: who shows a
 *     certificate of theirs to a meta-server needs no token. Empty (the default): callers show
 *     none. Only with {@code required} and {@code tls}
 */
public record SecuritySettings(
    boolean required,
    Path secret,
    Duration capabilityTime,
    Duration keyTime,
    Path audit,
    long auditBytes,
    int auditFiles,
    long operationsPerSecond,
    boolean tls,
    Path certificate,
    Path key,
    Path authorities,
    Path memberCertificates,
    Path clientAuthorities) {
  /** Everybody is let in. */
  public static final SecuritySettings OFF =
      new SecuritySettings(
          false,
          Path.of(""),
          Duration.ofMinutes(10),
          Duration.ofHours(1),
          Path.of(""),
          16 << 20,
          8,
          0,
          false,
          Path.of(""),
          Path.of(""),
          Path.of(""),
          Path.of(""),
          Path.of(""));

  private static final Logger LOG = LoggerFactory.getLogger(SecuritySettings.class);

  public SecuritySettings {
    if (required && secret.toString().isEmpty()) {
      throw new IllegalArgumentException(
          "security.required needs security.secret, a file with the cluster's secret");
    }
    if (capabilityTime.compareTo(Duration.ofSeconds(1)) < 0
        || keyTime.compareTo(capabilityTime) < 0) {
      throw new IllegalArgumentException(
          "bad security times: capabilityTime=" + capabilityTime + " keyTime=" + keyTime);
    }
    if (tls
        && (certificate.toString().isEmpty()
            || key.toString().isEmpty()
            || authorities.toString().isEmpty())) {
      throw new IllegalArgumentException(
          "security.tls needs security.certificate, security.key and security.authorities");
    }
    if (!clientAuthorities.toString().isEmpty() && !(tls && required)) {
      throw new IllegalArgumentException(
          "security.clientAuthorities needs security.required and security.tls");
    }
    if (auditBytes < 4096 || auditFiles < 1 || auditFiles > 1000 || operationsPerSecond < 0) {
      throw new IllegalArgumentException(
          "bad security settings: auditBytes="
              + auditBytes
              + " auditFiles="
              + auditFiles
              + " operationsPerSecond="
              + operationsPerSecond);
    }
  }

  /** Callers have to show who they are. */
  public static SecuritySettings required(Path secret) {
    var changed = new Changed(OFF);
    changed.required = true;
    changed.secret = secret;
    return changed.build();
  }

  /** The same with other times. */
  public SecuritySettings withTimes(Duration newCapabilityTime, Duration newKeyTime) {
    var changed = new Changed(this);
    changed.capabilityTime = newCapabilityTime;
    changed.keyTime = newKeyTime;
    return changed.build();
  }

  /** The same with encrypted connections. */
  public SecuritySettings withTls(Path newCertificate, Path newKey, Path newAuthorities) {
    var changed = new Changed(this);
    changed.tls = true;
    changed.certificate = newCertificate;
    changed.key = newKey;
    changed.authorities = newAuthorities;
    return changed.build();
  }

  /** The same with those who may replicate the log. */
  public SecuritySettings withMembers(Path newMemberCertificates) {
    var changed = new Changed(this);
    changed.memberCertificates = newMemberCertificates;
    return changed.build();
  }

  /** The same with those who sign for users. */
  public SecuritySettings withClientAuthorities(Path newClientAuthorities) {
    var changed = new Changed(this);
    changed.clientAuthorities = newClientAuthorities;
    return changed.build();
  }

  /** The same with a bound on each user's operations. */
  public SecuritySettings withOperationsPerSecond(long newOperationsPerSecond) {
    var changed = new Changed(this);
    changed.operationsPerSecond = newOperationsPerSecond;
    return changed.build();
  }

  /** How connections of the data plane to this server are encrypted; null: not. */
  public @Nullable Tls serverTls() {
    return tls ? Tls.ofServer(certificate, key) : null;
  }

  /** How those of this server to others are; null: not. */
  public @Nullable Tls callerTls() {
    return tls ? Tls.ofCaller(authorities) : null;
  }

  /**
   * The record of a server that keeps its files in this directory.
   *
   * @throws LuciolaException DISK_ERROR if it cannot be written
   */
  public AuditLog auditIn(Path directory) {
    if (!required) {
      return AuditLog.NONE;
    }
    Path file = audit.toString().isEmpty() ? directory.resolve("audit.log") : audit;
    return AuditLog.open(file, auditBytes, auditFiles, WallTime::nanos);
  }

  /**
   * The cluster's secret; empty if there is none.
   *
   * @throws LuciolaException UNAUTHENTICATED or NOT_PERMITTED if its file is not as it should be
   */
  public Optional<Secret> clusterSecret() {
    if (secret.toString().isEmpty()) {
      return Optional.empty();
    }
    if (CredentialFile.read(secret) instanceof Credential.OfServers servers) {
      return Optional.of(servers.secret());
    }
    throw new LuciolaException(
        ErrorCode.UNAUTHENTICATED, "a user's token is no cluster's secret: file=" + secret);
  }

  /** What a server shows to others. */
  public ClientAccess asServer() {
    ClientAccess reached =
        tls ? ClientAccess.NONE.withAuthorities(authorities.toString()) : ClientAccess.NONE;
    return clusterSecret()
        .map(known -> reached.withCredential(new Credential.OfServers(known)))
        .orElse(reached);
  }

  /** Says plainly that anybody who reaches this server may do anything. */
  public void warnIfOpen(String server, String host) {
    if (!required && !isLoopback(host)) {
      LOG.warn(
          "{} listens beyond this machine and lets everybody in as any user: host={}"
              + " security.required=false",
          server,
          host);
    }
  }

  /** Says plainly that the port by which the meta-servers replicate their log lets everybody in. */
  public void warnOfTheLog(String host) {
    if (required && !tls) {
      LOG.warn(
          "the members' raft ports neither ask who calls nor encrypt without security.tls: whoever"
              + " reaches one can change everything, keep them on a network of the meta-servers'"
              + " own: host={}",
          host);
    }
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException unknown) {
      return false;
    }
  }

  /** Settings of which some were changed. */
  private static final class Changed {
    private final SecuritySettings from;
    private boolean required;
    private Path secret;
    private Duration capabilityTime;
    private Duration keyTime;
    private long operationsPerSecond;
    private boolean tls;
    private Path certificate;
    private Path key;
    private Path authorities;
    private Path memberCertificates;
    private Path clientAuthorities;

    Changed(SecuritySettings from) {
      this.from = from;
      this.required = from.required;
      this.secret = from.secret;
      this.capabilityTime = from.capabilityTime;
      this.keyTime = from.keyTime;
      this.operationsPerSecond = from.operationsPerSecond;
      this.tls = from.tls;
      this.certificate = from.certificate;
      this.key = from.key;
      this.authorities = from.authorities;
      this.memberCertificates = from.memberCertificates;
      this.clientAuthorities = from.clientAuthorities;
    }

    SecuritySettings build() {
      return new SecuritySettings(
          required,
          secret,
          capabilityTime,
          keyTime,
          from.audit,
          from.auditBytes,
          from.auditFiles,
          operationsPerSecond,
          tls,
          certificate,
          key,
          authorities,
          memberCertificates,
          clientAuthorities);
    }
  }
}

package luciola.meta.server;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import luciola.meta.access.ShownCertificate;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Reads what callers show when they connect, once for each connection, and finds out which
 * authority stands behind it. Decides nothing: that is {@link
 * luciola.meta.access.CertificateRules}, with each call. Runs on the network's threads.
 */
final class ClientCertificates extends ServerTransportFilter {
  private static final Attributes.Key<ShownCertificate> SHOWN =
      Attributes.Key.create("luciola-certificate");
  private static final int URI = 6;

  private final PKIXParameters authorities;

  /**
   * Believes these.
   *
   * @param file with their certificates, PEM
   * @throws LuciolaException INVALID_ARGUMENT if it cannot be used
   */
  ClientCertificates(Path file) {
    Set<TrustAnchor> anchors = new HashSet<>();
    try (InputStream in = Files.newInputStream(file)) {
      for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        X509Certificate authority = (X509Certificate) one;
        if (authority.getBasicConstraints() < 0) {
          throw new CertificateException(
              "this is no authority's: " + authority.getSubjectX500Principal());
        }
        anchors.add(new TrustAnchor(authority, null));
      }
      this.authorities = new PKIXParameters(anchors);
    } catch (IOException | CertificateException | InvalidAlgorithmParameterException e) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "tls: cannot use clientAuthorities=" + file + " cause=" + e,
          e);
    }
    // Certificates carry their end; who is to go before it is removed as a user.
    authorities.setRevocationEnabled(false);
  }

  /** What the caller of a connection has shown; null if it has shown nothing. */
  static @Nullable ShownCertificate of(Attributes transport) {
    return transport.get(SHOWN);
  }

  @Override
  public Attributes transportReady(Attributes transport) {
    SSLSession session = transport.get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    if (session == null) {
      return transport;
    }
    List<X509Certificate> chain = new ArrayList<>();
    try {
      for (Certificate one : session.getPeerCertificates()) {
        chain.add((X509Certificate) one);
      }
    } catch (SSLPeerUnverifiedException nothing) {
      return transport;
    }
    return transport.toBuilder().set(SHOWN, read(chain)).build();
  }

  /** A certificate and those above it, as a decision needs them. */
  ShownCertificate read(List<X509Certificate> chain) {
    X509Certificate own = chain.getFirst();
    long from = Long.MIN_VALUE;
    long until = Long.MAX_VALUE;
    for (X509Certificate one : chain) {
      from =
          Math.max(
              from, TimeUnit.MILLISECONDS.toNanos(one.getNotBefore().toInstant().toEpochMilli()));
      until =
          Math.min(
              until, TimeUnit.MILLISECONDS.toNanos(one.getNotAfter().toInstant().toEpochMilli()));
    }
    Optional<String> untrusted = untrusted(chain);
    List<String> uses = List.of();
    List<String> names = List.of();
    List<String> uris = List.of();
    try {
      uses = Optional.ofNullable(own.getExtendedKeyUsage()).orElse(List.of());
      names = commonNames(own);
      uris = uris(own);
    } catch (CertificateParsingException | InvalidNameException unreadable) {
      untrusted = Optional.of("it cannot be read: " + unreadable.getMessage());
    }
    return new ShownCertificate(
        own.getSubjectX500Principal().getName(),
        own.getSerialNumber().toString(16),
        untrusted,
        from,
        until,
        uses,
        own.getBasicConstraints() >= 0,
        names,
        uris);
  }

  private Optional<String> untrusted(List<X509Certificate> chain) {
    try {
      var _ =
          CertPathValidator.getInstance("PKIX")
              .validate(
                  CertificateFactory.getInstance("X.509").generateCertPath(chain), authorities);
      return Optional.empty();
    } catch (CertPathValidatorException refused) {
      return Optional.of(String.valueOf(refused.getMessage()));
    } catch (GeneralSecurityException | RuntimeException unusable) {
      return Optional.of(unusable.toString());
    }
  }

  private static List<String> commonNames(X509Certificate own) throws InvalidNameException {
    List<String> names = new ArrayList<>();
    for (Rdn part : new LdapName(own.getSubjectX500Principal().getName()).getRdns()) {
      if (part.getType().equalsIgnoreCase("CN") && part.getValue() instanceof String name) {
        names.add(name);
      }
    }
    return names;
  }

  private static List<String> uris(X509Certificate own) throws CertificateParsingException {
    Collection<List<?>> others = own.getSubjectAlternativeNames();
    List<String> uris = new ArrayList<>();
    if (others != null) {
      for (List<?> each : others) {
        if (each.get(0).equals(URI) && each.get(1) instanceof String uri) {
          uris.add(uri);
        }
      }
    }
    return uris;
  }
}

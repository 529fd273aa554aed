package luciola.protocol.control;

import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.util.Optional;
import luciola.protocol.access.Credential;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** The credential of a call, in its headers: {@code authorization: Bearer …}. */
public final class CredentialHeader {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final String BEARER = "Bearer ";

  private CredentialHeader() {}

  /** Shows a credential with every call. */
  public static ClientInterceptor showing(Credential credential) {
    var headers = new Metadata();
    headers.put(AUTHORIZATION, BEARER + credential.text());
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /**
   * What was shown; empty if nothing was.
   *
   * @throws LuciolaException UNAUTHENTICATED if it is no credential
   */
  public static Optional<Credential> of(Metadata headers) {
    String shown = headers.get(AUTHORIZATION);
    if (shown == null) {
      return Optional.empty();
    }
    if (!shown.startsWith(BEARER)) {
      throw new LuciolaException(ErrorCode.UNAUTHENTICATED, "authorization is not Bearer");
    }
    return Optional.of(Credential.parse(shown.substring(BEARER.length())));
  }
}

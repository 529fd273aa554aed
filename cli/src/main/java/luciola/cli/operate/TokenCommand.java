package luciola.cli.operate;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessToken;
import luciola.grpc.v1.NewToken;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;
import luciola.protocol.control.CredentialFile;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * What users show to be let in. The secret is drawn here and leaves this process only as a hash.
 */
@Command(name = "token", description = "Tokens by which users are known.")
public final class TokenCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new TokenCommand())
        .addSubcommand(new Create(invocation))
        .addSubcommand(new Ls(invocation))
        .addSubcommand(new Revoke(invocation))
        .addSubcommand(new ClusterSecret(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  private static Secret draw() {
    byte[] random = new byte[Secret.BYTES];
    new SecureRandom().nextBytes(random);
    return Secret.of(random);
  }

  /** A token as it is printed; times as ISO-8601, an empty one is none. */
  record Shown(long id, String user, String made, String expires) {
    static Shown of(AccessToken token) {
      return new Shown(
          token.getId(),
          token.getUser(),
          time(token.getMadeNanos()),
          token.getExpiresNanos() == 0 ? "" : time(token.getExpiresNanos()));
    }

    private static String time(long nanos) {
      return Instant.EPOCH.plus(Duration.ofSeconds(nanos / 1_000_000_000)).toString();
    }
  }

  private static void print(ClusterCall call, List<Shown> tokens) {
    if (call.json) {
      tokens.forEach(token -> Json.print(call.invocation.out(), token));
      return;
    }
    var table = new Table("token", "user", "made", "expires");
    tokens.forEach(token ->
        table.row(
            token.id(),
            token.user(),
            token.made(),
            token.expires().isEmpty() ? "never" : token.expires()));
    table.print(call.invocation.out());
  }

  @Command(name = "create", description = "Makes a token of a user and shows it, this once.")
  static final class Create extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "USER", description = "Whose.")
    private @Nullable String user;

    @Option(
        names = "--expires",
        paramLabel = "TIME",
        description = "It is good for so long: 12h, 30d. Else until it is revoked.")
    private @Nullable String expires;

    @Option(
        names = "--out",
        paramLabel = "FILE",
        description = "Written to a new file that only its owner can read, instead of being shown.")
    private @Nullable Path out;

    Create(Invocation invocation) {
      super(invocation);
    }

    /** A new token, with its text unless that was written to a file. */
    record Made(long id, String user, String expires, @Nullable String token) {}

    @Override
    public Integer call() {
      Secret secret = draw();
      NewToken.Builder asked =
          NewToken.newBuilder()
              .setUser(String.valueOf(user))
              .setHash(ByteString.copyFrom(secret.hash()))
              .setLifetimeNanos(expires == null ? 0 : Quantity.nanos("--expires", expires));
      AccessToken made =
          with(meta -> meta.changeAccess(AccessChange.newBuilder().setCreateToken(asked).build()))
              .getToken();
      var token = new Credential.OfUser(made.getId(), secret);
      if (out != null) {
        CredentialFile.write(invocation.resolve(out), token);
      }
      Shown shown = Shown.of(made);
      if (json) {
        Json.print(
            invocation.out(),
            new Made(shown.id(), shown.user(), shown.expires(), out == null ? token.text() : null));
      } else if (out == null) {
        invocation.out().println(token.text());
      } else {
        print(this, List.of(shown));
      }
      return ExitCode.DONE;
    }
  }

  @Command(name = "ls", description = "Every token, without what is secret of it.")
  static final class Ls extends ClusterCall implements Callable<Integer> {
    Ls(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      print(this, with(meta -> meta.listAccess()).getTokensList().stream().map(Shown::of).toList());
      return ExitCode.DONE;
    }
  }

  @Command(name = "revoke", description = "Tokens are good no longer, at once.")
  static final class Revoke extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "TOKEN", arity = "1..*", description = "Their numbers; see token ls.")
    private List<String> tokens = List.of();

    Revoke(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      List<Long> ids = Quantity.ids("token", tokens);
      print(
          this,
          with(meta ->
              ids.stream()
                  .map(id ->
                      Shown.of(
                          meta.changeAccess(AccessChange.newBuilder().setRevokeToken(id).build())
                              .getToken()))
                  .toList()));
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "cluster-secret",
      description =
          "Draws the secret by which the servers of a cluster know each other and writes it to a"
              + " new file; asks no cluster.")
  static final class ClusterSecret implements Callable<Integer> {
    private final Invocation invocation;

    @Parameters(paramLabel = "FILE", description = "Must not exist.")
    private @Nullable Path file;

    ClusterSecret(Invocation invocation) {
      this.invocation = invocation;
    }

    @Override
    public Integer call() {
      Path written = invocation.resolve(file == null ? Path.of("") : file);
      CredentialFile.write(written, new Credential.OfServers(draw()));
      invocation.out().println("written to " + written + "; copy it to every server, mode 600");
      return ExitCode.DONE;
    }
  }
}

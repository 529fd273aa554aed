package luciola.meta.server;

import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessGrpc;
import luciola.grpc.v1.ChangeAccessReply;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.ListAccessReply;
import luciola.grpc.v1.ListAccessRequest;
import luciola.grpc.v1.RenewAccessReply;
import luciola.grpc.v1.RenewAccessRequest;
import luciola.meta.access.AccessState;
import luciola.meta.log.Member;
import luciola.meta.log.MetaLog;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Users and tokens; answered by the leader. */
final class AccessService extends AccessGrpc.AccessImplBase {
  private final MetaLog log;
  private final SecuritySettings settings;
  private final TicketDesk tickets;

  AccessService(MetaLog log, SecuritySettings settings, TicketDesk tickets) {
    this.log = log;
    this.settings = settings;
    this.tickets = tickets;
  }

  private String leader() {
    return log.leader().map(Member::serviceAddress).orElse("");
  }

  @Override
  public void list(ListAccessRequest request, StreamObserver<ListAccessReply> observer) {
    Answers.send(
        log.fence().thenApply(_ -> listed(log.access())),
        observer,
        fault ->
            ListAccessReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  private ListAccessReply listed(AccessState state) {
    return ListAccessReply.newBuilder()
        .addAllUsers(state.users())
        .addAllTokens(state.tokens().stream().map(AccessState::shown).toList())
        .setRequired(settings.required())
        .build();
  }

  @Override
  public void renew(RenewAccessRequest request, StreamObserver<RenewAccessReply> observer) {
    AccessGate.Session session = AccessGate.session();
    Answers.send(
        log.fence().thenApply(_ -> tickets.renewed(session.caller(), request)),
        observer,
        fault ->
            RenewAccessReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  @Override
  public void change(AccessChange request, StreamObserver<ChangeAccessReply> observer) {
    Answers.send(
        changed(request),
        observer,
        fault ->
            ChangeAccessReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  private CompletableFuture<ChangeAccessReply> changed(AccessChange request) {
    if (request.hasAddKey()) {
      return CompletableFuture.failedFuture(
          new LuciolaException(ErrorCode.NOT_PERMITTED, "keys are added by the leader"));
    }
    return log.submit(Command.newBuilder().setAccess(request).build())
        .thenApply(CommandReply::getAccess);
  }
}

package luciola.meta.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import luciola.grpc.v1.AccessChange;
import luciola.protocol.audit.AuditLine;
import luciola.protocol.audit.AuditLog;
import luciola.protocol.error.ErrorCode;

/** A call of an operator that is written down when it ends, with what was asked and what came. */
final class AuditedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
  private final AuditLog audit;
  private final AuditLine line;
  private volatile String asked = "";
  private volatile String code = "";

  AuditedCall(ServerCall<Q, R> call, AuditLog audit, AuditLine line) {
    super(call);
    this.audit = audit;
    this.line = line;
  }

  ServerCall.Listener<Q> listening(ServerCall.Listener<Q> to) {
    return new SimpleForwardingServerCallListener<>(to) {
      @Override
      public void onMessage(Q message) {
        asked = text(message);
        super.onMessage(message);
      }

      @Override
      public void onCancel() {
        ended("CANCELLED");
        super.onCancel();
      }
    };
  }

  private static String text(Object message) {
    if (!(message instanceof Message asked)) {
      return "";
    }
    Message shown = asked;
    if (asked instanceof AccessChange change && change.hasCreateToken()) {
      AccessChange.Builder without = change.toBuilder();
      without.getCreateTokenBuilder().setHash(ByteString.EMPTY);
      shown = without.build();
    }
    return TextFormat.printer().emittingSingleLine(true).printToString(shown).strip();
  }

  @Override
  public void sendMessage(R message) {
    if (message instanceof Message reply) {
      FieldDescriptor field = reply.getDescriptorForType().findFieldByName("code");
      code = field == null ? "" : ErrorCode.ofNumber((Integer) reply.getField(field)).name();
    }
    super.sendMessage(message);
  }

  @Override
  public void close(Status status, Metadata trailers) {
    ended(status.isOk() ? code : status.getCode().name());
    super.close(status, trailers);
  }

  private void ended(String outcome) {
    audit.write(line.with("asked", asked).with("code", outcome));
  }
}

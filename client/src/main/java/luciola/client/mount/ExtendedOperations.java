package luciola.client.mount;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import luciola.client.cluster.InodeFiles;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseName;
import luciola.client.fuse.FuseOperation;
import luciola.client.fuse.FuseReply;
import luciola.grpc.v1.At;
import luciola.grpc.v1.GetExtended;
import luciola.grpc.v1.ListExtended;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RemoveExtended;
import luciola.grpc.v1.SetExtended;

/**
 * Extended attributes. The kernel asks for {@code security.capability} before every write of a
 * program: of open files that are known to have no attributes that is answered here.
 */
record ExtendedOperations(InodeFiles files, OpenFiles open) {
  private static final int CREATE = 1;
  private static final int REPLACE = 2;
  private static final ByteString CAPABILITY = ByteString.copyFromUtf8("security.capability");
  private static final ByteString SYSTEM = ByteString.copyFromUtf8("system.");

  private static At at(FuseCall call) {
    return At.newBuilder().setInode(call.node()).build();
  }

  private static ByteString name(FuseName name) {
    return ByteString.copyFrom(name.bytes());
  }

  private NamespaceReply call(FuseCall call, NamespaceRequest.Builder request) {
    return files.call(Callers.of(call), request);
  }

  FuseReply set(FuseCall call, FuseOperation.SetExtended asked) {
    if ((asked.flags() & ~(CREATE | REPLACE)) != 0) {
      return new FuseReply.Failed(Errno.EINVAL);
    }
    OpenInode known = open.ofInode(call.node());
    if (known != null) {
      known.mayHaveExtended();
    }
    call(
        call,
        NamespaceRequest.newBuilder()
            .setSetExtended(
                SetExtended.newBuilder()
                    .setAt(at(call))
                    .setName(name(asked.name()))
                    .setValue(ByteString.copyFrom(asked.value().toArray(ValueLayout.JAVA_BYTE)))
                    .setCreate((asked.flags() & CREATE) != 0)
                    .setReplace((asked.flags() & REPLACE) != 0)));
    return FuseReply.OK;
  }

  FuseReply get(FuseCall call, FuseOperation.GetExtended asked) {
    ByteString name = name(asked.name());
    if (name.startsWith(SYSTEM)) {
      return new FuseReply.Failed(Errno.EOPNOTSUPP);
    }
    OpenInode known = open.ofInode(call.node());
    if (known != null && known.hasNoExtended() && name.equals(CAPABILITY)) {
      return new FuseReply.Failed(Errno.ENODATA);
    }
    NamespaceReply reply =
        call(
            call,
            NamespaceRequest.newBuilder()
                .setGetExtended(GetExtended.newBuilder().setAt(at(call)).setName(name)));
    return fitting(reply.getExtendedValue().getValue().toByteArray(), asked.room());
  }

  FuseReply list(FuseCall call, FuseOperation.ListExtended asked) {
    NamespaceReply reply =
        call(
            call,
            NamespaceRequest.newBuilder()
                .setListExtended(ListExtended.newBuilder().setAt(at(call))));
    var names = new ByteArrayOutputStream();
    for (ByteString name : reply.getExtendedNames().getNamesList()) {
      names.writeBytes(name.toByteArray());
      names.write(0);
    }
    return fitting(names.toByteArray(), asked.room());
  }

  FuseReply remove(FuseCall call, FuseOperation.RemoveExtended asked) {
    ByteString name = name(asked.name());
    // The kernel takes capabilities away in the name of whoever writes, and checks all others.
    files.call(
        name.equals(CAPABILITY) ? Callers.MOUNT : Callers.of(call),
        NamespaceRequest.newBuilder()
            .setRemoveExtended(RemoveExtended.newBuilder().setAt(at(call)).setName(name)));
    return FuseReply.OK;
  }

  /** Bytes for somebody with so much room; without any, only how many they are. */
  static FuseReply fitting(byte[] bytes, int room) {
    if (room == 0) {
      return new FuseReply.Size(bytes.length);
    }
    return Integer.compareUnsigned(bytes.length, room) > 0
        ? new FuseReply.Failed(Errno.ERANGE)
        : FuseReply.Text.of(bytes);
  }
}

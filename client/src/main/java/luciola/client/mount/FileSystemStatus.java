package luciola.client.mount;

import luciola.client.SpaceUsage;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseReply;
import luciola.grpc.v1.At;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.StatFs;
import luciola.grpc.v1.StatFsResult;

/** What {@code df} shows: the cluster's space, or that of the quota in which it was asked. */
final class FileSystemStatus {
  private static final int BLOCK_BYTES = 4096;
  private static final int NAME_BYTES_MAX = 255;
  private static final long FILES_MAX = 1L << 48;

  private FileSystemStatus() {}

  static FuseReply of(ClusterFileSystem fileSystem, FuseCall call) {
    SpaceUsage usage = fileSystem.usage();
    StatFsResult asked =
        fileSystem
            .inodes()
            .call(
                Callers.MOUNT,
                NamespaceRequest.newBuilder()
                    .setStatFs(StatFs.newBuilder().setAt(At.newBuilder().setInode(call.node()))))
            .getStatFs();
    return asked.hasQuota() ? limited(usage, asked.getQuota()) : whole(usage);
  }

  private static FuseReply whole(SpaceUsage usage) {
    return status(usage.capacityBytes(), usage.freeBytes(), FILES_MAX, FILES_MAX - usage.inodes());
  }

  private static FuseReply limited(SpaceUsage usage, Quota quota) {
    long left = Math.max(0, quota.getBytes() - quota.getUsedBytes());
    long inodes = quota.hasInodes() ? quota.getInodes() : FILES_MAX;
    return status(
        quota.getBytes(),
        Math.min(left, usage.freeBytes()),
        inodes,
        Math.max(0, inodes - quota.getUsedInodes()));
  }

  private static FuseReply status(long bytes, long free, long files, long filesFree) {
    return new FuseReply.Status(
        bytes / BLOCK_BYTES,
        free / BLOCK_BYTES,
        free / BLOCK_BYTES,
        files,
        filesFree,
        BLOCK_BYTES,
        NAME_BYTES_MAX);
  }
}

package luciola.cli.fsck;

import java.util.OptionalInt;
import luciola.client.cluster.ChainChunks;
import luciola.client.cluster.ClusterFileSystem;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.protocol.control.LayoutMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.layout.FileLayout;

/**
 * Removes chunks that are wrong, by updates through their chain. A file that exists is held first:
 * for that moment nobody can begin to write to it, so that nothing new is cut off.
 */
final class ChunkRepair {
  /** What came of it. */
  enum Result {
    DONE,
    /** It was mended meanwhile, or a writer has come who knows better. */
    NOT_WRONG
  }

  private final ClusterFileSystem files;
  private final ChainChunks chunks;

  ChunkRepair(ClusterFileSystem files) {
    this.files = files;
    this.chunks = files.chainChunks();
  }

  /** Whether a chunk of so many bytes has any at or past the end of its file. */
  static boolean isPast(FileLayout layout, Inode file, ChunkId chunk, int bytes) {
    long start = (long) chunk.index() * layout.chunkBytes();
    return start >= file.getLength() || start + bytes > file.getLength();
  }

  /** Of no file, or not where its file looks for it: nobody can want it. */
  Result remove(ChainId chain, ChunkId chunk) {
    chunks.remove(chain, chunk);
    return Result.DONE;
  }

  /** Cuts a chunk at the end of its file. */
  Result cut(ChainId chain, ChunkId chunk) {
    NamespaceReply held;
    try {
      held =
          call(
              NamespaceRequest.newBuilder()
                  .setOpen(
                      Open.newBuilder()
                          .setAt(At.newBuilder().setInode(chunk.inode().value()))
                          .setWrite(true)
                          .setAlone(true)));
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.BAD_SESSION || e.code() == ErrorCode.NOT_FOUND) {
        return Result.NOT_WRONG;
      }
      throw e;
    }
    // A chain that does not serve may take as long as a lease: the file stays held all the same.
    files.inodes().sessionBegan();
    try {
      return cutHeld(chain, chunk, held.getInode());
    } finally {
      files.inodes().sessionEnded();
      call(
          NamespaceRequest.newBuilder()
              .setClose(
                  Close.newBuilder()
                      .setInode(chunk.inode().value())
                      .setSession(held.getOpen().getSession())));
    }
  }

  private Result cutHeld(ChainId chain, ChunkId chunk, Inode file) {
    FileLayout layout = LayoutMessages.fromMessage(file.getLayout());
    OptionalInt bytes = chunks.length(chain, chunk);
    if (bytes.isEmpty() || !isPast(layout, file, chunk, bytes.getAsInt())) {
      return Result.NOT_WRONG;
    }
    long kept = file.getLength() - (long) chunk.index() * layout.chunkBytes();
    if (kept <= 0) {
      chunks.remove(chain, chunk);
    } else {
      chunks.setLength(chain, chunk, (int) kept);
    }
    return Result.DONE;
  }

  private NamespaceReply call(NamespaceRequest.Builder request) {
    return files.meta().call(request.setIdentity(Identity.getDefaultInstance()));
  }
}

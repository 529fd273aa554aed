package luciola.client.fuse;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;

/**
 * What the kernel asks for. Names are the bytes of the program that gave them; a handle is what the
 * reply to an open named; offsets and lengths are bytes.
 */
public sealed interface FuseOperation {
  /** The entry of a name in the directory; the node found is looked up once more. */
  record Lookup(FuseName name) implements FuseOperation {}

  /** Lookups of nodes that the kernel has forgotten. There is no reply. */
  record Forget(List<Forgotten> nodes) implements FuseOperation {
    public Forget {
      nodes = List.copyOf(nodes);
    }
  }

  /** So many lookups of a node are forgotten. */
  record Forgotten(long node, long lookups) {}

  /** Attributes, of an open file if a handle is given. */
  record GetAttributes(OptionalLong handle) implements FuseOperation {}

  /** Changes attributes. */
  record SetAttributes(FuseChange change) implements FuseOperation {}

  /** The target of a symbolic link. */
  record ReadLink() implements FuseOperation {}

  /** Makes a symbolic link. */
  record SymbolicLink(FuseName name, FuseName target) implements FuseOperation {}

  /**
   * Makes a file of any type.
   *
   * @param mode type and permissions, the mask applied by the kernel
   */
  record MakeNode(FuseName name, int mode, int device) implements FuseOperation {}

  /** Makes a directory. */
  record MakeDirectory(FuseName name, int mode) implements FuseOperation {}

  /** Removes a name that is no directory's. */
  record Unlink(FuseName name) implements FuseOperation {}

  /** Removes an empty directory. */
  record RemoveDirectory(FuseName name) implements FuseOperation {}

  /**
   * Renames from this directory to another.
   *
   * @param flags RENAME_NOREPLACE 1, RENAME_EXCHANGE 2
   */
  record Rename(FuseName name, long newParent, FuseName newName, int flags)
      implements FuseOperation {}

  /** Makes this directory name a node once more. */
  record Link(long node, FuseName name) implements FuseOperation {}

  /** Opens; {@code flags} as open(2) has them. */
  record Open(int flags, boolean killsPrivileges) implements FuseOperation {}

  /** Makes a file if it is missing, and opens it. */
  record Create(FuseName name, int mode, int flags, boolean killsPrivileges)
      implements FuseOperation {}

  /** Reads. The reply may be shorter only at the end of the file. */
  record Read(long handle, long offset, int bytes, int flags) implements FuseOperation {}

  /**
   * Writes.
   *
   * @param data native memory, as it is until the call is answered
   * @param cached written back by the kernel for somebody, not by the program that calls
   * @param killsPrivileges whether the file loses its set-user-ID and set-group-ID bits by it
   */
  record Write(
      long handle,
      long offset,
      MemorySegment data,
      int flags,
      boolean cached,
      boolean killsPrivileges)
      implements FuseOperation {}

  /** A program closes one of its descriptors. */
  record Flush(long handle, long lockOwner) implements FuseOperation {}

  /**
   * The last descriptor of an open file is gone.
   *
   * @param unlocks whether the owner's flock lock ends
   */
  record Release(long handle, int flags, boolean unlocks, long lockOwner)
      implements FuseOperation {}

  /** Makes durable; {@code dataOnly}: attributes only as far as the data need them. */
  record Sync(long handle, boolean dataOnly) implements FuseOperation {}

  /** Opens a directory. */
  record OpenDirectory(int flags) implements FuseOperation {}

  /**
   * Entries of a directory after a cookie, 0 from the beginning.
   *
   * @param bytes room of the reply
   * @param plus with attributes; every entry so given is looked up once more
   */
  record ReadDirectory(long handle, long cookie, int bytes, boolean plus)
      implements FuseOperation {}

  /** Closes a directory. */
  record ReleaseDirectory(long handle) implements FuseOperation {}

  /** Makes a directory durable. */
  record SyncDirectory(long handle) implements FuseOperation {}

  /** Space and files. */
  record FileSystemStatus() implements FuseOperation {}

  /** Sets an extended attribute; XATTR_CREATE 1, XATTR_REPLACE 2. */
  record SetExtended(FuseName name, MemorySegment value, int flags) implements FuseOperation {}

  /** Gets an extended attribute; with room 0 only its size. */
  record GetExtended(FuseName name, int room) implements FuseOperation {}

  /** Names of extended attributes; with room 0 only their size. */
  record ListExtended(int room) implements FuseOperation {}

  /** Removes an extended attribute. */
  record RemoveExtended(FuseName name) implements FuseOperation {}

  /** Whether a lock could be had, or who has it. */
  record GetLock(long handle, long owner, FuseLock lock) implements FuseOperation {}

  /**
   * Takes or gives up a lock.
   *
   * @param wholeFile by flock(2), not fcntl(2)
   * @param waits until it can be had
   */
  record SetLock(long handle, long owner, FuseLock lock, boolean wholeFile, boolean waits)
      implements FuseOperation {}

  /** The program that waits for a call was interrupted. There is no reply to this. */
  record Interrupt(long unique) implements FuseOperation {}

  /** Allocates, punches or zeroes a range; {@code mode} as fallocate(2) has it. */
  record Allocate(long handle, long offset, long length, int mode) implements FuseOperation {}

  /** The next data (3) or hole (4) from an offset on. */
  record Seek(long handle, long offset, int whence) implements FuseOperation {}

  /** Copies between two open files. */
  record CopyRange(
      long handleIn,
      long offsetIn,
      long nodeOut,
      long handleOut,
      long offsetOut,
      long length,
      long flags)
      implements FuseOperation {}

  /** The file system is being unmounted. There is no reply. */
  record Destroy() implements FuseOperation {}

  /** One that is not spoken here; answered with ENOSYS. */
  record Unknown(int opcode) implements FuseOperation {}
}

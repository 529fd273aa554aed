package luciola.client.cluster;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import luciola.client.AttributeChange;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.grpc.v1.Entry;
import luciola.grpc.v1.ListResult;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.ReadLink;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.SetAttributes;
import luciola.grpc.v1.Unlink;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** What of a file system needs the meta-servers only: names and attributes. */
abstract sealed class NamespaceFileSystem implements LuciolaFileSystem permits ClusterFileSystem {
  final Names names;

  NamespaceFileSystem(Names names) {
    this.names = names;
  }

  @Override
  public FileStat stat(String path) {
    return lookup("stat", path, true);
  }

  @Override
  public Optional<FileStat> find(String path) {
    try {
      return Optional.of(stat(path));
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND || e.code() == ErrorCode.NOT_A_DIRECTORY) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public FileStat lstat(String path) {
    return lookup("lstat", path, false);
  }

  FileStat lookup(String operation, String path, boolean follow) {
    return Names.stat(
        call(
                operation,
                path,
                request ->
                    request.setLookup(
                        Lookup.newBuilder().setAt(Names.at(operation, path)).setFollow(follow)))
            .getInode());
  }

  @Override
  public FileStat mkdir(String path, int mode) {
    return makeDirectory("mkdir", path, mode, false);
  }

  @Override
  public FileStat mkdirs(String path) {
    return makeDirectory("mkdirs", path, 0755, true);
  }

  private FileStat makeDirectory(String operation, String path, int mode, boolean parents) {
    return Names.stat(
        call(
                operation,
                path,
                request ->
                    request.setMakeDirectory(
                        MakeDirectory.newBuilder()
                            .setAt(Names.at(operation, path))
                            .setMode(mode)
                            .setParents(parents)))
            .getInode());
  }

  @Override
  public List<DirectoryEntry> list(String path) {
    List<DirectoryEntry> entries = new ArrayList<>();
    list(path, entries::add);
    return entries;
  }

  @Override
  public void list(String path, Consumer<DirectoryEntry> visitor) {
    ByteString after = ByteString.EMPTY;
    while (true) {
      ByteString from = after;
      ListResult page =
          call(
                  "list",
                  path,
                  request ->
                      request.setList(
                          luciola.grpc.v1.List.newBuilder()
                              .setAt(Names.at("list", path))
                              .setAfter(from)))
              .getList();
      for (Entry entry : page.getEntriesList()) {
        visitor.accept(
            new DirectoryEntry(entry.getName().toStringUtf8(), Names.stat(entry.getInode())));
        after = entry.getName();
      }
      if (!page.getMore() || page.getEntriesCount() == 0) {
        return;
      }
    }
  }

  @Override
  public void rename(String from, String to) {
    rename(from, to, false);
  }

  @Override
  public void renameNoReplace(String from, String to) {
    rename(from, to, true);
  }

  private void rename(String from, String to, boolean noReplace) {
    call(
        "rename",
        from + " to=" + to,
        request ->
            request.setRename(
                Rename.newBuilder()
                    .setFrom(Names.at("rename", from))
                    .setTo(Names.at("rename", to))
                    .setNoReplace(noReplace)));
  }

  @Override
  public void remove(String path) {
    try {
      call(
          "remove",
          path,
          request -> request.setUnlink(Unlink.newBuilder().setAt(Names.at("remove", path))));
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.IS_A_DIRECTORY) {
        throw e;
      }
      call(
          "remove",
          path,
          request ->
              request.setRemoveDirectory(
                  RemoveDirectory.newBuilder().setAt(Names.at("remove", path))));
    }
  }

  @Override
  public void removeRecursively(String path) {
    call(
        "removeRecursively",
        path,
        request ->
            request.setRemoveTree(
                RemoveTree.newBuilder().setAt(Names.at("removeRecursively", path))));
  }

  @Override
  public void link(String existing, String newPath) {
    long inode = lookup("link", existing, false).inode().value();
    call(
        "link",
        existing + " to=" + newPath,
        request ->
            request.setMakeLink(
                MakeLink.newBuilder().setInode(inode).setAt(Names.at("link", newPath))));
  }

  @Override
  public void symlink(String target, String path) {
    call(
        "symlink",
        path,
        request ->
            request.setMakeSymlink(
                MakeSymlink.newBuilder()
                    .setAt(Names.at("symlink", path))
                    .setTarget(ByteString.copyFromUtf8(target))));
  }

  @Override
  public String readLink(String path) {
    return call(
            "readLink",
            path,
            request -> request.setReadLink(ReadLink.newBuilder().setAt(Names.at("readLink", path))))
        .getInode()
        .getSymlinkTarget()
        .toStringUtf8();
  }

  @Override
  public FileStat setAttributes(String path, AttributeChange change) {
    return setAttributes("setAttributes", path, change, true);
  }

  @Override
  public FileStat lsetAttributes(String path, AttributeChange change) {
    return setAttributes("lsetAttributes", path, change, false);
  }

  private FileStat setAttributes(
      String operation, String path, AttributeChange change, boolean follow) {
    SetAttributes.Builder set =
        SetAttributes.newBuilder().setAt(Names.at(operation, path)).setFollow(follow);
    change.mode().ifPresent(set::setMode);
    change.uid().ifPresent(set::setUid);
    change.gid().ifPresent(set::setGid);
    change.accessedNanos().ifPresent(set::setAccessedNanos);
    change.modifiedNanos().ifPresent(set::setModifiedNanos);
    return Names.stat(call(operation, path, request -> request.setSetAttributes(set)).getInode());
  }

  /** Puts an operation into a request. */
  interface Filling {
    NamespaceRequest.Builder into(NamespaceRequest.Builder request);
  }

  final NamespaceReply call(String operation, String path, Filling filling) {
    return names.call(operation, path, filling.into(NamespaceRequest.newBuilder()));
  }
}

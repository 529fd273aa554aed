package luciola.meta.namespace.tree;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.protocol.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * Follows a path from an inode, component by component, symbolic links included. Every directory on
 * the way must let the asker search it. {@code .} and {@code ..} are refused in a request and
 * obeyed in the target of a link; an absolute target starts at the root.
 */
public final class Walk {
  public static final int NAME_BYTES_MAX = 255;
  public static final int PATH_BYTES_MAX = 4096;
  public static final int LINKS_MAX = 40;

  private static final ByteString SELF = ByteString.copyFromUtf8(".");
  private static final ByteString PARENT = ByteString.copyFromUtf8("..");

  private final Tree tree;
  private final Identity who;
  private int links;

  public Walk(Tree tree, Identity who) {
    this.tree = tree;
    this.who = who;
  }

  /**
   * Where a path leads.
   *
   * @param directory the directory of the last name; empty if the path ends at an inode without a
   *     name (an empty path, or {@code ..} in a link)
   * @param name the last name; empty with {@code directory}
   * @param inode what is there, if anything
   */
  public record Place(@Nullable Inode directory, ByteString name, @Nullable Inode inode) {
    /** What is there, or NOT_FOUND. */
    public Inode existing() {
      if (inode == null) {
        throw new Refusal(ErrorCode.NOT_FOUND, "name=" + name.toStringUtf8());
      }
      return inode;
    }

    /** The directory of the last name; INVALID_ARGUMENT if the path has none. */
    public Inode parent() {
      if (directory == null) {
        throw new Refusal(ErrorCode.INVALID_ARGUMENT, "the path names no entry of a directory");
      }
      return directory;
    }
  }

  /** What a path names; NOT_FOUND if nothing. */
  public Inode inode(At at, boolean follow) {
    return place(at, follow).existing();
  }

  /** As above, for who has it open: also a removed file that no collector has taken yet. */
  public Inode openInode(At at) {
    return at.getInode() != 0 && at.getPath().isEmpty()
        ? tree.inode(at.getInode())
            .orElseThrow(() -> new Refusal(ErrorCode.NOT_FOUND, "inode=" + at.getInode()))
        : inode(at, true);
  }

  /** Where a path leads; all but its last component must exist. */
  public Place place(At at, boolean follow) {
    long start = at.getInode() == 0 ? Tree.ROOT : at.getInode();
    Inode current =
        tree.inode(start)
            .filter(inode -> !tree.isRemoved(inode))
            .orElseThrow(() -> new Refusal(ErrorCode.NOT_FOUND, "inode=" + start));
    var todo = new ArrayDeque<ByteString>(split(at.getPath()));
    for (ByteString name : todo) {
      Refusal.unless(
          !name.equals(SELF) && !name.equals(PARENT),
          ErrorCode.INVALID_ARGUMENT,
          ". and .. are not names: path=" + at.getPath().toStringUtf8());
    }
    Place place = new Place(null, ByteString.EMPTY, current);
    while (!todo.isEmpty()) {
      Inode directory = place.existing();
      Refusal.unless(
          directory.getType() == InodeType.INODE_TYPE_DIRECTORY,
          ErrorCode.NOT_A_DIRECTORY,
          "path=" + at.getPath().toStringUtf8() + " inode=" + directory.getId());
      Permissions.require(directory, who, Permissions.EXECUTE);
      place = step(directory, todo.removeFirst(), todo, follow);
    }
    return place;
  }

  private Place step(
      Inode directory, ByteString name, ArrayDeque<ByteString> todo, boolean followLast) {
    if (name.equals(SELF)) {
      return new Place(null, ByteString.EMPTY, directory);
    }
    if (name.equals(PARENT)) {
      return new Place(null, ByteString.EMPTY, tree.namedInode(directory.getParent()));
    }
    Optional<Tree.Name> found = tree.name(directory.getId(), name);
    if (found.isEmpty()) {
      return new Place(directory, name, null);
    }
    Inode inode = tree.namedInode(found.get().inode());
    if (inode.getType() != InodeType.INODE_TYPE_SYMLINK || (todo.isEmpty() && !followLast)) {
      return new Place(directory, name, inode);
    }
    links++;
    Refusal.unless(links <= LINKS_MAX, ErrorCode.TOO_MANY_SYMLINKS, "name=" + name.toStringUtf8());
    ByteString target = inode.getSymlinkTarget();
    List<ByteString> components = split(target);
    for (int i = components.size() - 1; i >= 0; i--) {
      todo.addFirst(components.get(i));
    }
    boolean absolute = target.byteAt(0) == '/';
    return new Place(null, ByteString.EMPTY, absolute ? tree.namedInode(Tree.ROOT) : directory);
  }

  /** Components of a path; several slashes count as one. */
  private static List<ByteString> split(ByteString path) {
    Refusal.unless(
        path.size() <= PATH_BYTES_MAX, ErrorCode.NAME_TOO_LONG, "path bytes=" + path.size());
    var names = new ArrayList<ByteString>();
    int start = 0;
    for (int i = 0; i <= path.size(); i++) {
      if (i == path.size() || path.byteAt(i) == '/') {
        if (i > start) {
          Refusal.unless(
              i - start <= NAME_BYTES_MAX, ErrorCode.NAME_TOO_LONG, "name bytes=" + (i - start));
          names.add(path.substring(start, i));
        }
        start = i + 1;
      } else {
        Refusal.unless(path.byteAt(i) != 0, ErrorCode.INVALID_ARGUMENT, "a path holds a zero byte");
      }
    }
    return names;
  }
}

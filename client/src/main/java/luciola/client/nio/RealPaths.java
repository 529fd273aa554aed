package luciola.client.nio;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.client.LuciolaFileSystem;
import luciola.client.PathNames;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Follows symbolic links from the client's side, a lookup for each name: for real paths, and for
 * {@code ..}, which the file system does not take.
 */
final class RealPaths {
  private static final int SYMLINKS_MAX = 40;

  private final LuciolaFileSystem files;

  RealPaths(LuciolaFileSystem files) {
    this.files = files;
  }

  /** The names of the same place without links, {@code .} and {@code ..}; it must exist. */
  List<String> follow(List<String> names) {
    Deque<String> left = new ArrayDeque<>(names);
    List<String> real = new ArrayList<>();
    int links = 0;
    while (!left.isEmpty()) {
      String name = left.pop();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (name.equals("..")) {
        removeLast(real);
        continue;
      }
      real.add(name);
      FileStat stat = files.lstat(PathNames.join(real));
      if (stat.type() == FileType.SYMLINK) {
        if (++links > SYMLINKS_MAX) {
          throw fault(ErrorCode.TOO_MANY_SYMLINKS, names);
        }
        String target = files.readLink(PathNames.join(real));
        removeLast(real);
        if (target.startsWith("/")) {
          real.clear();
        }
        List.of(target.split("/")).reversed().forEach(left::push);
      } else if (!stat.isDirectory() && !left.isEmpty()) {
        throw fault(ErrorCode.NOT_A_DIRECTORY, names);
      }
    }
    return real;
  }

  /** The same place without {@code .}, and without {@code ..} where that follows no link. */
  List<String> withoutDots(List<String> names) {
    List<String> kept = new ArrayList<>();
    for (String name : names) {
      if (name.equals("..") && (kept.isEmpty() || !isLink(kept))) {
        removeLast(kept);
      } else if (!name.isEmpty() && !name.equals(".")) {
        kept.add(name);
      }
    }
    return kept;
  }

  /** What the file system takes for these names: {@code ..} is the parent of the real place. */
  List<String> plain(List<String> names) {
    List<String> plain = new ArrayList<>();
    for (String name : names) {
      if (name.equals("..")) {
        plain = follow(plain);
        if (!files.stat(PathNames.join(plain)).isDirectory()) {
          throw fault(ErrorCode.NOT_A_DIRECTORY, names);
        }
        removeLast(plain);
      } else if (!name.isEmpty() && !name.equals(".")) {
        plain.add(name);
      }
    }
    return plain;
  }

  /** Where a link leads that may lead to nothing: the place a file is made at. */
  List<String> made(List<String> names) {
    List<String> at = names;
    for (int links = 0; links <= SYMLINKS_MAX; links++) {
      List<String> parent = follow(at.subList(0, at.size() - 1));
      List<String> place = new ArrayList<>(parent);
      place.add(at.getLast());
      Optional<String> target = linkAt(PathNames.join(place));
      if (target.isEmpty()) {
        return place;
      }
      List<String> next = target.get().startsWith("/") ? new ArrayList<>() : parent;
      next.addAll(List.of(target.get().split("/")));
      at = next.stream().filter(name -> !name.isEmpty()).toList();
    }
    throw fault(ErrorCode.TOO_MANY_SYMLINKS, names);
  }

  private Optional<String> linkAt(String path) {
    try {
      return files.lstat(path).type() == FileType.SYMLINK
          ? Optional.of(files.readLink(path))
          : Optional.empty();
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private boolean isLink(List<String> names) {
    return names.getLast().equals("..")
        || files.lstat(PathNames.join(plain(names))).type() == FileType.SYMLINK;
  }

  private static void removeLast(List<String> names) {
    if (!names.isEmpty()) {
      names.removeLast();
    }
  }

  private static LuciolaException fault(ErrorCode code, List<String> names) {
    return new LuciolaException(code, "real path: path=/" + String.join("/", names));
  }
}

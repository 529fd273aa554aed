package luciola.meta.namespace.check;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Layout;
import luciola.grpc.v1.NamespaceFault;
import luciola.grpc.v1.NamespaceFinding;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.Scans;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Checks one state of the namespace against itself: links, names, parents, sessions and garbage,
 * and what is kept for quotas.
 *
 * <p>Inodes are taken in windows of so many, in the order of their numbers; for each window every
 * name is looked at once. So memory is bounded by the window (see {@link Window}) and ten million
 * inodes take five passes over the names with the default.
 *
 * <p>A ring of directories that are each in another and none in the root is not found.
 */
public final class NamespaceCheck {
  /** Inodes of a window: 60 MB. */
  public static final int WINDOW_INODES = 2_000_000;

  private static final int WATCH_RECORDS = 4_096;

  private final KeyValueView view;
  private final Scans scans;
  private final int windowInodes;
  private final int findingsMax;
  private final Predicate<Layout> tableExists;
  private final Watcher watcher;
  private final List<Scans.Dentry> oddNames = new ArrayList<>();
  private long inodes;
  private long names;
  private long found;
  private long records;

  /** Who is told how it goes. */
  public interface Watcher {
    void found(NamespaceFinding finding);

    /** Called every so many records; false: stop. */
    boolean goOn(long inodes, long names);
  }

  /** What was looked at; names once each. */
  public record Sums(long inodes, long names, long found) {}

  /**
   * A check of what a view shows.
   *
   * @param findingsMax findings that the watcher is told; more are counted
   * @param tableExists whether there is the chain table of a layout
   */
  public NamespaceCheck(
      KeyValueView view,
      int windowInodes,
      int findingsMax,
      Predicate<Layout> tableExists,
      Watcher watcher) {
    this.view = view;
    this.scans = new Scans(view);
    this.windowInodes = windowInodes;
    this.findingsMax = findingsMax;
    this.tableExists = tableExists;
    this.watcher = watcher;
  }

  /**
   * Checks everything.
   *
   * @throws LuciolaException CANCELLED if the watcher wants no more
   */
  public Sums run() {
    long from = 0;
    boolean last = false;
    while (!last) {
      var window = new Window(scans, from, windowInodes, this::inode);
      names = 0;
      sessions(window, from);
      garbage(window);
      names(window);
      links(window);
      last = window.last();
      from = last ? from : window.next();
    }
    long counted = Tree.reading(view).counters().getInodes();
    if (counted != inodes) {
      report(of(NamespaceFault.NAMESPACE_FAULT_WRONG_COUNT, 0).setDelta(inodes - counted));
    }
    new UsageCheck(view, this::report, this::looked).run();
    return new Sums(inodes, names, found);
  }

  private static NamespaceFinding.Builder of(NamespaceFault fault, long inode) {
    return NamespaceFinding.newBuilder().setFault(fault).setInode(inode);
  }

  private static NamespaceFinding.Builder of(NamespaceFault fault, Scans.Dentry dentry) {
    return of(fault, dentry.inode()).setDirectory(dentry.directory()).setName(dentry.name());
  }

  private void report(NamespaceFinding.Builder finding) {
    found++;
    if (found <= findingsMax) {
      watcher.found(finding.build());
    }
  }

  private boolean looked() {
    records++;
    if (records % WATCH_RECORDS == 0 && !watcher.goOn(inodes, names)) {
      throw new LuciolaException(ErrorCode.CANCELLED, "check: nobody waits for it any more");
    }
    return true;
  }

  private boolean inode(Inode inode) {
    inodes++;
    if (inode.getType() == InodeType.INODE_TYPE_FILE
        && inode.hasLayout()
        && !tableExists.test(inode.getLayout())) {
      report(
          of(NamespaceFault.NAMESPACE_FAULT_NO_CHAIN_TABLE, inode.getId())
              .setTableId(inode.getLayout().getTableId())
              .setTableVersion(inode.getLayout().getTableVersion()));
    }
    return looked();
  }

  private void sessions(Window window, long from) {
    scans.sessions(
        from,
        session -> {
          if (!window.covers(session.inode())) {
            return false;
          }
          int at = window.at(session.inode());
          if (at != Window.NONE) {
            window.kept(at);
          } else {
            report(
                of(NamespaceFault.NAMESPACE_FAULT_LOST_SESSION, session.inode())
                    .setClientId(session.client())
                    .setSession(session.session()));
          }
          return looked();
        });
  }

  private void garbage(Window window) {
    scans.garbage(garbage -> {
      long id = garbage.inode().getId();
      if (window.covers(id)) {
        if (garbage.inode().getType() == InodeType.INODE_TYPE_DIRECTORY) {
          window.detached(id);
        }
        int at = window.at(id);
        if (at != Window.NONE && isRemoved(window, at, garbage)) {
          window.kept(at);
        } else if (at != Window.NONE) {
          report(
              of(NamespaceFault.NAMESPACE_FAULT_LIVING_GARBAGE, id)
                  .setGarbageNanos(garbage.timeNanos()));
        }
      }
      return looked();
    });
    window.detachedAll();
  }

  /** Whether a record is that of a removed file which no collector has taken yet. */
  private boolean isRemoved(Window window, int at, Tree.Garbage garbage) {
    return window.isOf(at, InodeType.INODE_TYPE_FILE)
        && window.links(at) == 0
        && !window.isKept(at)
        && Tree.reading(view)
            .inode(window.id(at))
            .filter(inode -> inode.getRemovedNanos() == garbage.timeNanos())
            .isPresent();
  }

  private void names(Window window) {
    oddNames.clear();
    scans.names(dentry -> {
      names++;
      directory(window, dentry);
      if (window.covers(dentry.inode())) {
        named(window, dentry);
      }
      return looked();
    });
    for (Scans.Dentry odd : oddNames) {
      oddName(window, odd);
    }
  }

  /** What a name says about the directory that it is in. */
  private void directory(Window window, Scans.Dentry dentry) {
    long directory = dentry.directory();
    if (!window.covers(directory)) {
      return;
    }
    int at = window.at(directory);
    if (at != Window.NONE && window.isDirectory(at)) {
      if (dentry.type() == InodeType.INODE_TYPE_DIRECTORY) {
        window.subdirectory(at);
      }
    } else if (!window.isDetached(directory)
        && Tree.reading(view).inode(dentry.inode()).isPresent()) {
      report(of(NamespaceFault.NAMESPACE_FAULT_LOST_NAME, dentry));
    }
  }

  /** What a name says about the inode that it names. */
  private void named(Window window, Scans.Dentry dentry) {
    int at = window.at(dentry.inode());
    if (at == Window.NONE) {
      report(of(NamespaceFault.NAMESPACE_FAULT_DANGLING_NAME, dentry));
      return;
    }
    window.named(at);
    if (!window.isOf(at, dentry.type())) {
      report(of(NamespaceFault.NAMESPACE_FAULT_WRONG_TYPE, dentry));
    }
    if (window.isDirectory(at)) {
      if (dentry.directory() == window.parent(at) && !window.isNamedInParent(at)) {
        window.namedInParent(at);
      } else if (oddNames.size() < findingsMax) {
        oddNames.add(dentry);
      }
    }
  }

  /** A directory's name that is not the only one in its parent. */
  private void oddName(Window window, Scans.Dentry odd) {
    int at = window.at(odd.inode());
    if (window.isNamedInParent(at)) {
      goodName(window.parent(at), odd)
          .ifPresent(good ->
              report(
                  of(NamespaceFault.NAMESPACE_FAULT_SECOND_NAME, odd)
                      .setParent(window.parent(at))
                      .setGoodName(good)));
    } else if (window.names(at) == 1) {
      report(of(NamespaceFault.NAMESPACE_FAULT_WRONG_PARENT, odd).setParent(window.parent(at)));
    } else if (oddNames.stream().noneMatch(other -> isBefore(other, odd))) {
      // Of several names outside of its parent the first becomes the good one.
      report(of(NamespaceFault.NAMESPACE_FAULT_WRONG_PARENT, odd).setParent(window.parent(at)));
    }
  }

  private boolean isBefore(Scans.Dentry other, Scans.Dentry odd) {
    return other.inode() == odd.inode() && oddNames.indexOf(other) < oddNames.indexOf(odd);
  }

  private Optional<ByteString> goodName(long parent, Scans.Dentry odd) {
    Tree tree = Tree.reading(view);
    ByteString after = ByteString.EMPTY;
    while (true) {
      List<Tree.Name> page = tree.names(parent, after, WATCH_RECORDS);
      for (Tree.Name name : page) {
        boolean same = parent == odd.directory() && name.name().equals(odd.name());
        if (name.inode() == odd.inode() && !same) {
          return Optional.of(name.name());
        }
        after = name.name();
      }
      if (page.size() < WATCH_RECORDS) {
        return Optional.empty();
      }
    }
  }

  private void links(Window window) {
    for (int at = 0; at < window.size(); at++) {
      boolean directory = window.isDirectory(at);
      int links = directory ? 2 + window.subdirectories(at) : window.names(at);
      int delta = links - window.links(at);
      boolean unreachable =
          window.names(at) == 0
              && (directory
                  ? window.id(at) != Tree.ROOT
                  : window.links(at) != 0 || !window.isKept(at));
      if (unreachable) {
        report(of(NamespaceFault.NAMESPACE_FAULT_UNREACHABLE, window.id(at)).setDelta(delta));
      } else if (delta != 0) {
        report(of(NamespaceFault.NAMESPACE_FAULT_WRONG_LINKS, window.id(at)).setDelta(delta));
      }
    }
  }
}

package luciola.meta.namespace.check;

import com.google.protobuf.ByteString;
import java.util.Optional;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceFinding;
import luciola.meta.namespace.change.RemoveChange;
import luciola.meta.namespace.tree.Sessions;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.UsageRecords;

/**
 * Puts right what a check has found, as far as it is still wrong.
 *
 * <p>Every operation changes links and names of an inode together. So the difference between them
 * stays as the check has seen it, whatever was done since, and the true number of names is known
 * without counting again: the links that the inode says now, and the difference. Only another
 * repair changes the difference, which is why repairs are numbered. Numbers of inodes are never
 * used again, so what does not exist will not.
 */
final class Repairs {
  private static final ByteString LOST_AND_FOUND = ByteString.copyFromUtf8("lost+found");

  private final Tree tree;
  private final long nowNanos;

  Repairs(Tree tree, long nowNanos) {
    this.tree = tree;
    this.nowNanos = nowNanos;
  }

  /** Returns whether anything was changed. */
  boolean repair(NamespaceFinding finding) {
    return switch (finding.getFault()) {
      case NAMESPACE_FAULT_WRONG_LINKS -> links(finding);
      case NAMESPACE_FAULT_UNREACHABLE -> unreachable(finding);
      case NAMESPACE_FAULT_DANGLING_NAME -> danglingName(finding);
      case NAMESPACE_FAULT_LOST_NAME -> lostName(finding);
      case NAMESPACE_FAULT_WRONG_TYPE -> wrongType(finding);
      case NAMESPACE_FAULT_WRONG_PARENT -> wrongParent(finding);
      case NAMESPACE_FAULT_SECOND_NAME -> secondName(finding);
      case NAMESPACE_FAULT_LOST_SESSION -> lostSession(finding);
      case NAMESPACE_FAULT_LIVING_GARBAGE -> livingGarbage(finding);
      case NAMESPACE_FAULT_WRONG_COUNT -> wrongCount(finding);
      case NAMESPACE_FAULT_WRONG_USAGE -> wrongUsage(finding);
      case NAMESPACE_FAULT_WRONG_PLACE -> wrongPlace(finding);
      case NAMESPACE_FAULT_WRONG_QUOTA -> wrongQuota(finding);
      case NAMESPACE_FAULT_NO_CHAIN_TABLE, NAMESPACE_FAULT_UNSPECIFIED, UNRECOGNIZED -> false;
    };
  }

  private static boolean isDirectory(Inode inode) {
    return inode.getType() == InodeType.INODE_TYPE_DIRECTORY;
  }

  private Inode.Builder changed(Inode inode) {
    return inode.toBuilder().setChangedNanos(nowNanos);
  }

  /** Counts a subdirectory more or less, where the directory is there. */
  private void touch(long directory, InodeType type, int subdirectories) {
    int links = type == InodeType.INODE_TYPE_DIRECTORY ? subdirectories : 0;
    tree.inode(directory)
        .filter(Repairs::isDirectory)
        .ifPresent(inode ->
            tree.put(
                changed(inode)
                    .setModifiedNanos(nowNanos)
                    .setNlink(inode.getNlink() + links)
                    .build()));
  }

  private void removeName(NamespaceFinding finding, Tree.Name name) {
    Optional<Inode> inode = tree.inode(name.inode());
    if (inode.isPresent()) {
      tree.deleteName(finding.getDirectory(), finding.getName(), inode.get());
    } else {
      tree.deleteDanglingName(finding.getDirectory(), finding.getName());
    }
    touch(finding.getDirectory(), name.type(), -1);
  }

  /** The name of a finding, if it still names the same inode. */
  private Optional<Tree.Name> name(NamespaceFinding finding) {
    return tree.name(finding.getDirectory(), finding.getName())
        .filter(name -> name.inode() == finding.getInode());
  }

  private boolean links(NamespaceFinding finding) {
    Optional<Inode> found = tree.inode(finding.getInode());
    if (found.isEmpty()) {
      return false;
    }
    Inode inode = found.get();
    long links = inode.getNlink() + finding.getDelta();
    if (links < 0 || finding.getDelta() == 0) {
      return false;
    }
    Inode mended = changed(inode).setNlink((int) links).build();
    if (links == 0 && !tree.sessions().any(inode.getId())) {
      // It had names when it was checked, and they were all removed since.
      RemoveChange.collect(tree, mended.toBuilder().setRemovedNanos(nowNanos).build());
    } else {
      revive(inode);
      tree.put(mended);
    }
    return true;
  }

  private boolean unreachable(NamespaceFinding finding) {
    Optional<Inode> found = tree.inode(finding.getInode());
    if (found.isEmpty()) {
      return false;
    }
    Inode inode = found.get();
    long links = inode.getNlink() + finding.getDelta();
    if (isDirectory(inode)) {
      keep(changed(inode).setNlink((int) Math.max(2, links)).build());
      return true;
    }
    if (links != 0) {
      return links(finding);
    }
    if (inode.getNlink() > 0) {
      keep(changed(inode).setNlink(1).build());
      return true;
    }
    boolean collected = !tree.sessions().any(inode.getId()) && !tree.isRemoved(inode);
    if (collected) {
      RemoveChange.collect(tree, inode.toBuilder().setRemovedNanos(nowNanos).build());
    }
    return collected;
  }

  /** What has a name after all is no garbage. */
  private void revive(Inode inode) {
    if (inode.getNlink() == 0) {
      tree.forgetGarbage(new Tree.Garbage(inode.getRemovedNanos(), inode));
    }
  }

  private boolean danglingName(NamespaceFinding finding) {
    Optional<Tree.Name> name = name(finding).filter(each -> tree.inode(each.inode()).isEmpty());
    name.ifPresent(each -> removeName(finding, each));
    return name.isPresent();
  }

  private boolean lostName(NamespaceFinding finding) {
    Optional<Inode> inode = tree.inode(finding.getInode());
    boolean lost = tree.inode(finding.getDirectory()).filter(Repairs::isDirectory).isEmpty();
    if (inode.isEmpty() || !lost || name(finding).isEmpty()) {
      return false;
    }
    tree.deleteName(finding.getDirectory(), finding.getName(), inode.get());
    keep(changed(inode.get()).build());
    return true;
  }

  private boolean wrongType(NamespaceFinding finding) {
    Optional<Inode> inode = tree.inode(finding.getInode());
    Optional<Tree.Name> name =
        name(finding).filter(each -> inode.isPresent() && each.type() != inode.get().getType());
    if (name.isEmpty() || inode.isEmpty()) {
      return false;
    }
    tree.deleteName(finding.getDirectory(), finding.getName(), inode.get());
    tree.putName(finding.getDirectory(), finding.getName(), inode.get());
    touch(finding.getDirectory(), name.get().type(), -1);
    touch(finding.getDirectory(), inode.get().getType(), 1);
    return true;
  }

  private boolean wrongParent(NamespaceFinding finding) {
    Optional<Inode> inode =
        tree.inode(finding.getInode())
            .filter(each -> isDirectory(each) && each.getParent() == finding.getParent());
    boolean named = name(finding).isPresent();
    if (inode.isEmpty() || !named) {
      return false;
    }
    tree.put(changed(inode.get()).setParent(finding.getDirectory()).build());
    return true;
  }

  private boolean secondName(NamespaceFinding finding) {
    boolean good =
        tree.inode(finding.getInode())
                .filter(each -> each.getParent() == finding.getParent())
                .isPresent()
            && tree.name(finding.getParent(), finding.getGoodName())
                .filter(name -> name.inode() == finding.getInode())
                .isPresent();
    Optional<Tree.Name> second = name(finding).filter(_ -> good);
    second.ifPresent(name -> removeName(finding, name));
    return second.isPresent();
  }

  private boolean lostSession(NamespaceFinding finding) {
    var session = new Sessions.Key(finding.getInode(), finding.getClientId(), finding.getSession());
    boolean lost = tree.inode(finding.getInode()).isEmpty() && tree.sessions().has(session);
    if (lost) {
      tree.sessions().close(session);
    }
    return lost;
  }

  private boolean livingGarbage(NamespaceFinding finding) {
    Optional<Inode> inode = tree.inode(finding.getInode());
    return inode.isPresent()
        && tree.forgetGarbage(new Tree.Garbage(finding.getGarbageNanos(), inode.get()));
  }

  private boolean wrongCount(NamespaceFinding finding) {
    var counters = tree.counters();
    tree.count(counters.setInodes(counters.getInodes() + finding.getDelta()));
    return true;
  }

  /** Sums of changes are right in any order, and whatever was changed since the check. */
  private boolean wrongUsage(NamespaceFinding finding) {
    boolean kept =
        tree.usages().isKept() && tree.usages().records().usage(finding.getInode()).isPresent();
    if (kept) {
      tree.usages().correct(finding.getInode(), finding.getDelta(), finding.getDeltaInodes());
    }
    return kept;
  }

  private boolean wrongPlace(NamespaceFinding finding) {
    if (!tree.usages().isKept()) {
      return false;
    }
    if (tree.inode(finding.getInode()).filter(Repairs::isDirectory).isPresent()) {
      return wrongPlaceOfDirectory(finding);
    }
    UsageRecords records = tree.usages().records();
    long names = records.names(finding.getInode(), finding.getDirectory()) + finding.getDelta();
    if (names >= 0) {
      records.putNames(finding.getInode(), finding.getDirectory(), (int) names);
    }
    return names >= 0;
  }

  private boolean wrongPlaceOfDirectory(NamespaceFinding finding) {
    boolean still = finding.getInode() == Tree.ROOT || name(finding).isPresent();
    if (still) {
      tree.usages()
          .place(
              finding.getInode(),
              finding.getName(),
              finding.getDirectory(),
              finding.getDelta() > 0);
    }
    return still;
  }

  private boolean wrongQuota(NamespaceFinding finding) {
    long directory = finding.getInode();
    if (directory == 0) {
      var counters = tree.counters();
      tree.count(counters.setQuotas(counters.getQuotas() + finding.getDelta()));
    } else if (tree.inode(directory).isPresent()) {
      tree.usages().mark(directory);
    } else if (tree.usages().records().quota(directory).isPresent()) {
      tree.usages().unlimited(directory);
    }
    return true;
  }

  /** Gives an inode a name in {@code /lost+found}; its links count it already. */
  private void keep(Inode inode) {
    Inode directory = lostAndFound();
    ByteString name =
        freeName(directory.getId(), ByteString.copyFromUtf8("inode-" + inode.getId()));
    Inode kept =
        isDirectory(inode) ? inode.toBuilder().setParent(directory.getId()).build() : inode;
    tree.put(kept);
    tree.putName(directory.getId(), name, kept);
    touch(directory.getId(), kept.getType(), 1);
  }

  private ByteString freeName(long directory, ByteString wanted) {
    ByteString name = wanted;
    for (int number = 2; tree.name(directory, name).isPresent(); number++) {
      name = wanted.concat(ByteString.copyFromUtf8("-" + number));
    }
    return name;
  }

  private Inode lostAndFound() {
    Optional<Inode> present =
        tree.name(Tree.ROOT, LOST_AND_FOUND)
            .flatMap(name -> tree.inode(name.inode()))
            .filter(Repairs::isDirectory);
    if (present.isPresent()) {
      return present.get();
    }
    Inode made =
        Inode.newBuilder()
            .setId(tree.newInode())
            .setType(InodeType.INODE_TYPE_DIRECTORY)
            .setMode(0700)
            .setAccessedNanos(nowNanos)
            .setModifiedNanos(nowNanos)
            .setChangedNanos(nowNanos)
            .setNlink(2)
            .setParent(Tree.ROOT)
            .build();
    tree.put(made);
    tree.putName(Tree.ROOT, freeName(Tree.ROOT, LOST_AND_FOUND), made);
    touch(Tree.ROOT, InodeType.INODE_TYPE_DIRECTORY, 1);
    return made;
  }
}

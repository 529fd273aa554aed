package luciola.meta.namespace.tree;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.StoredLeftToCount;
import luciola.grpc.v1.StoredPlace;
import luciola.grpc.v1.StoredQuota;
import luciola.grpc.v1.StoredUsage;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Records of quotas and of what is below directories; their keys:
 *
 * <pre>
 *  1  directory            StoredQuota
 *  2  directory            StoredUsage
 *  3  inode, directory     StoredPlace, of what is no directory
 *  4  number               StoredLeftToCount
 * </pre>
 */
public final class UsageRecords {
  private static final byte QUOTA = 1;
  private static final byte USAGE = 2;
  private static final byte PLACE = 3;
  private static final byte LEFT = 4;
  private static final byte END = 5;

  private final KeyValueView view;
  private final @Nullable Changes changes;

  /** A directory and its limits. */
  public record Limited(long directory, StoredQuota quota) {}

  /** So many names of a file in a directory. */
  public record Place(long directory, int names) {}

  /** Takes the places of all files, by inode and directory. */
  public interface PlaceVisitor {
    /** Returns whether the next one is wanted. */
    boolean visit(long inode, Place place);
  }

  /** Takes the usage of all directories, by inode. */
  public interface UsageVisitor {
    /** Returns whether the next one is wanted. */
    boolean visit(long directory, StoredUsage usage);
  }

  UsageRecords(KeyValueView view, @Nullable Changes changes) {
    this.view = view;
    this.changes = changes;
  }

  private Changes changes() {
    if (changes == null) {
      throw new LuciolaException(ErrorCode.INVARIANT_BROKEN, "a read changes usage");
    }
    return changes;
  }

  private static byte[] key(byte kind, long... numbers) {
    ByteBuffer key = ByteBuffer.allocate(1 + numbers.length * Long.BYTES).put(kind);
    for (long number : numbers) {
      key.putLong(number);
    }
    return key.array();
  }

  private <T> Optional<T> get(byte[] key, Tree.Parser<T> parser) {
    byte[] value = view.get(Family.QUOTA, key);
    return value == null ? Optional.empty() : Optional.of(Tree.parsed(parser, value));
  }

  /** The limits of a directory. */
  public Optional<StoredQuota> quota(long directory) {
    return get(key(QUOTA, directory), StoredQuota::parseFrom);
  }

  void putQuota(long directory, StoredQuota quota) {
    changes().put(Family.QUOTA, key(QUOTA, directory), quota.toByteArray());
  }

  void deleteQuota(long directory) {
    changes().delete(Family.QUOTA, key(QUOTA, directory));
  }

  /** Up to {@code limit} quotas of directories with higher numbers, in their order. */
  public List<Limited> quotas(long afterDirectory, int limit) {
    var quotas = new ArrayList<Limited>();
    view.scan(
        Family.QUOTA,
        key(QUOTA, afterDirectory + 1),
        key(USAGE),
        (key, value) -> {
          quotas.add(
              new Limited(
                  ByteBuffer.wrap(key).getLong(1), Tree.parsed(StoredQuota::parseFrom, value)));
          return quotas.size() < limit;
        });
    return quotas;
  }

  /** What is below a directory; empty while nothing of it is counted. */
  public Optional<StoredUsage> usage(long directory) {
    return get(key(USAGE, directory), StoredUsage::parseFrom);
  }

  /** Shows what is kept of every directory. */
  public void usages(UsageVisitor visitor) {
    view.scan(
        Family.QUOTA,
        key(USAGE),
        key(PLACE),
        (key, value) ->
            visitor.visit(
                ByteBuffer.wrap(key).getLong(1), Tree.parsed(StoredUsage::parseFrom, value)));
  }

  public void putUsage(long directory, StoredUsage usage) {
    changes().put(Family.QUOTA, key(USAGE, directory), usage.toByteArray());
  }

  void deleteUsage(long directory) {
    changes().delete(Family.QUOTA, key(USAGE, directory));
  }

  /** How many of a file's names in a directory are counted. */
  public int names(long inode, long directory) {
    return get(key(PLACE, inode, directory), StoredPlace::parseFrom)
        .map(StoredPlace::getNames)
        .orElse(0);
  }

  /** Counts names of a file in a directory; 0 is not stored. */
  public void putNames(long inode, long directory, int names) {
    byte[] key = key(PLACE, inode, directory);
    if (names == 0) {
      changes().delete(Family.QUOTA, key);
    } else {
      changes()
          .put(Family.QUOTA, key, StoredPlace.newBuilder().setNames(names).build().toByteArray());
    }
  }

  /** Up to {@code limit} directories in which a file has counted names. */
  public List<Place> places(long inode, int limit) {
    var places = new ArrayList<Place>();
    places(
        inode,
        (of, place) -> {
          if (of == inode) {
            places.add(place);
          }
          return of == inode && places.size() < limit;
        });
    return places;
  }

  /** The places of all files from this number on. */
  public void places(long fromInode, PlaceVisitor visitor) {
    view.scan(
        Family.QUOTA,
        key(PLACE, fromInode),
        key(LEFT),
        (key, value) -> {
          ByteBuffer at = ByteBuffer.wrap(key);
          return visitor.visit(
              at.getLong(1),
              new Place(
                  at.getLong(1 + Long.BYTES),
                  Tree.parsed(StoredPlace::parseFrom, value).getNames()));
        });
  }

  /** A directory that is left to count. */
  public Optional<Long> left(long number) {
    return get(key(LEFT, number), StoredLeftToCount::parseFrom)
        .map(StoredLeftToCount::getDirectory);
  }

  void putLeft(long number, long directory) {
    changes()
        .put(
            Family.QUOTA,
            key(LEFT, number),
            StoredLeftToCount.newBuilder().setDirectory(directory).build().toByteArray());
  }

  public void deleteLeft(long number) {
    changes().delete(Family.QUOTA, key(LEFT, number));
  }

  /**
   * Removes up to {@code limit} records of what was counted, not the quotas, after a key (empty:
   * from the first); returns the last key removed, or nothing if that were all.
   */
  public Optional<byte[]> clear(byte[] after, int limit) {
    byte[] from = after.length == 0 ? key(USAGE) : java.util.Arrays.copyOf(after, after.length + 1);
    var keys = new ArrayList<byte[]>();
    view.scan(
        Family.QUOTA,
        from,
        key(END),
        (key, _) -> {
          keys.add(key);
          return keys.size() < limit;
        });
    keys.forEach(key -> changes().delete(Family.QUOTA, key));
    return keys.size() < limit ? Optional.empty() : Optional.of(keys.getLast());
  }
}

package luciola.client.mount;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import luciola.client.cluster.InodeFiles;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseDirectoryPage;
import luciola.client.fuse.FuseName;
import luciola.client.fuse.FuseOperation;
import luciola.client.fuse.FuseReply;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Entry;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.ListResult;
import luciola.grpc.v1.NamespaceRequest;
import org.jspecify.annotations.Nullable;

/**
 * Open directories. One is listed in pages; it holds one page, and the last name of each page
 * before: so a directory of any size takes little memory, and a program can go back.
 */
final class DirectoryOperations {
  private static final int PAGE_ENTRIES = 1000;

  /** Cookies of the two names that every directory has. */
  private static final long SELF = 1;

  private static final long PARENT = 2;
  private static final int DT_DIR = 4;
  private static final FuseName SELF_NAME = FuseName.of(".");
  private static final FuseName PARENT_NAME = FuseName.of("..");

  private final InodeFiles files;
  private final NameOperations names;
  private final ConcurrentHashMap<Long, Listing> open = new ConcurrentHashMap<>();
  private final AtomicLong lastHandle = new AtomicLong();

  DirectoryOperations(InodeFiles files, NameOperations names) {
    this.files = files;
    this.names = names;
  }

  /** An open directory; guarded by itself. */
  private static final class Listing {
    final Identity who;

    /** After which name each page begins. */
    final List<ByteString> pages = new ArrayList<>(List.of(ByteString.EMPTY));

    @Nullable ListResult page;
    int number = -1;
    long parent;

    Listing(Identity who) {
      this.who = who;
    }
  }

  FuseReply open(FuseCall call) {
    long handle = lastHandle.incrementAndGet();
    open.put(handle, new Listing(Callers.of(call)));
    return new FuseReply.Opened(handle, 0);
  }

  FuseReply close(FuseOperation.ReleaseDirectory asked) {
    open.remove(asked.handle());
    return FuseReply.OK;
  }

  FuseReply read(FuseCall call, FuseOperation.ReadDirectory asked) {
    Listing listing = open.get(asked.handle());
    if (listing == null) {
      return new FuseReply.Failed(Errno.EBADF);
    }
    synchronized (listing) {
      if (asked.cookie() == 0) {
        listing.number = -1;
        listing.page = null;
      }
      return fill(listing, call.node(), asked);
    }
  }

  private FuseReply fill(Listing listing, long directory, FuseOperation.ReadDirectory asked) {
    var out = new FuseDirectoryPage(asked.bytes(), asked.plus());
    long cookie = asked.cookie();
    boolean room = true;
    if (cookie < SELF) {
      room = out.add(directory, SELF, DT_DIR, SELF_NAME);
      cookie = SELF;
    }
    if (room && cookie < PARENT) {
      page(listing, directory, 0);
      room = out.add(listing.parent, PARENT, DT_DIR, PARENT_NAME);
      cookie = PARENT;
    }
    while (room) {
      long at = cookie - PARENT;
      ListResult page = page(listing, directory, Math.toIntExact(at / PAGE_ENTRIES));
      int index = (int) (at % PAGE_ENTRIES);
      if (page == null || index >= page.getEntriesCount()) {
        break;
      }
      Entry entry = page.getEntries(index);
      var name = new FuseName(entry.getName().toByteArray());
      cookie++;
      room =
          asked.plus()
              ? out.add(names.entry(entry.getInode()), cookie, name)
              : out.add(
                  entry.getInode().getId(), cookie, Attributes.type(entry.getInode()) >>> 12, name);
    }
    return out.toReply();
  }

  /** A page of entries; null if there is none. */
  private @Nullable ListResult page(Listing listing, long directory, int number) {
    ListResult page = listing.page;
    if (page != null && listing.number == number) {
      return page;
    }
    if (number >= listing.pages.size()) {
      return null;
    }
    var reply =
        files.call(
            listing.who,
            NamespaceRequest.newBuilder()
                .setList(
                    luciola.grpc.v1.List.newBuilder()
                        .setAt(At.newBuilder().setInode(directory))
                        .setAfter(listing.pages.get(number))
                        .setLimit(PAGE_ENTRIES)));
    page = reply.getList();
    listing.page = page;
    listing.number = number;
    listing.parent = reply.getInode().getParent();
    if (page.getMore() && page.getEntriesCount() == PAGE_ENTRIES) {
      ByteString last = page.getEntries(PAGE_ENTRIES - 1).getName();
      if (listing.pages.size() == number + 1) {
        listing.pages.add(last);
      } else {
        listing.pages.set(number + 1, last);
      }
    }
    return page;
  }
}

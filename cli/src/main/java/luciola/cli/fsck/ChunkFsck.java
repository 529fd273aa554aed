package luciola.cli.fsck;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.client.cluster.ChainChunks;
import luciola.client.cluster.ClusterFileSystem;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.InspectInodesReply;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.grpc.v1.InspectedInode;
import luciola.protocol.control.LayoutMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.layout.FileLayout;

/**
 * The chunks of every chain, against the files that they belong to.
 *
 * <p>Chain and namespace are not looked at in the same moment, so what looks wrong is looked at
 * again, in an order in which nothing under way can be taken for wrong: a file's chunks are removed
 * before its record of garbage is, so a chunk that is there after its inode was nowhere is
 * nobody's; a chunk that is there between two looks at its file, at both of which the file was
 * shorter, unchanged and open to nobody, is past its end. Chunks of files made after the check
 * began are not looked at.
 */
final class ChunkFsck {
  private static final int PAGE_CHUNKS = 1_024;

  private final ClusterFileSystem files;
  private final ChainChunks chunks;
  private final ChunkRepair repairs;
  private final FsckReport report;
  private final long chunksPerSecond;
  private long inodeLast;

  /** A chunk that looked wrong. */
  private record Suspect(Wrong wrong, ChunkId chunk, InspectedInode file) {}

  /** What can be wrong with a chunk. */
  enum Wrong {
    ORPHAN_CHUNK("no such file"),
    MISPLACED_CHUNK("its file keeps this chunk on another chain"),
    CHUNK_PAST_END("past the end of its file");

    private final String detail;

    Wrong(String detail) {
      this.detail = detail;
    }

    String kind() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
  }

  ChunkFsck(ClusterFileSystem files, FsckReport report, long chunksPerSecond) {
    this.files = files;
    this.chunks = files.chainChunks();
    this.repairs = new ChunkRepair(files);
    this.report = report;
    this.chunksPerSecond = chunksPerSecond;
  }

  void run(boolean repair) {
    inodeLast = inspect(List.of()).getInodeLast();
    for (ChainId chain : chunks.chains()) {
      try {
        check(chain, repair);
        report.chain();
      } catch (LuciolaException e) {
        report.unchecked(chain.value(), String.valueOf(e.getMessage()));
      }
    }
  }

  private InspectInodesReply inspect(List<Long> inodes) {
    return files
        .meta()
        .inspectInodes(InspectInodesRequest.newBuilder().addAllInodes(inodes).build());
  }

  private void check(ChainId chain, boolean repair) {
    Optional<ChunkId> after = Optional.empty();
    boolean more = true;
    while (more) {
      long begunNanos = System.nanoTime();
      ChainChunks.Page page = chunks.page(chain, after, PAGE_CHUNKS);
      for (Suspect suspect : suspects(chain, page.chunks())) {
        if (isConfirmed(chain, suspect)) {
          settle(chain, suspect, repair);
        }
      }
      report.chunks(page.chunks().size());
      more = page.more();
      if (more) {
        after = Optional.of(page.chunks().getLast().chunk());
        keepPace(begunNanos, page.chunks().size());
      }
    }
  }

  private void keepPace(long begunNanos, int count) {
    long due = begunNanos + TimeUnit.SECONDS.toNanos(1) * count / chunksPerSecond;
    long left = due - System.nanoTime();
    while (left > 0 && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(left);
      left = due - System.nanoTime();
    }
  }

  private List<Suspect> suspects(ChainId chain, List<ChunkSummary> page) {
    List<ChunkSummary> present =
        page.stream()
            .filter(chunk -> !chunk.removed() && chunk.committed().equals(chunk.newest()))
            .filter(chunk -> chunk.chunk().inode().value() <= inodeLast)
            .toList();
    Map<Long, InspectedInode> known =
        inspected(present.stream().map(chunk -> chunk.chunk().inode().value()).distinct().toList());
    var suspects = new ArrayList<Suspect>();
    for (ChunkSummary chunk : present) {
      InspectedInode file = known.get(chunk.chunk().inode().value());
      if (file != null) {
        wrong(chain, chunk.chunk(), chunk.chunkBytes(), file)
            .ifPresent(wrong -> suspects.add(new Suspect(wrong, chunk.chunk(), file)));
      }
    }
    return suspects;
  }

  private Map<Long, InspectedInode> inspected(List<Long> inodes) {
    var known = new HashMap<Long, InspectedInode>();
    if (!inodes.isEmpty()) {
      List<InspectedInode> answers = inspect(inodes).getInodesList();
      for (int i = 0; i < inodes.size(); i++) {
        known.put(inodes.get(i), answers.get(i));
      }
    }
    return known;
  }

  private Optional<Wrong> wrong(ChainId chain, ChunkId chunk, int bytes, InspectedInode file) {
    if (!file.hasInode()) {
      return file.getGarbage() ? Optional.empty() : Optional.of(Wrong.ORPHAN_CHUNK);
    }
    if (file.getInode().getType() != InodeType.INODE_TYPE_FILE || !file.getInode().hasLayout()) {
      return Optional.of(Wrong.ORPHAN_CHUNK);
    }
    FileLayout layout = LayoutMessages.fromMessage(file.getInode().getLayout());
    if (!isOn(chain, chunk, layout)) {
      return Optional.of(Wrong.MISPLACED_CHUNK);
    }
    boolean past =
        !file.getOpenForWrite() && ChunkRepair.isPast(layout, file.getInode(), chunk, bytes);
    return past ? Optional.of(Wrong.CHUNK_PAST_END) : Optional.empty();
  }

  /** A table that this program does not know (yet) is the namespace's check to speak of. */
  private boolean isOn(ChainId chain, ChunkId chunk, FileLayout layout) {
    try {
      return files.routing().chainOf(layout, chunk).equals(chain);
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.NO_CHAIN_TABLE) {
        throw e;
      }
      return true;
    }
  }

  private boolean isConfirmed(ChainId chain, Suspect suspect) {
    OptionalInt bytes = chunks.length(chain, suspect.chunk());
    if (bytes.isEmpty()) {
      return false;
    }
    return switch (suspect.wrong()) {
      case ORPHAN_CHUNK, MISPLACED_CHUNK -> true;
      case CHUNK_PAST_END -> {
        InspectedInode again = inspect(List.of(suspect.chunk().inode().value())).getInodes(0);
        yield again.hasInode()
            && again.getInode().getLength() == suspect.file().getInode().getLength()
            && again.getInode().getTruncateGeneration()
                == suspect.file().getInode().getTruncateGeneration()
            && wrong(chain, suspect.chunk(), bytes.getAsInt(), again)
                .equals(Optional.of(Wrong.CHUNK_PAST_END));
      }
    };
  }

  private void settle(ChainId chain, Suspect suspect, boolean repair) {
    var finding =
        new Finding(
            suspect.wrong().kind(),
            suspect.chunk().inode().value(),
            chain.value(),
            suspect.chunk().index(),
            suspect.wrong().detail);
    if (!repair) {
      report.finding(finding, Finding.Outcome.FOUND);
      return;
    }
    try {
      ChunkRepair.Result result =
          switch (suspect.wrong()) {
            case ORPHAN_CHUNK, MISPLACED_CHUNK -> repairs.remove(chain, suspect.chunk());
            case CHUNK_PAST_END -> repairs.cut(chain, suspect.chunk());
          };
      switch (result) {
        case DONE -> report.finding(finding, Finding.Outcome.REPAIRED);
        case NOT_WRONG -> {}
      }
    } catch (LuciolaException e) {
      report.finding(
          new Finding(
              finding.kind(),
              finding.inode(),
              finding.chain(),
              finding.chunk(),
              finding.detail() + " (" + e.getMessage() + ")"),
          Finding.Outcome.LEFT);
    }
  }
}

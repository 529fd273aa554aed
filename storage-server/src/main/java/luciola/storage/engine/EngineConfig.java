package luciola.storage.engine;

/**
 * Limits of one engine.
 *
 * @param durability what an acknowledged update has survived; default FLUSH
 * @param capacityBytes most bytes of disk space for blocks, 1 … 2^63-1; default no limit of its own
 * @param reserveBytes bytes of the disk that are left alone, 0 …; default 256 MiB
 * @param writeThreads threads that write blocks, 1 … 64; default 4. Updates of one chunk stay in
 *     order
 * @param waitingMax updates that wait for the commit loop before writers wait, 1 … 2^20; default
 *     4096
 * @param groupMax updates that are made durable together, 1 … 2^16; default 512
 * @param metadataCacheBytes block cache of the metadata, 1 MiB …; default 64 MiB
 * @param recordCacheBytes heap for records of chunks used last, 0 …; default 32 MiB
 * @param scratchBytes memory for reads, merging and scrubbing, a multiple of 64 MiB; default 128
 *     MiB, of which only what is used is touched
 * @param fileRangeBytes reads of at least so many bytes are answered as a range of a file, shorter
 *     ones out of memory, 1 …; default 128 KiB
 * @param compactBytesPerSecond bytes that compaction moves in a second, 1 MiB …; default 256 MiB
 * @param idleSyncMillis how long freed blocks wait for a synced write before the engine makes one,
 *     1 … 60000; default 200
 * @param rewriteBytesMax chunks up to this length are written anew as a whole when some of their
 *     bytes are overwritten, longer ones get patches where that is little, 4 KiB …; default 64 KiB
 * @param patchesMax patches of a version before it is written anew as a whole, 0 … 1024; default
 *     64. Twice that where there is no room for the whole
 * @param journalBytes disk space of a new journal, 1 MiB … 1 GiB; default 32 MiB. Opening a target
 *     reads it
 */
public record EngineConfig(
    Durability durability,
    long capacityBytes,
    long reserveBytes,
    int writeThreads,
    int waitingMax,
    int groupMax,
    long metadataCacheBytes,
    long recordCacheBytes,
    long scratchBytes,
    int fileRangeBytes,
    long compactBytesPerSecond,
    int idleSyncMillis,
    int rewriteBytesMax,
    int patchesMax,
    int journalBytes) {
  public static final EngineConfig DEFAULTS =
      new EngineConfig(
          Durability.FLUSH,
          Long.MAX_VALUE,
          256L << 20,
          4,
          4096,
          512,
          64L << 20,
          32L << 20,
          128L << 20,
          128 << 10,
          256L << 20,
          200,
          64 << 10,
          64,
          32 << 20);

  public EngineConfig {
    check(capacityBytes >= 1, "capacityBytes", capacityBytes);
    check(reserveBytes >= 0, "reserveBytes", reserveBytes);
    check(writeThreads >= 1 && writeThreads <= 64, "writeThreads", writeThreads);
    check(waitingMax >= 1 && waitingMax <= 1 << 20, "waitingMax", waitingMax);
    check(groupMax >= 1 && groupMax <= 1 << 16, "groupMax", groupMax);
    check(metadataCacheBytes >= 1 << 20, "metadataCacheBytes", metadataCacheBytes);
    check(recordCacheBytes >= 0, "recordCacheBytes", recordCacheBytes);
    check(scratchBytes >= 64 << 20 && scratchBytes % (64 << 20) == 0, "scratchBytes", scratchBytes);
    check(fileRangeBytes >= 1, "fileRangeBytes", fileRangeBytes);
    check(compactBytesPerSecond >= 1 << 20, "compactBytesPerSecond", compactBytesPerSecond);
    check(idleSyncMillis >= 1 && idleSyncMillis <= 60_000, "idleSyncMillis", idleSyncMillis);
    check(rewriteBytesMax >= 4096, "rewriteBytesMax", rewriteBytesMax);
    check(patchesMax >= 0 && patchesMax <= 1024, "patchesMax", patchesMax);
    check(journalBytes >= 1 << 20 && journalBytes <= 1 << 30, "journalBytes", journalBytes);
  }

  private static void check(boolean ok, String name, long value) {
    if (!ok) {
      throw new IllegalArgumentException("bad engine setting: " + name + "=" + value);
    }
  }

  /** The same with another bound of space. */
  public EngineConfig withCapacityBytes(long bytes) {
    return change().capacityBytes(bytes).build();
  }

  /** The same with other bounds of patches. */
  public EngineConfig withPatches(int rewriteMax, int max) {
    return change().rewriteBytesMax(rewriteMax).patchesMax(max).build();
  }

  /** The same with another durability. */
  public EngineConfig withDurability(Durability other) {
    return change().durability(other).build();
  }

  /** Begins with these limits, to change some of them. */
  public Builder change() {
    return new Builder(this);
  }

  /** Limits that are changed one by one; named as in {@link EngineConfig}. */
  public static final class Builder {
    private Durability durability;
    private long capacityBytes;
    private long reserveBytes;
    private int writeThreads;
    private int waitingMax;
    private int groupMax;
    private long metadataCacheBytes;
    private long recordCacheBytes;
    private long scratchBytes;
    private int fileRangeBytes;
    private long compactBytesPerSecond;
    private int idleSyncMillis;
    private int rewriteBytesMax;
    private int patchesMax;
    private int journalBytes;

    private Builder(EngineConfig from) {
      this.durability = from.durability;
      this.capacityBytes = from.capacityBytes;
      this.reserveBytes = from.reserveBytes;
      this.writeThreads = from.writeThreads;
      this.waitingMax = from.waitingMax;
      this.groupMax = from.groupMax;
      this.metadataCacheBytes = from.metadataCacheBytes;
      this.recordCacheBytes = from.recordCacheBytes;
      this.scratchBytes = from.scratchBytes;
      this.fileRangeBytes = from.fileRangeBytes;
      this.compactBytesPerSecond = from.compactBytesPerSecond;
      this.idleSyncMillis = from.idleSyncMillis;
      this.rewriteBytesMax = from.rewriteBytesMax;
      this.patchesMax = from.patchesMax;
      this.journalBytes = from.journalBytes;
    }

    public Builder durability(Durability value) {
      this.durability = value;
      return this;
    }

    public Builder capacityBytes(long value) {
      this.capacityBytes = value;
      return this;
    }

    public Builder reserveBytes(long value) {
      this.reserveBytes = value;
      return this;
    }

    public Builder writeThreads(int value) {
      this.writeThreads = value;
      return this;
    }

    public Builder waitingMax(int value) {
      this.waitingMax = value;
      return this;
    }

    public Builder groupMax(int value) {
      this.groupMax = value;
      return this;
    }

    public Builder metadataCacheBytes(long value) {
      this.metadataCacheBytes = value;
      return this;
    }

    public Builder recordCacheBytes(long value) {
      this.recordCacheBytes = value;
      return this;
    }

    public Builder scratchBytes(long value) {
      this.scratchBytes = value;
      return this;
    }

    public Builder fileRangeBytes(int value) {
      this.fileRangeBytes = value;
      return this;
    }

    public Builder compactBytesPerSecond(long value) {
      this.compactBytesPerSecond = value;
      return this;
    }

    public Builder idleSyncMillis(int value) {
      this.idleSyncMillis = value;
      return this;
    }

    public Builder rewriteBytesMax(int value) {
      this.rewriteBytesMax = value;
      return this;
    }

    public Builder patchesMax(int value) {
      this.patchesMax = value;
      return this;
    }

    public Builder journalBytes(int value) {
      this.journalBytes = value;
      return this;
    }

    /** The limits as they are now. */
    public EngineConfig build() {
      return new EngineConfig(
          durability,
          capacityBytes,
          reserveBytes,
          writeThreads,
          waitingMax,
          groupMax,
          metadataCacheBytes,
          recordCacheBytes,
          scratchBytes,
          fileRangeBytes,
          compactBytesPerSecond,
          idleSyncMillis,
          rewriteBytesMax,
          patchesMax,
          journalBytes);
    }
  }
}

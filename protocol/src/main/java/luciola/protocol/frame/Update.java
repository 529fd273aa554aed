package luciola.protocol.frame;

import luciola.protocol.layout.FileLayout;

/** What an update does to a chunk. */
public sealed interface Update {
  /** Bytes of payload that come with it. */
  default int payloadBytes() {
    return 0;
  }

  /**
   * Writes {@code length} bytes at {@code offset}; a gap before it reads as zeros; the chunk is
   * made if it is missing.
   *
   * @param chunkBytesMax chunk size of the file: the write ends at or before it
   */
  record Write(int offset, int length, int chunkBytesMax) implements Update {
    public Write {
      if (offset < 0
          || length < 1
          || chunkBytesMax > FileLayout.CHUNK_BYTES_MAX
          || (long) offset + length > chunkBytesMax) {
        throw new IllegalArgumentException(
            "bad write: offset="
                + offset
                + " length="
                + length
                + " chunkBytesMax="
                + chunkBytesMax);
      }
    }

    @Override
    public int payloadBytes() {
      return length;
    }
  }

  /** Sets the chunk's length: cuts it or extends it with zeros. */
  record Truncate(int length) implements Update {
    public Truncate {
      if (length < 0 || length > FileLayout.CHUNK_BYTES_MAX) {
        throw new IllegalArgumentException("bad truncate: length=" + length);
      }
    }
  }

  /** Removes the chunk. Its version goes on: a tombstone keeps it. */
  record Remove() implements Update {}

  /**
   * Replaces the whole chunk by the payload, whatever the receiver holds: what a syncing replica
   * gets. Only between servers.
   *
   * @param length new length; 0 for an empty chunk
   * @param removed whether the chunk does not exist in this version (then length is 0)
   */
  record Replace(int length, boolean removed) implements Update {
    public Replace {
      if (length < 0 || length > FileLayout.CHUNK_BYTES_MAX || (removed && length != 0)) {
        throw new IllegalArgumentException("bad replace: length=" + length + " removed=" + removed);
      }
    }

    @Override
    public int payloadBytes() {
      return length;
    }
  }
}

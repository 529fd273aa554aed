package luciola.client.cluster;

import luciola.client.ReadableFile;

/** A file to read whose length somebody else follows. */
public interface InodeReader extends ReadableFile {
  /** The length is this now; reads end there. */
  void learn(long newLength);
}

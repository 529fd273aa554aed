package luciola.cli.soak.load;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import luciola.client.DirectoryEntry;
import luciola.client.FileType;

/**
 * A directory that one worker changes, and what must be in it: it knows every change and its
 * outcome. One of its names counts, so that others can tell whether what they see is old.
 */
final class NameFolder {
  static final String COUNTER = "counter-";

  private final String path;
  private final Map<String, FileType> names = new TreeMap<>();
  private final AtomicLong counted = new AtomicLong();
  private final AtomicLong counting = new AtomicLong();

  NameFolder(String path) {
    this.path = path;
  }

  String path() {
    return path;
  }

  String path(String name) {
    return path + "/" + name;
  }

  /** What must be there; of its worker. */
  Map<String, FileType> names() {
    return names;
  }

  /** The counter's value that was acknowledged. */
  long counted() {
    return counted.get();
  }

  /** The counter's value that was last asked for. */
  long counting() {
    return counting.get();
  }

  void counts(long value) {
    counting.set(value);
  }

  void hasCounted(long value) {
    counted.set(value);
  }

  static Map<String, FileType> seen(List<DirectoryEntry> entries) {
    var seen = new TreeMap<String, FileType>();
    entries.forEach(entry -> seen.put(entry.name(), entry.stat().type()));
    return seen;
  }

  /** What differs from what must be there, in words; empty if nothing does. */
  String difference(Map<String, FileType> seen) {
    if (seen.equals(names)) {
      return "";
    }
    var missing = new HashMap<>(names);
    missing.entrySet().removeAll(seen.entrySet());
    var more = new HashMap<>(seen);
    more.entrySet().removeAll(names.entrySet());
    return "missing " + new TreeMap<>(missing) + " more " + new TreeMap<>(more);
  }
}

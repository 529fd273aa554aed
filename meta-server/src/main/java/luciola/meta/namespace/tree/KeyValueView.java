package luciola.meta.namespace.tree;

import org.jspecify.annotations.Nullable;

/** Ordered key-value families, to be read. Callers do not change the arrays they pass or get. */
public interface KeyValueView {
  /** The value under a key, or null. */
  byte @Nullable [] get(Family family, byte[] key);

  /**
   * Shows entries in key order until the visitor has had enough. The view must not be changed
   * meanwhile.
   *
   * @param from first key, included
   * @param to last key, excluded; null: to the end
   */
  void scan(Family family, byte[] from, byte @Nullable [] to, Visitor visitor);

  /** Takes one entry after the other. */
  interface Visitor {
    /** Returns whether the next entry is wanted. */
    boolean visit(byte[] key, byte[] value);
  }
}

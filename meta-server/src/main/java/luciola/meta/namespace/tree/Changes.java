package luciola.meta.namespace.tree;

/** Takes changes of key-value families. */
public interface Changes {
  void put(Family family, byte[] key, byte[] value);

  void delete(Family family, byte[] key);
}

package luciola.storage.engine;

/** What an acknowledged update has survived. */
public enum Durability {
  /** Loss of power: data and metadata were flushed to the device. The default. */
  FLUSH,
  /** Death of the process only: flushing is left to the operating system. For comparisons. */
  OS
}

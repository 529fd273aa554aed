package luciola.cli.soak.load;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A name under which one file after the other lives. */
final class Slot {
  private final String path;
  private volatile @Nullable FileLedger ledger;

  Slot(String path) {
    this.path = path;
  }

  String path() {
    return path;
  }

  /** The file that lives there, or lived last. */
  Optional<FileLedger> ledger() {
    return Optional.ofNullable(ledger);
  }

  void begin(FileLedger life) {
    ledger = life;
  }
}

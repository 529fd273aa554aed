package luciola.cli.files;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import luciola.client.FileStat;

/** How a file's attributes are shown. */
final class Entry {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  private Entry() {}

  /** {@code drwxr-xr-x}. */
  static String mode(FileStat stat) {
    var text = new StringBuilder();
    text.append(
        switch (stat.type()) {
          case FILE -> '-';
          case DIRECTORY -> 'd';
          case SYMLINK -> 'l';
          case FIFO -> 'p';
          case SOCKET -> 's';
          case CHARACTER_DEVICE -> 'c';
          case BLOCK_DEVICE -> 'b';
        });
    for (int bit = 8; bit >= 0; bit--) {
      text.append(((stat.mode() >> bit) & 1) != 0 ? "xwr".charAt(bit % 3) : '-');
    }
    return text.toString();
  }

  static String time(long nanos) {
    return TIME.format(instant(nanos).atZone(ZoneId.systemDefault()));
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
  }

  /** Everything that is known of a file, for {@code --json}. */
  static Map<String, Object> json(String path, FileStat stat) {
    var json = new LinkedHashMap<String, Object>();
    json.put("path", path);
    json.put("type", stat.type().name().toLowerCase(Locale.ROOT));
    json.put("inode", stat.inode().value());
    json.put("mode", String.format("%04o", stat.mode()));
    json.put("uid", stat.uid());
    json.put("gid", stat.gid());
    json.put("nlink", stat.nlink());
    json.put("length", stat.length());
    json.put("accessed", instant(stat.accessedNanos()).toString());
    json.put("modified", instant(stat.modifiedNanos()).toString());
    json.put("changed", instant(stat.changedNanos()).toString());
    return json;
  }
}

package luciola.cli.terminal;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows under a header, columns as wide as they need; numbers to the right. A long table is printed
 * a part at a time: columns only get wider, and the header comes once.
 */
public final class Table {
  private final List<String> header;
  private final List<List<String>> rows = new ArrayList<>();
  private final int[] widths;
  private final boolean[] right;
  private boolean begun;

  public Table(String... header) {
    this.header = List.of(header);
    this.widths = new int[header.length];
    this.right = new boolean[header.length];
  }

  /** Adds a row with a cell for each column. */
  public Table row(Object... cells) {
    if (cells.length != header.size()) {
      throw new IllegalArgumentException("cells=" + cells.length + " columns=" + header.size());
    }
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(String.valueOf(cell));
    }
    rows.add(row);
    return this;
  }

  /** Rows that were not printed yet. */
  public int waiting() {
    return rows.size();
  }

  /** Prints the rows that were not printed yet, under the header if it is the first time. */
  public void print(PrintStream out) {
    for (int column = 0; column < widths.length; column++) {
      int at = column;
      widths[column] = Math.max(widths[column], header.get(column).length());
      rows.forEach(row -> widths[at] = Math.max(widths[at], row.get(at).length()));
      right[column] =
          begun
              ? right[column]
              : !rows.isEmpty() && rows.stream().allMatch(row -> row.get(at).matches("-|[0-9].*"));
    }
    if (!begun) {
      line(out, header);
    }
    begun = true;
    rows.forEach(row -> line(out, row));
    rows.clear();
  }

  private void line(PrintStream out, List<String> cells) {
    var line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String pad = " ".repeat(widths[column] - cells.get(column).length());
      line.append(right[column] ? pad + cells.get(column) : cells.get(column) + pad).append("  ");
    }
    out.println(line.toString().stripTrailing());
  }
}

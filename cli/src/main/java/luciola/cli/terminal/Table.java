package luciola.cli.terminal;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Rows under a header, columns as wide as they need; numbers to the right. */
public final class Table {
  private final List<String> header;
  private final List<List<String>> rows = new ArrayList<>();

  public Table(String... header) {
    this.header = List.of(header);
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

  /** Prints header and rows. */
  public void print(PrintStream out) {
    int[] widths = new int[header.size()];
    boolean[] right = new boolean[header.size()];
    for (int column = 0; column < widths.length; column++) {
      int at = column;
      widths[column] = header.get(column).length();
      rows.forEach(row -> widths[at] = Math.max(widths[at], row.get(at).length()));
      right[column] =
          !rows.isEmpty() && rows.stream().allMatch(row -> row.get(at).matches("-|[0-9].*"));
    }
    line(out, header, widths, right);
    rows.forEach(row -> line(out, row, widths, right));
  }

  private static void line(PrintStream out, List<String> cells, int[] widths, boolean[] right) {
    var line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String pad = " ".repeat(widths[column] - cells.get(column).length());
      line.append(right[column] ? pad + cells.get(column) : cells.get(column) + pad).append("  ");
    }
    out.println(line.toString().stripTrailing());
  }
}

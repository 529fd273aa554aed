package luciola.storage.engine;

import java.util.List;

/**
 * What a full check of a target's metadata found.
 *
 * @param records chunk records read
 * @param blocks blocks that they name
 * @param problems in words, the first few; empty if all is well
 */
public record CheckReport(long records, long blocks, List<String> problems) {
  public CheckReport {
    problems = List.copyOf(problems);
  }
}

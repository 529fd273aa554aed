package luciola.client.nio;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Globs of {@code FileSystem.getPathMatcher} as regular expressions. The platform's own matcher
 * takes only names that the platform's locale can spell, so it is no help.
 */
final class GlobPattern {
  private static final String REGEX_META = ".^$+{[]|()";
  private static final String GLOB_META = "\\*?[{";

  private final String glob;
  private final StringBuilder regex = new StringBuilder("^");
  private int at;
  private boolean inGroup;

  private GlobPattern(String glob) {
    this.glob = glob;
  }

  /**
   * What matches the same paths.
   *
   * @throws PatternSyntaxException if it is no glob
   */
  static Pattern compile(String glob) {
    return Pattern.compile(new GlobPattern(glob).translate(), Pattern.DOTALL);
  }

  private String translate() {
    while (at < glob.length()) {
      char c = glob.charAt(at++);
      switch (c) {
        case '\\' -> escaped();
        case '/' -> regex.append(c);
        case '[' -> bracket();
        case '{' -> openGroup();
        case '}' -> closeGroup();
        case ',' -> regex.append(inGroup ? ")|(?:" : ",");
        case '*' -> star();
        case '?' -> regex.append("[^/]");
        default -> literal(c);
      }
    }
    if (inGroup) {
      throw bad("missing '}'");
    }
    return regex.append('$').toString();
  }

  private void literal(char c) {
    if (REGEX_META.indexOf(c) >= 0) {
      regex.append('\\');
    }
    regex.append(c);
  }

  private void escaped() {
    if (at == glob.length()) {
      throw bad("no character to escape");
    }
    char next = glob.charAt(at++);
    if (GLOB_META.indexOf(next) >= 0 || REGEX_META.indexOf(next) >= 0) {
      regex.append('\\');
    }
    regex.append(next);
  }

  private void star() {
    if (at < glob.length() && glob.charAt(at) == '*') {
      regex.append(".*");
      at++;
    } else {
      regex.append("[^/]*");
    }
  }

  private void openGroup() {
    if (inGroup) {
      throw bad("cannot nest groups");
    }
    regex.append("(?:(?:");
    inGroup = true;
  }

  private void closeGroup() {
    regex.append(inGroup ? "))" : "\\}");
    inGroup = false;
  }

  /** A set of characters, never a slash: {@code [a-z]}, {@code [!abc]}. */
  private void bracket() {
    regex.append("[[^/]&&[");
    if (peek() == '^') {
      regex.append("\\^");
      at++;
    } else {
      if (peek() == '!') {
        regex.append('^');
        at++;
      }
      if (peek() == '-') {
        regex.append('-');
        at++;
      }
    }
    boolean hasRangeStart = false;
    char last = 0;
    while (at < glob.length()) {
      char c = glob.charAt(at++);
      if (c == ']') {
        regex.append("]]");
        return;
      }
      if (c == '/') {
        throw bad("'/' in a class of characters");
      }
      if (c == '\\' || c == '[' || (c == '&' && peek() == '&')) {
        regex.append('\\');
      }
      regex.append(c);
      if (c != '-') {
        hasRangeStart = true;
        last = c;
        continue;
      }
      if (!hasRangeStart) {
        throw bad("invalid range");
      }
      if (at == glob.length() || peek() == ']') {
        continue;
      }
      char end = glob.charAt(at++);
      if (end < last) {
        throw bad("invalid range");
      }
      regex.append(end);
      hasRangeStart = false;
    }
    throw bad("missing ']'");
  }

  private char peek() {
    return at < glob.length() ? glob.charAt(at) : 0;
  }

  private PatternSyntaxException bad(String why) {
    return new PatternSyntaxException(why, glob, at - 1);
  }
}

package luciola.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import luciola.cli.terminal.CommandFailure;
import luciola.protocol.error.LuciolaException;

/** One line for a user from any exception. */
public final class ErrorLine {
  private ErrorLine() {}

  /** What went wrong and, where it is known, what to do. */
  public static String of(Throwable failure) {
    Throwable cause = unwrap(failure);
    String said = firstLine(cause.getMessage() == null ? "" : cause.getMessage());
    return switch (cause) {
      case CommandFailure _ -> said;
      case LuciolaException known -> said + advice(known);
      case NoSuchFileException missing -> "no such file: " + missing.getFile();
      case FileAlreadyExistsException there -> "already exists: " + there.getFile();
      case AccessDeniedException denied -> "permission denied: " + denied.getFile();
      case DirectoryNotEmptyException full -> "directory not empty: " + full.getFile();
      case IOException _ -> said.isEmpty() ? cause.getClass().getSimpleName() : said;
      default -> said.isEmpty() ? cause.toString() : said;
    };
  }

  private static String advice(LuciolaException failure) {
    return switch (failure.code()) {
      case CONNECTION_LOST, TIMED_OUT, NOT_LEADER ->
          "; is the cluster up? luciola local status, or name another with --cluster";
      case NO_CHAIN_TABLE -> "; make one: luciola table create";
      case NO_SERVING_REPLICA -> "; see which servers are missing: luciola status";
      case NO_SPACE -> "; the disks are full: remove files or add a storage-server";
      case WRONG_CLUSTER -> "; this data directory belongs to another cluster";
      case FORMAT_TOO_NEW -> "; use the newer release that wrote it";
      default -> "";
    };
  }

  static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  static String firstLine(String text) {
    int end = text.indexOf('\n');
    return (end < 0 ? text : text.substring(0, end)).strip();
  }
}

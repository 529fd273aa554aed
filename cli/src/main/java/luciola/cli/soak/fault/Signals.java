package luciola.cli.soak.fault;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Signals that {@link Process} has no method for. */
final class Signals {
  /** Linux, x86-64 and AArch64. */
  private static final int STOP = 19;

  private static final int CONTINUE = 18;

  @SuppressWarnings("restricted")
  private static final MethodHandle KILL =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("kill"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

  private Signals() {}

  static void stop(long pid) throws IOException {
    send(pid, STOP);
  }

  static void resume(long pid) throws IOException {
    send(pid, CONTINUE);
  }

  private static void send(long pid, int signal) throws IOException {
    int failed;
    try {
      failed = (int) KILL.invokeExact((int) pid, signal);
    } catch (Throwable unexpected) {
      throw new IllegalStateException("kill: pid=" + pid, unexpected);
    }
    if (failed != 0) {
      throw new IOException("kill: pid=" + pid + " signal=" + signal + " failed");
    }
  }
}

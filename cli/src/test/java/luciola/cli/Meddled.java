package luciola.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.UnaryOperator;
import luciola.cli.connection.Connector;
import luciola.client.LuciolaFileSystem;
import luciola.client.NewFile;

/**
 * Connects to a file system that stays open when a command closes it, and lets a test do something
 * before each call.
 */
final class Meddled {
  private Meddled() {}

  /** Something before a call: looks at its name and the path that comes first, may throw. */
  interface Before {
    void call(String method, String path) throws Exception;
  }

  static Connector with(LuciolaFileSystem fs, Before before) {
    return with(fs, before, file -> file);
  }

  /** The same; what is begun without a name is put through {@code newFiles}. */
  static Connector with(LuciolaFileSystem fs, Before before, UnaryOperator<NewFile> newFiles) {
    LuciolaFileSystem meddled =
        (LuciolaFileSystem)
            Proxy.newProxyInstance(
                Meddled.class.getClassLoader(),
                new Class<?>[] {LuciolaFileSystem.class},
                (_, method, arguments) -> called(fs, before, newFiles, method, arguments));
    return (List<String> _) -> meddled;
  }

  private static Object called(
      LuciolaFileSystem fs,
      Before before,
      UnaryOperator<NewFile> newFiles,
      Method method,
      Object[] arguments)
      throws Throwable {
    if (method.getName().equals("close")) {
      return Void.TYPE;
    }
    if (arguments != null && arguments[0] instanceof String path) {
      before.call(method.getName(), path);
    }
    try {
      Object result = method.invoke(fs, arguments);
      return result instanceof NewFile file ? newFiles.apply(file) : result;
    } catch (InvocationTargetException failure) {
      throw failure.getTargetException();
    }
  }
}

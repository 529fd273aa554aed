package luciola.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import luciola.cli.connection.Connector;
import luciola.client.LuciolaFileSystem;

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
    LuciolaFileSystem meddled =
        (LuciolaFileSystem)
            Proxy.newProxyInstance(
                Meddled.class.getClassLoader(),
                new Class<?>[] {LuciolaFileSystem.class},
                (_, method, arguments) -> called(fs, before, method, arguments));
    return (List<String> _) -> meddled;
  }

  private static Object called(
      LuciolaFileSystem fs, Before before, Method method, Object[] arguments) throws Throwable {
    if (method.getName().equals("close")) {
      return Void.TYPE;
    }
    if (arguments != null && arguments[0] instanceof String path) {
      before.call(method.getName(), path);
    }
    try {
      return method.invoke(fs, arguments);
    } catch (InvocationTargetException failure) {
      throw failure.getTargetException();
    }
  }
}

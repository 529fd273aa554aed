package luciola.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import luciola.client.LuciolaFileSystem;

/** A file system that stays open when a command closes it. */
final class Unclosed {
  private Unclosed() {}

  static LuciolaFileSystem of(LuciolaFileSystem fs) {
    return (LuciolaFileSystem)
        Proxy.newProxyInstance(
            Unclosed.class.getClassLoader(),
            new Class<?>[] {LuciolaFileSystem.class},
            (_, method, arguments) -> {
              if (method.getName().equals("close")) {
                return null;
              }
              try {
                return method.invoke(fs, arguments);
              } catch (InvocationTargetException failure) {
                throw failure.getTargetException();
              }
            });
  }
}

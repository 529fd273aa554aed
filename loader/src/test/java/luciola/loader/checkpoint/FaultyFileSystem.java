package luciola.loader.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * A file system that numbers the changes made through it, records them, and can fail one of them,
 * or that one and all after it, as after a crash.
 */
final class FaultyFileSystem {
  private static final Set<String> CHANGES =
      Set.of(
          "mkdir",
          "renameNoReplace",
          "removeRecursively",
          "openWrite",
          "write",
          "sync",
          "truncate");

  private final LuciolaFileSystem files;
  private final List<String> changes = Collections.synchronizedList(new ArrayList<>());
  private final List<Long> readBytes = Collections.synchronizedList(new ArrayList<>());
  private volatile int failAt = Integer.MAX_VALUE;
  private volatile boolean failAfter;
  private volatile CountDownLatch gate = new CountDownLatch(0);

  FaultyFileSystem(LuciolaFileSystem files) {
    this.files = files;
  }

  LuciolaFileSystem proxy() {
    return proxy(LuciolaFileSystem.class, files, "");
  }

  /** The changes so far: operation and path. */
  List<String> changes() {
    return List.copyOf(changes);
  }

  /** Sizes of the reads so far. */
  List<Long> readBytes() {
    return List.copyOf(readBytes);
  }

  /** The change of this number fails, from now; with {@code crash} all after it too. */
  void failAt(int change, boolean crash) {
    failAt = change;
    failAfter = crash;
  }

  /** From now changes wait until the latch opens. */
  void waitFor(CountDownLatch latch) {
    gate = latch;
  }

  private <T> T proxy(Class<T> type, T target, String path) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> call(target, path, method, arguments)));
  }

  private @Nullable Object call(
      Object target, String path, Method method, Object @Nullable [] arguments) throws Throwable {
    Object first = arguments == null ? "" : arguments[0];
    String name = first instanceof String s ? s : path;
    if (CHANGES.contains(method.getName())) {
      change(method.getName() + " " + name);
    }
    if (method.getName().equals("read") && arguments != null && arguments.length == 2) {
      readBytes.add(((MemorySegment) arguments[1]).byteSize());
    }
    try {
      Object result = method.invoke(target, arguments);
      return switch (result) {
        case WritableFile file -> proxy(WritableFile.class, file, name);
        case ReadableFile file -> proxy(ReadableFile.class, file, name);
        case null, default -> result;
      };
    } catch (InvocationTargetException e) {
      throw e.getTargetException();
    }
  }

  private void change(String what) throws InterruptedException {
    gate.await();
    int number = changes.size();
    changes.add(what);
    if (number == failAt || (failAfter && number > failAt)) {
      throw new LuciolaException(ErrorCode.NO_SPACE, "planted: change=" + what);
    }
  }
}

package luciola.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import luciola.protocol.connection.CopyCounter;
import org.junit.jupiter.api.Test;

/**
 * Nobody copies bytes on the way of a read without saying so: whoever calls anything that copies
 * memory counts the bytes, or is named here with what it copies instead. So the counts that tests
 * compare with zero are those of every copy there is.
 */
class CopiesAreCountedTest {
  private static final Set<String> ON_THE_WAY =
      Set.of(
          "luciola.client",
          "luciola.client.cluster",
          "luciola.client.nio",
          "luciola.protocol.connection",
          "luciola.protocol.frame",
          "luciola.loader.agent",
          "luciola.loader.ring",
          "luciola.loader.dataset",
          "luciola.loader.slot");

  /** What copies memory, by the class and the name of the method. */
  private static final Map<String, Set<String>> COPYING =
      Map.of(
          "java.lang.foreign.MemorySegment", Set.of("copy", "copyFrom", "toArray"),
          "java.lang.System", Set.of("arraycopy"),
          "java.util.Arrays", Set.of("copyOf", "copyOfRange"),
          "io.netty.buffer.ByteBuf",
              Set.of("readBytes", "writeBytes", "getBytes", "setBytes", "copy"),
          "io.netty.buffer.Unpooled", Set.of("copiedBuffer"),
          "sun.misc.Unsafe", Set.of("copyMemory"));

  /** Copies of something else than the bytes of a read. */
  private static final Map<String, String> OTHERS =
      Map.ofEntries(
          Map.entry("WriteBack.put", "a write: its caller may use the memory again at once"),
          Map.entry("WriteBack$Buffer.moveTo", "a write that outgrows its first, small buffer"),
          Map.entry("BodyWriter.room", "bodies of frames"),
          Map.entry("BodyReader.bytes", "tickets before the body of a request"),
          Map.entry("BodyWriter.bytes", "tickets before the body of a request"),
          Map.entry("HeaderBuffer.compact", "heads of frames, and small frames read ahead"),
          Map.entry("HeaderBuffer.grow", "heads of frames, and small frames read ahead"),
          Map.entry("Sockets.chooseCongestionControl", "the name of an algorithm"),
          Map.entry("AgentBatch.numbers", "numbers of the samples of a batch"),
          Map.entry("AgentMessage.encode", "control messages"),
          Map.entry("AgentMessage$Json.object", "control messages"),
          Map.entry("AgentSocket.fill", "control messages"),
          Map.entry("DatasetCatalog.read", "the catalog"),
          Map.entry("RecordShard.array", "head and foot of a shard"),
          Map.entry("RecordLayout.encodeFooter", "packing"),
          Map.entry("RecordLayout.encodeHeader", "packing"),
          Map.entry("RecordShardWriter.add", "packing"),
          Map.entry("DatasetPacker.ended", "packing"),
          Map.entry("MegatronWriter.add", "packing"),
          Map.entry("MegatronWriter.finish", "packing"),
          Map.entry("SequentialOutput.write", "packing"));

  @Test
  void everyCopyIsCountedOrNamed() {
    assertEquals(new TreeSet<>(OTHERS.keySet()), uncounted(Classes.ALL, ON_THE_WAY));
  }

  @Test
  void theRuleFindsACopy() {
    JavaClasses here = new ClassFileImporter().importClasses(Copying.class, Counting.class);
    assertEquals(
        Set.of("CopiesAreCountedTest$Copying.copy"), uncounted(here, Set.of("luciola.deploy")));
  }

  private static Set<String> uncounted(JavaClasses classes, Set<String> packages) {
    Set<String> found = new TreeSet<>();
    classes.stream()
        .filter(each -> packages.contains(each.getPackageName()))
        .flatMap(each -> each.getCodeUnits().stream())
        .filter(
            each -> each.getMethodCallsFromSelf().stream().anyMatch(CopiesAreCountedTest::copies))
        .filter(each -> !counts(each))
        .forEach(each ->
            found.add(
                each.getOwner()
                        .getFullName()
                        .substring(each.getOwner().getPackageName().length() + 1)
                    + "."
                    + each.getName()));
    return found;
  }

  private static boolean counts(JavaCodeUnit unit) {
    return unit.getMethodCallsFromSelf().stream()
        .map(JavaMethodCall::getTarget)
        .anyMatch(target ->
            target.getOwner().isEquivalentTo(CopyCounter.class)
                && target.getName().equals("copied"));
  }

  private static boolean copies(JavaMethodCall call) {
    AccessTarget.MethodCallTarget target = call.getTarget();
    String owner = target.getOwner().getFullName();
    return COPYING.getOrDefault(owner, Set.of()).contains(target.getName())
        || (owner.matches("java\\.nio\\.\\w*Buffer") && bulk(target))
        || (owner.equals("[B") && target.getName().equals("clone"));
  }

  /** Puts or gets many, not one. */
  private static boolean bulk(AccessTarget.MethodCallTarget target) {
    List<String> parameters =
        target.getRawParameterTypes().stream().map(type -> type.getName()).toList();
    return Set.of("put", "get").contains(target.getName())
        && parameters.stream().anyMatch(type -> type.startsWith("[") || type.endsWith("Buffer"));
  }

  /** What the rule is there to find. */
  @SuppressWarnings("UnusedMethod")
  private static final class Copying {
    static void copy(MemorySegment from, MemorySegment to) {
      to.copyFrom(from);
    }
  }

  /** What it leaves alone. */
  @SuppressWarnings("UnusedMethod")
  private static final class Counting {
    static void copy(MemorySegment from, MemorySegment to) {
      to.copyFrom(from);
      CopyCounter.copied(from.byteSize());
    }
  }
}

package luciola.simulation.check;

import java.util.HashMap;
import java.util.Map;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import org.jspecify.annotations.Nullable;

/** A client's update makes one version, and a version has one maker. */
public final class NoUpdateAppliedTwice {
  private static final String RULE = "NoUpdateAppliedTwice";

  private final Map<UpdateTag, Made> versions = new HashMap<>();
  private final Map<Made, UpdateTag> makers = new HashMap<>();

  private record Made(ChunkId chunk, ChunkVersion version) {}

  /** Some replica committed a version that came from this update. */
  public void committed(UpdateTag tag, ChunkId chunk, ChunkVersion version) {
    Made made = new Made(chunk, version);
    @Nullable Made before = versions.putIfAbsent(tag, made);
    if (before != null && !before.equals(made)) {
      throw new RuleBroken(RULE, tag + " made " + before + " and " + made);
    }
    @Nullable UpdateTag other = makers.putIfAbsent(made, tag);
    if (other != null && !other.equals(tag)) {
      throw new RuleBroken(RULE, made + " was made by " + other + " and by " + tag);
    }
  }

  /** A client was told that its update made this version. */
  public void acknowledged(UpdateTag tag, ChunkId chunk, ChunkVersion version) {
    @Nullable Made made = versions.get(tag);
    if (made != null && !made.equals(new Made(chunk, version))) {
      throw new RuleBroken(RULE, tag + " made " + made + ", its client was told " + version);
    }
  }
}

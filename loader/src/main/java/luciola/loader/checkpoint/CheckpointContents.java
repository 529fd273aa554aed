package luciola.loader.checkpoint;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import luciola.loader.safetensors.TensorView;

/**
 * What to save.
 *
 * @param step steps trained, names the checkpoint
 * @param position the loader's position after that step, an opaque line of text
 * @param metadata more about the run, by key
 * @param files each a safetensors file of its own
 */
public record CheckpointContents(
    long step, String position, Map<String, String> metadata, List<TensorFile> files) {
  public CheckpointContents {
    metadata = Map.copyOf(metadata);
    files = List.copyOf(files);
    if (step < 0 || files.isEmpty()) {
      throw new IllegalArgumentException(
          "nothing to save: step=%d files=%d".formatted(step, files.size()));
    }
    Set<String> names = new HashSet<>();
    for (TensorFile file : files) {
      if (!names.add(file.name())) {
        throw new IllegalArgumentException("file named twice: name=" + file.name());
      }
    }
  }

  /**
   * One file of tensors.
   *
   * @param name ends in {@code .safetensors}, no directory
   */
  public record TensorFile(String name, List<TensorView> tensors) {
    public TensorFile {
      tensors = List.copyOf(tensors);
      if (!name.endsWith(".safetensors") || name.contains("/") || name.startsWith(".")) {
        throw new IllegalArgumentException("not a file name of tensors: name=" + name);
      }
    }
  }
}

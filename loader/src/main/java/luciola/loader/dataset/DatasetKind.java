package luciola.loader.dataset;

import java.util.Locale;

/** What a dataset is made of. */
public enum DatasetKind {
  /** One Megatron {@code .bin/.idx}; samples are windows of tokens. */
  TOKENS,
  /** Record shards; samples are byte strings of any size. */
  RECORDS;

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}

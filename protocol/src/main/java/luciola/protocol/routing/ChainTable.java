package luciola.protocol.routing;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;

/** One version of the list of chains that files are striped over. Never changes once made. */
public record ChainTable(ChainTableId id, int version, List<ChainId> chains) {
  public ChainTable {
    chains = List.copyOf(chains);
    if (version < 1 || chains.isEmpty()) {
      throw new IllegalArgumentException(
          "bad chain table: id=" + id + " version=" + version + " chains=" + chains.size());
    }
  }
}

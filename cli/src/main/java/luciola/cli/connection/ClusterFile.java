package luciola.cli.connection;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import luciola.cli.terminal.CommandFailure;

/**
 * What a local cluster leaves beside its data for the commands that come later: which processes run
 * it and where they listen. Ports are kept over restarts.
 *
 * @param format version of this file
 * @param clusterId the cluster's id as its meta-server prints it; empty until it was asked
 * @param roles the servers, meta-servers first
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ClusterFile(int format, String clusterId, List<Role> roles) {
  /** The version that this program writes, and the newest it reads. */
  public static final int FORMAT = 1;

  /** Its name in the data folder. */
  public static final String NAME = "cluster.json";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /**
   * One server.
   *
   * @param name unique in the cluster, also the name of its folder
   * @param kind {@code meta-server}, {@code storage-server} or {@code agent}
   * @param address {@code host:port}, or a socket's path for an agent
   * @param pid the process it runs in
   */
  public record Role(String name, String kind, String address, long pid) {}

  public ClusterFile {
    roles = List.copyOf(roles);
  }

  /** Addresses of the meta-servers. */
  public List<String> metaServers() {
    return addresses("meta-server");
  }

  /** Addresses of the servers of one kind. */
  public List<String> addresses(String kind) {
    return roles.stream().filter(role -> role.kind().equals(kind)).map(Role::address).toList();
  }

  /** A server by its name. */
  public Optional<Role> role(String name) {
    return roles.stream().filter(role -> role.name().equals(name)).findFirst();
  }

  /** Reads the file of a data folder; empty if there is none. */
  public static Optional<ClusterFile> read(Path dataFolder) {
    Path file = dataFolder.resolve(NAME);
    try {
      var tree = JSON.readTree(Files.readAllBytes(file));
      int format = tree.path("format").asInt();
      if (format > FORMAT) {
        throw CommandFailure.failed(
            file
                + " was written by a newer release (format "
                + format
                + ", this one reads up to "
                + FORMAT
                + "): use that release");
      }
      return Optional.of(JSON.treeToValue(tree, ClusterFile.class));
    } catch (NoSuchFileException none) {
      return Optional.empty();
    } catch (JsonProcessingException | IllegalArgumentException | NullPointerException damaged) {
      throw CommandFailure.failed(
          file + " is damaged; remove it and run luciola local up again", damaged);
    } catch (IOException failure) {
      throw CommandFailure.failed("cannot read " + file + ": " + failure.getMessage(), failure);
    }
  }

  /** Writes the file atomically. */
  public void write(Path dataFolder) throws IOException {
    Path fresh = dataFolder.resolve(NAME + ".new");
    Files.write(fresh, JSON.writeValueAsBytes(this));
    Files.move(fresh, dataFolder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
  }
}

package luciola.cli.soak.fault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A network namespace for each server, joined by a bridge on which this process has an address too.
 * Cuts are rules of the server's own packet filter: packets vanish without a word. Needs root,
 * {@code ip} and {@code iptables}.
 */
final class Namespaces implements Network {
  private static final int COMMAND_SECONDS = 20;
  private static final int NETWORKS = 200;

  private final String prefix;
  private final int subnet;
  private final Set<String> managers;
  private final Map<String, Integer> numbers = new LinkedHashMap<>();

  private Namespaces(String prefix, int subnet, Set<String> managers) {
    this.prefix = prefix;
    this.subnet = subnet;
    this.managers = managers;
  }

  /** Makes the bridge and a namespace for each server. */
  static Namespaces make(List<String> servers, Set<String> managers)
      throws IOException, InterruptedException {
    long pid = ProcessHandle.current().pid();
    Namespaces made = null;
    for (int attempt = 0; made == null; attempt++) {
      var candidate =
          new Namespaces("lc" + pid % 100_000, (int) ((pid + attempt) % NETWORKS), managers);
      try {
        candidate.makeBridge();
        made = candidate;
      } catch (IOException taken) {
        candidate.close();
        if (attempt >= 3) {
          throw taken;
        }
      } catch (InterruptedException | RuntimeException e) {
        candidate.close();
        throw e;
      }
    }
    try {
      for (String server : servers) {
        made.join(server);
      }
      return made;
    } catch (IOException | InterruptedException | RuntimeException e) {
      made.close();
      throw e;
    }
  }

  /** Why there can be no namespaces here; null if there can. */
  static @Nullable String missing() throws InterruptedException {
    String probe = "lcprobe" + ProcessHandle.current().pid() % 10_000;
    try {
      run("ip", "netns", "add", probe);
    } catch (IOException e) {
      return "no network namespaces here: " + e.getMessage();
    }
    try {
      String[] rule = {"iptables", "-A", "INPUT", "-s", "10.0.0.1", "-j", "DROP"};
      run(entering(probe, List.of(rule)).toArray(String[]::new));
      return null;
    } catch (IOException e) {
      return "no packet filter here: " + e.getMessage();
    } finally {
      quietly("ip", "netns", "del", probe);
    }
  }

  private String bridge() {
    return prefix + "br";
  }

  private String namespace(String server) {
    return prefix + "-" + server;
  }

  private String address(int number) {
    return "10.213." + subnet + "." + number;
  }

  private void makeBridge() throws IOException, InterruptedException {
    run("ip", "link", "add", bridge(), "type", "bridge");
    run("ip", "addr", "add", address(1) + "/24", "dev", bridge());
    run("ip", "link", "set", bridge(), "up");
  }

  private void join(String server) throws IOException, InterruptedException {
    int number = numbers.size() + 10;
    numbers.put(server, number);
    String outer = prefix + "v" + number;
    run("ip", "netns", "add", namespace(server));
    run(
        "ip",
        "link",
        "add",
        outer,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        namespace(server));
    run("ip", "link", "set", outer, "master", bridge(), "up");
    within(server, "ip", "link", "set", "lo", "up");
    within(server, "ip", "addr", "add", address(number) + "/24", "dev", "eth0");
    within(server, "ip", "link", "set", "eth0", "up");
  }

  private int number(String server) {
    Integer number = numbers.get(server);
    if (number == null) {
      throw new IllegalArgumentException("no server " + server + " in " + numbers.keySet());
    }
    return number;
  }

  @Override
  public String host(String server) {
    return address(number(server));
  }

  @Override
  public List<String> inside(String server, List<String> command) {
    return entering(namespace(server), command);
  }

  /** Not by {@code ip netns exec}: that copies every mount, and keeps what is unmounted alive. */
  private static List<String> entering(String namespace, List<String> command) {
    var inside = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace));
    inside.addAll(command);
    return inside;
  }

  @Override
  public Set<Cut> cuts() {
    return EnumSet.allOf(Cut.class);
  }

  @Override
  public void cut(String server, Cut cut) throws IOException, InterruptedException {
    switch (cut) {
      case ALL -> {
        drop(server, "INPUT");
        drop(server, "OUTPUT");
      }
      case DEAF -> drop(server, "INPUT");
      case MUTE -> drop(server, "OUTPUT");
      case MANAGER -> {
        for (String manager : managers) {
          drop(server, "INPUT", "-s", host(manager));
          drop(server, "OUTPUT", "-d", host(manager));
        }
      }
      case MANAGER_UNHEARD -> {
        for (String manager : managers) {
          drop(server, "INPUT", "-s", host(manager));
        }
      }
      case PEERS -> {
        for (String peer : numbers.keySet()) {
          if (!peer.equals(server) && managers.contains(peer) == managers.contains(server)) {
            drop(server, "INPUT", "-s", host(peer));
            drop(server, "OUTPUT", "-d", host(peer));
          }
        }
      }
    }
  }

  private void drop(String server, String chain, String... match)
      throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("iptables", "-w", "-A", chain));
    command.addAll(List.of(match));
    command.addAll(List.of("-j", "DROP"));
    within(server, command.toArray(String[]::new));
  }

  @Override
  public void heal(String server) throws IOException, InterruptedException {
    within(server, "iptables", "-w", "-F");
  }

  private void within(String server, String... command) throws IOException, InterruptedException {
    run(inside(server, List.of(command)).toArray(String[]::new));
  }

  /** Removes everything, also in a thread that is interrupted. */
  @Override
  public void close() {
    for (String server : numbers.keySet()) {
      quietly("ip", "netns", "del", namespace(server));
    }
    for (int number : numbers.values()) {
      quietly("ip", "link", "del", prefix + "v" + number);
    }
    quietly("ip", "link", "del", bridge());
  }

  private static void quietly(String... command) {
    boolean interrupted = false;
    while (true) {
      try {
        run(command);
        break;
      } catch (IOException _) {
        // It was not there, or is gone with its namespace.
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException(String.join(" ", command) + ": " + said.strip());
    }
  }
}

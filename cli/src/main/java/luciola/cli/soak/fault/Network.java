package luciola.cli.soak.fault;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Where the processes of a fleet have their addresses, and how they can be cut off. */
interface Network extends AutoCloseable {
  /** The loopback interface: nobody can be cut off. */
  Network LOOPBACK =
      new Network() {
        @Override
        public String host(String server) {
          return "127.0.0.1";
        }

        @Override
        public List<String> inside(String server, List<String> command) {
          return command;
        }

        @Override
        public Set<Cut> cuts() {
          return Set.of();
        }

        @Override
        public void cut(String server, Cut cut) throws IOException {
          throw new IOException("nothing to cut: server=" + server);
        }

        @Override
        public void heal(String server) {}

        @Override
        public void close() {}
      };

  /** Address of a server. */
  String host(String server);

  /** The command that runs a command where the server is. */
  List<String> inside(String server, List<String> command);

  Set<Cut> cuts();

  void cut(String server, Cut cut) throws IOException, InterruptedException;

  void heal(String server) throws IOException, InterruptedException;

  @Override
  void close() throws IOException;
}

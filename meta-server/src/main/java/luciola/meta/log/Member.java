package luciola.meta.log;

/**
 * A meta-server of the cluster, as every member's configuration lists it.
 *
 * @param id short name, unique among the members
 * @param host where it is reached
 * @param raftPort TCP port for the other members
 * @param servicePort TCP port for clients and storage-servers
 */
public record Member(String id, String host, int raftPort, int servicePort) {
  public Member {
    if (id.isEmpty() || host.isEmpty() || servicePort < 0 || servicePort > 65535) {
      throw new IllegalArgumentException(
          "bad member: id=" + id + " host=" + host + " servicePort=" + servicePort);
    }
  }

  /** Where clients go. */
  public String serviceAddress() {
    return host + ":" + servicePort;
  }
}

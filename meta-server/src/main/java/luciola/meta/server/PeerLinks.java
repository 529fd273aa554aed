package luciola.meta.server;

import java.util.LinkedHashMap;
import java.util.Map;
import luciola.meta.log.Member;
import luciola.meta.log.MetaLog;
import luciola.meta.log.Peers;
import luciola.protocol.access.ClientAccess;
import org.jspecify.annotations.Nullable;

/** The connections to the other meta-servers by which reads are made sure of. */
final class PeerLinks implements Peers, AutoCloseable {
  private final Map<String, PeerLink> links = new LinkedHashMap<>();
  private volatile @Nullable MetaLog log;

  /** Makes no connection before it is needed. */
  PeerLinks(MetaServerConfig config) {
    ClientAccess access = config.security().asServer();
    for (Member member : config.members()) {
      if (!member.id().equals(config.self())) {
        links.put(
            member.id(),
            new PeerLink(member.host(), member.servicePort(), access, new Answers(member.id())));
      }
    }
  }

  private final class Answers implements PeerLink.Listener {
    private final String member;

    Answers(String member) {
      this.member = member;
    }

    @Override
    public void confirmed(long round, long term, long index) {
      MetaLog asks = log;
      if (asks != null) {
        asks.confirmed(round, member, term, index);
      }
    }

    @Override
    public void indexed(long round, long index, long term) {
      MetaLog asks = log;
      if (asks != null) {
        asks.indexed(round, member, index, term);
      }
    }
  }

  /** Whom the answers are told. */
  void start(MetaLog startedLog) {
    log = startedLog;
  }

  @Override
  public void confirm(long round) {
    links.values().forEach(link -> link.confirm(round));
  }

  @Override
  public void readIndex(String leader, long round) {
    PeerLink link = links.get(leader);
    if (link != null) {
      link.readIndex(round);
    }
  }

  @Override
  public void close() {
    links.values().forEach(PeerLink::close);
  }
}

package luciola.meta.log;

/**
 * The way to the other members, for reads. Calls return at once; an answer, if there is one, is
 * told to the log. Any thread.
 */
public interface Peers {
  /** Of a member that is alone. */
  Peers NONE =
      new Peers() {
        @Override
        public void confirm(long round) {}

        @Override
        public void readIndex(String leader, long round) {}
      };

  /** Asks every other member for its term and its log: {@link MetaLog#confirmed}. */
  void confirm(long round);

  /** Asks the leader how far a read has to see: {@link MetaLog#indexed}. */
  void readIndex(String leader, long round);
}

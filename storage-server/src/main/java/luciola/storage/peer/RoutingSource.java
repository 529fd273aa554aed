package luciola.storage.peer;

import luciola.protocol.control.RoutingFeed;
import luciola.protocol.routing.Routing;

/** Where a server looks up where everything is. */
public interface RoutingSource {
  /** The newest that is known here. */
  Routing routing();

  /** Asks for newer; does not wait for it. */
  void refresh();

  /** What a feed knows. */
  static RoutingSource of(RoutingFeed feed) {
    return new RoutingSource() {
      @Override
      public Routing routing() {
        return feed.routing();
      }

      @Override
      public void refresh() {
        feed.refresh();
      }
    };
  }
}

package dev.sund.it.agent;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftEvent;
import dev.sund.kernel.nft.NftMonitor;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.kernel.route.RouteMonitor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Everything that changes in a namespace's network while it is open, as text: links, addresses,
 * routes, rules, neighbours, FDB, nf_tables. Left out is what the kernel does by itself: neighbours
 * that it learns and forgets.
 */
final class ChangeRecorder implements AutoCloseable {
  private final RouteMonitor routes;
  private final NftMonitor nft;
  private final List<String> changes = Collections.synchronizedList(new ArrayList<>());

  ChangeRecorder(NetNs namespace) throws KernelException {
    routes = RouteMonitor.open(namespace);
    nft = NftMonitor.open(namespace);
    routes.start("sundt-routes", this::note);
    nft.start(
        "sundt-nft",
        new NftMonitor.Sink() {
          @Override
          public void event(NftEvent event) {
            changes.add(event.toString());
          }

          @Override
          public void resync(String why) {
            changes.add(why);
          }
        });
  }

  /** What changed so far. */
  List<String> changes() {
    return List.copyOf(changes);
  }

  private void note(RouteEvent event) {
    boolean learned =
        switch (event) {
          case RouteEvent.NeighbourChanged changed -> !changed.neighbour().isPermanent();
          case RouteEvent.NeighbourGone gone -> !gone.neighbour().isPermanent();
          default -> false;
        };
    if (!learned) {
      changes.add(event.toString());
    }
  }

  @Override
  public void close() {
    nft.close();
    routes.close();
  }
}

package dev.sund.dataplane;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.BridgeFilter;
import dev.sund.kernel.route.BridgePort;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.model.Family;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The routing side of one network namespace with its sysctls, as drivers use it. {@link
 * SocketRoutes} is the kernel's; tests have a fake with one switch for each failure.
 *
 * <p>Not from virtual threads. One thread at a time.
 */
public interface KernelRoutes extends AutoCloseable {

  /**
   * Sends requests together; later ones are tried although earlier ones failed.
   *
   * @param driver who sends, for {@link FailPoint}s
   * @return one outcome a request, in order
   * @throws KernelException when the answers are lost; what was done is unknown then
   */
  List<Outcome> apply(String driver, List<RouteRequest> requests) throws KernelException;

  /** All devices. */
  List<Link> links() throws KernelException;

  /** The device of this name. */
  Optional<Link> link(String name) throws KernelException;

  /** The device of this index. */
  Optional<Link> link(int index) throws KernelException;

  /** All addresses, in the kernel's order. */
  List<Address> addresses() throws KernelException;

  /** The routes that the filter takes. */
  List<RouteEntry> routes(RouteFilter filter) throws KernelException;

  /** The neighbours of a family on a device; device 0 for all. */
  List<Neighbour> neighbours(Family family, int device) throws KernelException;

  /** The FDB entries of a device; 0 for all. */
  List<FdbEntry> fdb(int device) throws KernelException;

  /** What a bridge knows of its port of this index; empty when the device is no bridge's port. */
  Optional<BridgePort> bridgePort(int index) throws KernelException;

  /** Whether the bridge of this index shows rules what it forwards; empty for other devices. */
  Optional<BridgeFilter> bridgeFilter(int index) throws KernelException;

  /** The values of these settings; those that do not exist are left out. */
  Map<Sysctl, String> sysctls(List<Sysctl> settings) throws KernelException;

  /** Sets these in their order, going on after a failure; returns the failures. */
  List<KernelException> writeSysctls(Map<Sysctl, String> values) throws KernelException;

  /**
   * Opens another namespace; the caller closes it.
   *
   * @throws KernelException.NotFound when it is gone
   */
  Inside enter(Path namespace) throws KernelException;

  /** The id that this namespace has for the other, as {@link Link#peerNamespace} gives it. */
  OptionalInt namespaceId(Inside other) throws KernelException;

  @Override
  void close();

  /** Another namespace, held open. */
  interface Inside extends AutoCloseable {
    /** The open descriptor, for requests that make or move devices there. */
    int descriptor();

    /** What is in it; closed with this. */
    KernelRoutes routes() throws KernelException;

    /**
     * As {@link KernelRoutes#writeSysctls} of what is in it. Before {@link #routes} it costs no
     * visit of its own.
     */
    default List<KernelException> writeSysctls(Map<Sysctl, String> values) throws KernelException {
      return routes().writeSysctls(values);
    }

    @Override
    void close();
  }
}

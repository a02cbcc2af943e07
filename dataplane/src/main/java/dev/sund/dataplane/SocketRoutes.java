package dev.sund.dataplane;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.BridgeFilter;
import dev.sund.kernel.route.BridgePort;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Family;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The kernel's {@link KernelRoutes} of a namespace. Reading needs no capability. */
public final class SocketRoutes implements KernelRoutes {
  private final NetNs namespace;
  private final FailPoint failPoint;
  private final RouteSocket socket;

  private SocketRoutes(NetNs namespace, FailPoint failPoint, RouteSocket socket) {
    this.namespace = namespace;
    this.failPoint = failPoint;
    this.socket = socket;
  }

  /** Opens those of {@code namespace}; the caller closes them. */
  public static SocketRoutes open(NetNs namespace) throws KernelException {
    return open(namespace, FailPoint.NONE);
  }

  /** As {@link #open(NetNs)}, dying where {@code failPoint} says. */
  public static SocketRoutes open(NetNs namespace, FailPoint failPoint) throws KernelException {
    return new SocketRoutes(namespace, failPoint, RouteSocket.open(namespace));
  }

  @Override
  public List<Outcome> apply(String driver, List<RouteRequest> requests) throws KernelException {
    int refused = FailPoint.refused(driver, requests.size());
    return refused < 0
        ? failPoint.through(driver, requests, this::send)
        : without(requests, refused);
  }

  /** As a kernel answers that refuses one of several messages. */
  private List<Outcome> without(List<RouteRequest> requests, int refused) throws KernelException {
    List<Outcome> answers = new ArrayList<>(send(requests.subList(0, refused)));
    answers.add(
        new Outcome.Failed(
            Errno.exception(
                "send",
                String.valueOf(requests.get(refused)),
                Errno.EINVAL.number(),
                "refused by " + FailPoint.REFUSE,
                Capability.NET_ADMIN)));
    answers.addAll(send(requests.subList(refused + 1, requests.size())));
    return answers;
  }

  private List<Outcome> send(List<RouteRequest> requests) throws KernelException {
    RouteBatch batch = new RouteBatch();
    requests.forEach(batch::add);
    return socket.apply(batch);
  }

  @Override
  public List<Link> links() throws KernelException {
    return socket.links();
  }

  @Override
  public Optional<Link> link(String name) throws KernelException {
    return socket.link(name);
  }

  @Override
  public Optional<Link> link(int index) throws KernelException {
    return socket.link(index);
  }

  @Override
  public List<Address> addresses() throws KernelException {
    return socket.addresses();
  }

  @Override
  public List<RouteEntry> routes(RouteFilter filter) throws KernelException {
    return socket.routes(filter);
  }

  @Override
  public List<Neighbour> neighbours(Family family, int device) throws KernelException {
    return socket.neighbours(family, device);
  }

  @Override
  public List<FdbEntry> fdb(int device) throws KernelException {
    return socket.fdb(device);
  }

  @Override
  public Optional<BridgePort> bridgePort(int index) throws KernelException {
    return socket.bridgePort(index);
  }

  @Override
  public Optional<BridgeFilter> bridgeFilter(int index) throws KernelException {
    return socket.bridgeFilter(index);
  }

  @Override
  public Map<Sysctl, String> sysctls(List<Sysctl> settings) throws KernelException {
    return Sysctl.readAll(namespace, settings);
  }

  @Override
  public List<KernelException> writeSysctls(Map<Sysctl, String> values) throws KernelException {
    return Sysctl.writeAll(namespace, values);
  }

  @Override
  public Inside enter(Path other) throws KernelException {
    NetNs inside = NetNs.at(other);
    return new OpenNamespace(inside, inside.open(), failPoint);
  }

  @Override
  public OptionalInt namespaceId(Inside other) throws KernelException {
    return other instanceof OpenNamespace open
        ? socket.namespaceId(open.descriptor)
        : OptionalInt.empty();
  }

  @Override
  public void close() {
    socket.close();
  }

  @Override
  public String toString() {
    return namespace.toString();
  }

  private static final class OpenNamespace implements Inside {
    private final NetNs namespace;
    private final Fd descriptor;
    private final FailPoint failPoint;
    private @Nullable SocketRoutes routes;

    OpenNamespace(NetNs namespace, Fd descriptor, FailPoint failPoint) {
      this.namespace = namespace;
      this.descriptor = descriptor;
      this.failPoint = failPoint;
    }

    @Override
    public int descriptor() {
      return descriptor.number();
    }

    @Override
    public KernelRoutes routes() throws KernelException {
      SocketRoutes open = routes;
      return open == null ? open(() -> {}) : open;
    }

    private SocketRoutes open(Runnable first) throws KernelException {
      SocketRoutes open =
          new SocketRoutes(
              namespace, failPoint, RouteSocket.open(namespace, descriptor, first, Buffers.SMALL));
      routes = open;
      return open;
    }

    @Override
    public List<KernelException> writeSysctls(Map<Sysctl, String> values) throws KernelException {
      if (routes != null) {
        return routes.writeSysctls(values);
      }
      List<KernelException> failures = new ArrayList<>();
      open(() -> failures.addAll(Sysctl.writeAllHere(values)));
      return failures;
    }

    @Override
    public void close() {
      if (routes != null) {
        routes.close();
      }
      descriptor.close();
    }
  }
}

package dev.sund.kernel.route;

import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Ack;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkSocket;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Reads and changes links, addresses, routes, rules, neighbours and FDB of one namespace.
 *
 * <p>Reading needs no capability, changing CAP_NET_ADMIN. Any platform thread, one at a time. The
 * caller closes it.
 *
 * <pre>
 *   try (RouteSocket socket = RouteSocket.open(NetNs.named("blue"))) {
 *     socket.apply(new RouteBatch().up("lo").put(Address.of(1, address))).getFirst().orThrow();
 *   }
 * </pre>
 */
public final class RouteSocket implements AutoCloseable {
  private static final int RTEXT_FILTER_SKIP_STATS = 8;
  private static final int RTA_OIF = 4;
  private static final int RTA_TABLE = 15;
  private static final int NDA_IFINDEX = 8;
  private static final int NETNSA_NSID = 1;
  private static final int NETNSA_FD = 3;

  private final NetlinkSocket socket;
  private final NlWriter writer = new NlWriter();

  private RouteSocket(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Opens one with {@link Buffers#DEFAULT}. */
  public static RouteSocket open(NetNs namespace) throws KernelException {
    return open(namespace, Buffers.DEFAULT);
  }

  /** Opens one. */
  public static RouteSocket open(NetNs namespace, Buffers buffers) throws KernelException {
    return new RouteSocket(NetlinkSocket.open(Netlink.NETLINK_ROUTE, namespace, buffers));
  }

  /**
   * Opens one of a namespace that is held open, after {@code first} has run in it: settings are
   * written and the socket is opened in one visit.
   *
   * @param entered the namespace, held open
   * @param first what to do inside; must not start threads, nor fail
   */
  public static RouteSocket open(NetNs namespace, Fd entered, Runnable first, Buffers buffers)
      throws KernelException {
    return new RouteSocket(
        NetlinkSocket.open(Netlink.NETLINK_ROUTE, namespace, entered, first, buffers));
  }

  /**
   * Sends all requests of a batch together; later ones are tried although earlier ones failed.
   *
   * @return one outcome a request, in order
   * @throws KernelException when the kernel's answers are lost; what was done is unknown then
   */
  public synchronized List<Outcome> apply(RouteBatch batch) throws KernelException {
    List<RouteRequest> requests = batch.requests();
    int[] firstMessage = new int[requests.size() + 1];
    writer.clear();
    for (int i = 0; i < requests.size(); i++) {
      firstMessage[i] = writer.count();
      write(requests.get(i));
    }
    firstMessage[requests.size()] = writer.count();
    List<Ack> answers = socket.request(writer);
    List<Outcome> outcomes = new ArrayList<>(requests.size());
    for (int i = 0; i < requests.size(); i++) {
      Ack worst = Ack.DONE;
      for (int m = firstMessage[i]; m < firstMessage[i + 1] && worst.isDone(); m++) {
        worst = answers.get(m);
      }
      outcomes.add(outcome(requests.get(i), worst));
    }
    return outcomes;
  }

  /**
   * Applies one request.
   *
   * @throws KernelException when the kernel refuses; not for what is there or gone already
   */
  public Outcome apply(RouteRequest request) throws KernelException {
    Outcome outcome = apply(new RouteBatch().add(request)).getFirst();
    outcome.orThrow();
    return outcome;
  }

  /** All devices. */
  public synchronized List<Link> links() throws KernelException {
    message(Rtnl.RTM_GETLINK);
    Link.putHeader(writer, 0, 0, 0);
    writer.u32(Link.IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).end();
    List<Link> links = new ArrayList<>();
    socket.dump(
        "list links", writer, collect(links, body -> Link.read(body).ifPresent(links::add)));
    return links;
  }

  /** The device of this name, empty when there is none. */
  public Optional<Link> link(String name) throws KernelException {
    return link(0, Link.checkName(name));
  }

  /** The device of this index, empty when there is none. */
  public Optional<Link> link(int index) throws KernelException {
    return link(index, "");
  }

  private synchronized Optional<Link> link(int index, String name) throws KernelException {
    message(Rtnl.RTM_GETLINK);
    Link.putHeader(writer, index, 0, 0);
    if (index == 0) {
      writer.string(Link.IFLA_IFNAME, name);
    }
    writer.u32(Link.IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).end();
    List<Link> found = new ArrayList<>(1);
    Ack answer = ask(collect(found, body -> Link.read(body).ifPresent(found::add)));
    String object = name.isEmpty() ? "#" + index : name;
    if (!answer.isDone()) {
      KernelException failure = answer.exception("get link", object);
      if (failure instanceof KernelException.NotFound) {
        return Optional.empty();
      }
      throw failure;
    }
    return found.stream().findFirst();
  }

  /** What a bridge knows of its port of this index; empty when the device is no bridge's port. */
  public synchronized Optional<BridgePort> bridgePort(int index) throws KernelException {
    message(Rtnl.RTM_GETLINK);
    Link.putHeader(writer, index, 0, 0);
    writer.u32(Link.IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).end();
    List<BridgePort> found = new ArrayList<>(1);
    Ack answer = ask(collect(found, body -> BridgePort.read(body).ifPresent(found::add)));
    if (!answer.isDone()) {
      KernelException failure = answer.exception("get bridge port", "#" + index);
      if (failure instanceof KernelException.NotFound) {
        return Optional.empty();
      }
      throw failure;
    }
    return found.stream().findFirst();
  }

  /** Whether the bridge of this index shows rules what it forwards; empty for other devices. */
  public synchronized Optional<BridgeFilter> bridgeFilter(int index) throws KernelException {
    message(Rtnl.RTM_GETLINK);
    Link.putHeader(writer, index, 0, 0);
    writer.u32(Link.IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).end();
    List<BridgeFilter> found = new ArrayList<>(1);
    Ack answer = ask(collect(found, body -> BridgeFilter.read(body).ifPresent(found::add)));
    if (!answer.isDone()) {
      KernelException failure = answer.exception("get bridge", "#" + index);
      if (failure instanceof KernelException.NotFound) {
        return Optional.empty();
      }
      throw failure;
    }
    return found.stream().findFirst();
  }

  /** All addresses of both families, in the kernel's order: a device's primary one first. */
  public List<Address> addresses() throws KernelException {
    return addresses(0);
  }

  /** The addresses of a device; 0 for all devices. */
  public synchronized List<Address> addresses(int device) throws KernelException {
    List<Address> addresses = new ArrayList<>();
    for (Family family : Family.values()) {
      message(Rtnl.RTM_GETADDR);
      writer.putU8(Rtnl.number(family)).putZeros(3).putU32(device).end();
      List<Address> ofFamily = new ArrayList<>();
      socket.dump(
          "list addresses",
          writer,
          collect(
              ofFamily,
              body ->
                  Address.read(body)
                      .filter(address -> device == 0 || address.device() == device)
                      .ifPresent(ofFamily::add)));
      addresses.addAll(ofFamily);
    }
    return addresses;
  }

  /** Takes routes as they are read. */
  public interface RouteSink extends Consumer<RouteEntry> {
    /** The listing begins, or begins again after a change: forget what came before. */
    void begin();
  }

  /** Reads the routes that the filter takes, one by one, without keeping them. */
  public synchronized void routes(RouteFilter filter, RouteSink sink) throws KernelException {
    message(Rtnl.RTM_GETROUTE);
    int table = filter.table();
    writer
        .putU8(Rtnl.number(filter.family()))
        .putZeros(3)
        .putU8(table >= 0 && table < 256 ? table : 0)
        .putU8(filter.protocol())
        .putU8(0)
        .putU8(0)
        .putU32(0);
    if (table != 0) {
      writer.u32(RTA_TABLE, table);
    }
    if (filter.device() != 0) {
      writer.u32(RTA_OIF, filter.device());
    }
    writer.end();
    try {
      socket.dump(
          "list routes",
          writer,
          new NetlinkSocket.DumpSink() {
            @Override
            public void begin() {
              sink.begin();
            }

            @Override
            public void accept(int type, NlReader body) throws KernelException {
              Optional<RouteEntry> route = RouteEntry.read(body);
              if (route.isPresent() && filter.takes(route.get())) {
                sink.accept(route.get());
              }
            }
          });
    } catch (KernelException.NotFound _) {
      sink.begin(); // a table that holds nothing does not exist
    }
  }

  /** The routes that the filter takes. */
  public List<RouteEntry> routes(RouteFilter filter) throws KernelException {
    List<RouteEntry> routes = new ArrayList<>();
    routes(
        filter,
        new RouteSink() {
          @Override
          public void begin() {
            routes.clear();
          }

          @Override
          public void accept(RouteEntry route) {
            routes.add(route);
          }
        });
    return routes;
  }

  /** The queues of a device. */
  public synchronized List<Qdisc> qdiscs(int device) throws KernelException {
    message(Rtnl.RTM_GETQDISC);
    writer.putZeros(4).putU32(device).putZeros(12).end();
    List<Qdisc> qdiscs = new ArrayList<>();
    socket.dump(
        "list qdiscs",
        writer,
        collect(
            qdiscs,
            body -> Qdisc.read(body).filter(one -> one.device() == device).ifPresent(qdiscs::add)));
    return qdiscs;
  }

  /** What the queues of all devices have counted. */
  public synchronized List<QueueCounts> queueCounts() throws KernelException {
    message(Rtnl.RTM_GETQDISC);
    writer.putZeros(20).end();
    List<QueueCounts> counts = new ArrayList<>();
    socket.dump(
        "list qdiscs",
        writer,
        collect(counts, body -> QueueCounts.read(body).ifPresent(counts::add)));
    return counts;
  }

  /** The rules of a family, in the order in which the kernel goes through them. */
  public synchronized List<Rule> rules(Family family) throws KernelException {
    message(Rtnl.RTM_GETRULE);
    writer.putU8(Rtnl.number(family)).putZeros(11).end();
    List<Rule> rules = new ArrayList<>();
    socket.dump(
        "list rules", writer, collect(rules, body -> Rule.read(body).ifPresent(rules::add)));
    return rules;
  }

  /** The neighbours of a family on a device; device 0 for all. */
  public synchronized List<Neighbour> neighbours(Family family, int device) throws KernelException {
    message(Rtnl.RTM_GETNEIGH);
    writer.putU8(Rtnl.number(family)).putZeros(11);
    if (device != 0) {
      writer.u32(NDA_IFINDEX, device);
    }
    writer.end();
    List<Neighbour> neighbours = new ArrayList<>();
    socket.dump(
        "list neighbours",
        writer,
        collect(
            neighbours,
            body ->
                Neighbour.read(body.takeU8(), body)
                    .filter(neighbour -> device == 0 || neighbour.device() == device)
                    .ifPresent(neighbours::add)));
    return neighbours;
  }

  /** The FDB entries of a device; 0 for all devices. */
  public synchronized List<FdbEntry> fdb(int device) throws KernelException {
    message(Rtnl.RTM_GETNEIGH);
    writer.putU8(Rtnl.AF_BRIDGE).putZeros(3).putU32(device).putZeros(4).end();
    List<FdbEntry> entries = new ArrayList<>();
    socket.dump(
        "list fdb",
        writer,
        collect(
            entries,
            body ->
                FdbEntry.read(body.skip(1))
                    .filter(entry -> device == 0 || entry.device() == device)
                    .ifPresent(entries::add)));
    return entries;
  }

  /**
   * The id that this namespace has for another one, as {@link Link#peerNamespace} gives it; empty
   * when it has none, because no device here is paired with one there.
   */
  public synchronized OptionalInt namespaceId(Fd namespace) throws KernelException {
    message(Rtnl.RTM_GETNSID);
    writer.putU8(Rtnl.AF_UNSPEC).putZeros(3).u32(NETNSA_FD, namespace.number()).end();
    List<Integer> ids = new ArrayList<>(1);
    ask(collect(
            ids,
            body -> {
              body.skip(4);
              while (body.next()) {
                if (body.type() == NETNSA_NSID) {
                  ids.add(body.u32());
                }
              }
            }))
        .orThrow("get namespace id", namespace.what());
    return ids.isEmpty() || ids.getFirst() < 0
        ? OptionalInt.empty()
        : OptionalInt.of(ids.getFirst());
  }

  /** Closes the socket. */
  @Override
  public void close() {
    socket.close();
  }

  private void write(RouteRequest request) {
    try {
      request.write(writer);
    } catch (RuntimeException e) {
      writer.abandon();
      throw e;
    }
  }

  private NlWriter message(int type) {
    return writer.clear().message(type, 0);
  }

  private Ack ask(NetlinkSocket.DumpSink replies) throws KernelException {
    return socket.ask(writer, replies);
  }

  private static Outcome outcome(RouteRequest request, Ack answer) {
    if (answer.isDone()) {
      return Outcome.DONE;
    }
    KernelException failure = answer.exception(request.operation(), request.object());
    return switch (failure) {
      case KernelException.AlreadyExists _ when request.intent() == RouteRequest.Intent.CREATE ->
          Outcome.ALREADY_THERE;
      case KernelException.NotFound _ when request.intent() == RouteRequest.Intent.DELETE ->
          Outcome.ALREADY_GONE;
      case KernelException _ -> new Outcome.Failed(failure);
    };
  }

  /** Reads one entry of a listing. */
  private interface EntryReader {
    void read(NlReader body) throws KernelException;
  }

  private static NetlinkSocket.DumpSink collect(List<?> into, EntryReader reader) {
    return new NetlinkSocket.DumpSink() {
      @Override
      public void begin() {
        into.clear();
      }

      @Override
      public void accept(int type, NlReader body) throws KernelException {
        reader.read(body);
      }
    };
  }
}

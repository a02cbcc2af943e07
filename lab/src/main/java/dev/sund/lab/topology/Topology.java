package dev.sund.lab.topology;

import dev.sund.engine.trace.Underlay;
import dev.sund.engine.trace.Underlay.Host;
import dev.sund.engine.trace.Underlay.Link;
import dev.sund.engine.trace.Underlay.Role;
import dev.sund.engine.trace.Underlay.Via;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * The namespaces of a lab and the links between its machines.
 *
 * <p>Each segment is a bridge of the router's namespace; each machine's {@code eth0} is a veth
 * whose other end is a port of its segment's bridge. A link takes packets of its MTU to the byte: a
 * veth lets 4 bytes more pass (room for a VLAN tag), so the port's MTU is 4 less than the link's,
 * and machines send no bundles of segments, which would pass any bridge whatever their size.
 *
 * <p>One thread at a time. Closing removes every namespace, and all links with them.
 */
public final class Topology implements AutoCloseable {
  /** What a veth takes above its MTU ({@code VLAN_HLEN} in {@code is_skb_forwardable}). */
  private static final int VLAN_HEADER = 4;

  private static final int ROUTE_PROTOCOL_STATIC = 4;

  /** What the name of a segment ends with on which machines are that were taken apart. */
  private static final String APART = "'";

  /** How long a machine or pod remembers a path's MTU that it was told; a kernel's own is 600 s. */
  public static final Duration LEARNT_MTU = Duration.ofSeconds(1);

  private final String prefix;
  private final Map<String, NetNs> machines = new LinkedHashMap<>();
  private final Map<PodKey, NetNs> pods = new TreeMap<>();
  private final Map<String, Integer> ports = new HashMap<>();
  private final Map<String, String> portNames = new HashMap<>();
  private Underlay underlay;
  private int nextPort = 1;

  private Topology(String prefix, Underlay underlay) {
    this.prefix = prefix;
    this.underlay = underlay;
  }

  /**
   * Builds all machines; pods come with {@link #createPod}.
   *
   * @param prefix what all namespaces' names begin with
   * @param underlay what to build; exactly one router
   */
  public static Topology build(String prefix, Underlay underlay) throws KernelException {
    Topology topology = new Topology(prefix, underlay);
    try {
      topology.buildAll();
      return topology;
    } catch (KernelException | RuntimeException e) {
      topology.close();
      throw e;
    }
  }

  /** The network as it is built now. */
  public Underlay underlay() {
    return underlay;
  }

  /** The namespace of a machine of the underlay. */
  public NetNs machine(String name) {
    NetNs namespace = machines.get(name);
    if (namespace == null) {
      throw new IllegalArgumentException("the lab has no machine " + name);
    }
    return namespace;
  }

  /** The name of the router, in whose namespace the other ends of all uplinks are. */
  public String router() {
    return routerHost().name();
  }

  /** The link, in the router's namespace, by which what a machine sends comes in. */
  public int port(String machine) {
    Integer index = ports.get(machine);
    if (index == null) {
      throw new IllegalArgumentException("machine " + machine + " has no uplink");
    }
    return index;
  }

  private String portName(String machine) {
    String name = portNames.get(machine);
    if (name == null) {
      throw new IllegalArgumentException("machine " + machine + " has no uplink");
    }
    return name;
  }

  /** Makes the empty namespace of a pod, as a container runtime does: its loopback device is up. */
  public NetNs createPod(PodKey pod) throws KernelException {
    NetNs namespace = NetNs.create(prefix + pod.namespace() + "." + pod.name());
    pods.put(pod, namespace);
    quieten(namespace);
    try (RouteSocket routes = RouteSocket.open(namespace)) {
      apply(routes, new RouteBatch().up("lo"));
    }
    return namespace;
  }

  /** The namespace of a pod, while it has one. */
  public Optional<NetNs> pod(PodKey pod) {
    return Optional.ofNullable(pods.get(pod));
  }

  /** Removes the namespace of a pod. */
  public void removePod(PodKey pod) throws KernelException {
    NetNs namespace = pods.remove(pod);
    if (namespace != null) {
      namespace.delete();
    }
  }

  /**
   * Has the router send packets for some addresses to others: how people outside find the addresses
   * of Services that machines answer at without carrying them. Replaces what was said before.
   */
  public void setRoutes(List<Via> vias) throws KernelException {
    Host router = routerHost();
    RouteBatch batch = new RouteBatch();
    router.routes().stream()
        .filter(via -> !vias.contains(via))
        .forEach(via -> batch.delete(entry(via)));
    vias.stream()
        .filter(via -> !router.routes().contains(via))
        .forEach(via -> batch.put(entry(via)));
    try (RouteSocket routes = RouteSocket.open(machine(router.name()))) {
      apply(routes, batch);
    }
    underlay = underlay.withRoutes(router.name(), vias);
  }

  private static RouteEntry entry(Via via) {
    return RouteEntry.to(via.destination())
        .withGateway(via.nextHop())
        .withProtocol(ROUTE_PROTOCOL_STATIC);
  }

  /** Pulls the plug of a machine's uplink, or puts it back. */
  public void setUplink(String machine, boolean up) throws KernelException {
    try (RouteSocket routes = RouteSocket.open(machine(router()))) {
      apply(routes, new RouteBatch().setLink(port(machine), new LinkSetting.Up(up)));
    }
    change(
        machine,
        link ->
            new Link(
                link.device(), link.segment(), link.addresses(), link.mtu(), link.takes(), up));
  }

  /**
   * Gives a machine's uplink another MTU: the machine's device knows it, the others on the segment
   * do not.
   *
   * @param mtu in bytes, 1280 to 1500 since IPv6 does without a device that takes less
   */
  public void setMtu(String machine, int mtu) throws KernelException {
    String device = uplink(machine).device();
    try (RouteSocket host = RouteSocket.open(machine(machine));
        RouteSocket routes = RouteSocket.open(machine(router()))) {
      apply(host, new RouteBatch().setLink(device, new LinkSetting.Mtu(mtu)));
      apply(
          routes, new RouteBatch().setLink(port(machine), new LinkSetting.Mtu(mtu - VLAN_HEADER)));
    }
    change(
        machine,
        link -> new Link(link.device(), link.segment(), link.addresses(), mtu, mtu, link.up()));
  }

  /**
   * Takes machines off their segments, together with those of the same segment, or puts them back:
   * they reach each other and nobody else.
   *
   * @param apart whether to take them off; otherwise all are put back
   */
  public void setApart(List<String> names, boolean apart) throws KernelException {
    try (RouteSocket routes = RouteSocket.open(machine(router()))) {
      for (String name : names) {
        Link link = uplink(name);
        String whole =
            link.segment().endsWith(APART)
                ? link.segment().substring(0, link.segment().length() - APART.length())
                : link.segment();
        String segment = apart ? whole + APART : whole;
        String bridge = apart ? "apart-" + whole : "br-" + whole;
        if (apart && routes.link(bridge).isEmpty()) {
          apply(
              routes,
              new RouteBatch().createLink(bridge, new LinkKind.Bridge(), new LinkSetting.Up(true)));
        }
        int index = routes.link(bridge).orElseThrow().index();
        apply(routes, new RouteBatch().setLink(port(name), new LinkSetting.Master(index)));
        change(
            name,
            each ->
                new Link(
                    each.device(), segment, each.addresses(), each.mtu(), each.takes(), each.up()));
      }
    }
  }

  /** Switches a machine off: its namespace and its link are gone, and all that it held. */
  public void switchOff(String machine) throws KernelException {
    try (RouteSocket routes = RouteSocket.open(machine(router()))) {
      apply(routes, new RouteBatch().deleteLink(portName(machine)));
    }
    portNames.remove(machine);
    ports.remove(machine);
    machine(machine).delete();
    change(
        machine,
        link ->
            new Link(
                link.device(), link.segment(), link.addresses(), link.mtu(), link.takes(), false));
  }

  /** Switches a machine on again: an empty kernel with its uplink and its addresses. */
  public void switchOn(String machine) throws KernelException {
    NetNs namespace = NetNs.create(prefix + machine);
    machines.put(machine, namespace);
    quieten(namespace);
    change(
        machine,
        link ->
            new Link(
                link.device(), link.segment(), link.addresses(), link.mtu(), link.takes(), true));
    Host host = underlay.host(machine).orElseThrow();
    try (RouteSocket routes = RouteSocket.open(machine(router()))) {
      Map<String, Integer> bridges = new HashMap<>();
      String segment = host.links().getFirst().segment();
      bridges.put(segment, routes.link("br-" + segment).orElseThrow().index());
      connect(routes, host, "p" + nextPort++, bridges);
    }
  }

  private void change(String machine, UnaryOperator<Link> how) {
    List<Host> hosts = new ArrayList<>();
    for (Host host : underlay.hosts()) {
      hosts.add(
          host.name().equals(machine)
              ? new Host(
                  host.name(), host.role(), host.links().stream().map(how).toList(), host.routes())
              : host);
    }
    underlay = new Underlay(hosts, underlay.assumed());
  }

  /** The one link of a machine that is no router. */
  public Link uplink(String machine) {
    for (Host host : underlay.hosts()) {
      if (host.name().equals(machine) && host.role() != Role.ROUTER) {
        return host.links().getFirst();
      }
    }
    throw new IllegalArgumentException("machine " + machine + " has no uplink");
  }

  private void buildAll() throws KernelException {
    for (Host host : underlay.hosts()) {
      NetNs namespace = NetNs.create(prefix + host.name());
      machines.put(host.name(), namespace);
      quieten(namespace);
    }
    Host router = routerHost();
    NetNs routerNamespace = machine(router.name());
    forward(routerNamespace);
    try (RouteSocket routes = RouteSocket.open(routerNamespace)) {
      RouteBatch bridges = new RouteBatch().up("lo");
      for (Link link : router.links()) {
        // A bridge without an address of its own takes its ports' lowest, which may leave.
        bridges.createLink(
            link.device(),
            new LinkKind.Bridge(),
            new LinkSetting.Address(Mac.derivedFrom(prefix + link.device())),
            new LinkSetting.Up(true));
      }
      apply(routes, bridges);
      Map<String, Integer> bridgeOf = new HashMap<>();
      RouteBatch addresses = new RouteBatch();
      for (Link link : router.links()) {
        int index = routes.link(link.device()).orElseThrow().index();
        bridgeOf.put(link.segment(), index);
        link.addresses().forEach(address -> addresses.put(Address.of(index, address)));
      }
      apply(routes, addresses);
      for (Host host : underlay.hosts()) {
        if (host.role() != Role.ROUTER) {
          connect(routes, host, "p" + nextPort++, bridgeOf);
        }
      }
      // A bridge takes the smallest MTU of its ports until it is given another: it must not, or the
      // router would tell senders of a port's MTU that no router can know.
      RouteBatch own = new RouteBatch();
      for (Link link : router.links()) {
        own.setLink(link.device(), new LinkSetting.Mtu(link.mtu()));
      }
      apply(routes, own);
    }
  }

  private void connect(RouteSocket routes, Host host, String port, Map<String, Integer> bridgeOf)
      throws KernelException {
    Link link = host.links().getFirst();
    NetNs namespace = machine(host.name());
    Integer bridge = bridgeOf.get(link.segment());
    if (bridge == null) {
      throw new IllegalArgumentException(
          "the router has no link on segment " + link.segment() + " of " + host.name());
    }
    // A machine that boots comes back with its card: others know its address still.
    Optional<Mac> card = Optional.of(Mac.derivedFrom("card/" + host.name()));
    try (Fd there = namespace.open()) {
      apply(
          routes,
          new RouteBatch()
              .createLink(
                  port,
                  new LinkKind.Veth(link.device(), card, link.mtu(), 0, there.number()),
                  new LinkSetting.Mtu(link.mtu() - VLAN_HEADER),
                  new LinkSetting.Master(bridge),
                  new LinkSetting.Up(link.up())));
    }
    portNames.put(host.name(), port);
    ports.put(host.name(), routes.link(port).orElseThrow().index());
    try (RouteSocket own = RouteSocket.open(namespace)) {
      int device = own.link(link.device()).orElseThrow().index();
      RouteBatch batch = new RouteBatch().up("lo");
      batch.setLink(device, new LinkSetting.Up(true), new LinkSetting.MaxSegments(1));
      link.addresses().forEach(address -> batch.put(Address.of(device, address)));
      for (Family family : Family.values()) {
        gateway(link, family)
            .ifPresent(next ->
                batch.create(
                    RouteEntry.to(Prefix.all(family))
                        .withGateway(next)
                        .withDevice(device)
                        .withProtocol(ROUTE_PROTOCOL_STATIC)));
      }
      apply(own, batch);
    }
  }

  /** The router's address on the same subnet. */
  private Optional<Ip> gateway(Link link, Family family) {
    for (InterfaceAddress own : link.addresses()) {
      for (Link routers : routerHost().links()) {
        for (InterfaceAddress candidate : routers.addresses()) {
          if (own.ip().family() == family
              && routers.segment().equals(link.segment())
              && candidate.subnet().equals(own.subnet())) {
            return Optional.of(candidate.ip());
          }
        }
      }
    }
    return Optional.empty();
  }

  private Host routerHost() {
    return underlay.hosts().stream()
        .filter(host -> host.role() == Role.ROUTER)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("the underlay has no router"));
  }

  /**
   * What differs from a machine just switched on: link-local addresses can be used at once, and no
   * ICMP error is held back, since a prober asks more in a moment than a kernel answers in one; and
   * what a path is said to take is soon forgotten, so that each measurement begins anew.
   */
  private static void quieten(NetNs namespace) throws KernelException {
    Map<Sysctl, String> settings = new LinkedHashMap<>();
    settings.put(Sysctl.ipv6Conf("default", "dad_transmits"), "0");
    settings.put(Sysctl.ipv6Conf("default", "accept_dad"), "0");
    settings.put(Sysctl.ipv4("icmp_ratemask"), "0");
    settings.put(Sysctl.ipv4("icmp_ratelimit"), "0");
    settings.put(Sysctl.ipv4("icmp_msgs_per_sec"), "1000000");
    settings.put(Sysctl.ipv4("icmp_msgs_burst"), "100000");
    settings.put(new Sysctl("net/ipv6/icmp/ratelimit"), "0");
    settings.put(Sysctl.ipv4("route/mtu_expires"), String.valueOf(LEARNT_MTU.toSeconds()));
    settings.put(new Sysctl("net/ipv6/route/mtu_expires"), String.valueOf(LEARNT_MTU.toSeconds()));
    writeWhereKnown(namespace, settings);
  }

  /** Writes settings that not every kernel has, or not for each namespace. */
  private static void writeWhereKnown(NetNs namespace, Map<Sysctl, String> settings)
      throws KernelException {
    for (KernelException failed : Sysctl.writeAll(namespace, settings)) {
      if (!(failed instanceof KernelException.NotFound)) {
        throw failed;
      }
    }
  }

  private static void forward(NetNs router) throws KernelException {
    Map<Sysctl, String> settings = new LinkedHashMap<>();
    settings.put(Sysctl.ipv4("ip_forward"), "1");
    settings.put(Sysctl.ipv6Conf("all", "forwarding"), "1");
    for (KernelException failed : Sysctl.writeAll(router, settings)) {
      throw failed;
    }
    // A bridge that shows its packets to netfilter would also cut IPv4 packets to a port's MTU.
    Map<Sysctl, String> bridge = new LinkedHashMap<>();
    bridge.put(new Sysctl("net/bridge/bridge-nf-call-iptables"), "0");
    bridge.put(new Sysctl("net/bridge/bridge-nf-call-ip6tables"), "0");
    bridge.put(new Sysctl("net/bridge/bridge-nf-call-arptables"), "0");
    writeWhereKnown(router, bridge);
  }

  private static void apply(RouteSocket routes, RouteBatch batch) throws KernelException {
    for (Outcome outcome : routes.apply(batch)) {
      if (outcome instanceof Outcome.Failed(KernelException cause)) {
        throw cause;
      }
    }
  }

  @Override
  public void close() {
    List<NetNs> all = new ArrayList<>(pods.values());
    all.addAll(machines.values());
    pods.clear();
    machines.clear();
    for (NetNs namespace : all) {
      try {
        namespace.delete();
      } catch (KernelException e) {
        System.getLogger(Topology.class.getName())
            .log(System.Logger.Level.WARNING, "{0}", e.getMessage());
      }
    }
  }
}

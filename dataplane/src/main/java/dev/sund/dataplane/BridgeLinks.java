package dev.sund.dataplane;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.BridgeFilter;
import dev.sund.kernel.route.BridgePort;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.kernel.route.Rtnl;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.Prefix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Makes and removes the links of containers on bridges, in the steps of the reference plugin {@code
 * bridge}: bridge, link, then, once somebody has chosen addresses, what hangs on both ends.
 *
 * <p><b>How does a restarted agent know that a device is ours?</b> Ports by their link group {@link
 * Marks#GROUP_BRIDGE_PORTS}, which they have from the message that makes them; bridges by the first
 * word of their ifalias. A bridge that was there before is used and stays as it is.
 *
 * <p><b>What happens to packets if we die right here?</b> A container that is told to be ready is.
 * Any other one is half made; the runtime had no answer and deletes it, and {@link #remove} takes
 * any part of it away. A bridge without containers stays, as the reference plugin leaves it.
 *
 * <p>One thread at a time, not a virtual one.
 */
public final class BridgeLinks implements AutoCloseable {
  private static final String NAME = "bridges";
  private static final String KIND = "bridge";

  private final KernelRoutes kernel;
  private final PodSide podSide;
  private final Path stateDirectory;

  /**
   * A bridge, as it should be.
   *
   * @param name its device
   * @param network the network that it is made for, for its ifalias
   * @param mtu in bytes, 0 for the kernel's; of a bridge that stands it is not changed
   * @param promiscuous whether it takes all frames; that it does not is never enforced
   */
  public record Bridge(String name, String network, int mtu, boolean promiscuous) {}

  /**
   * A container's link to a bridge.
   *
   * @param device the node's end
   * @param namespace the container's network namespace
   * @param interfaceName the container's end
   * @param mac the container's end's address; empty: the kernel draws one
   * @param mtu of both ends in bytes, 0 for the kernel's
   * @param hairpin whether frames go back by the port that they came from
   * @param alias the node's end's ifalias, behind {@link Marks#BRIDGE_ALIAS_PREFIX}
   */
  public record Port(
      String device,
      Path namespace,
      String interfaceName,
      Optional<Mac> mac,
      int mtu,
      boolean hairpin,
      String alias) {}

  /**
   * What hangs on the ends.
   *
   * @param addresses the container's
   * @param routes the container's, in the order of writing
   * @param gateways the bridge's addresses
   * @param force whether other addresses of the bridge that are in the gateways' way are removed
   */
  public record Content(
      List<InterfaceAddress> addresses,
      List<ContainerRoute> routes,
      List<InterfaceAddress> gateways,
      boolean force) {
    public Content {
      addresses = List.copyOf(addresses);
      routes = List.copyOf(routes);
      gateways = List.copyOf(gateways);
    }
  }

  /** A route of a container; without a gateway its destination is on the link. */
  public record ContainerRoute(Prefix destination, Optional<Ip> gateway) {}

  /** The hardware addresses of what was made. */
  public record Ends(Mac bridge, Mac host, Mac container) {}

  /**
   * A bridge cannot be used as it is. Nothing was changed.
   *
   * <p>The message names it and says why; {@link #remedy} what to do.
   */
  public static final class UnfitException extends Exception {
    private static final long serialVersionUID = 1;
    private final String remedy;

    UnfitException(String message, String remedy) {
      super(message);
      this.remedy = remedy;
    }

    /** What to do, one sentence. */
    public String remedy() {
      return remedy;
    }
  }

  /**
   * For the namespace of {@code kernel}.
   *
   * @param kernel closed with this
   * @param stateDirectory where changed sysctls are recorded
   */
  public BridgeLinks(KernelRoutes kernel, Path stateDirectory) {
    this.kernel = kernel;
    this.podSide = new PodSide(kernel, NAME);
    this.stateDirectory = stateDirectory;
  }

  // The steps of an ADD.

  /**
   * Makes the bridge, or finds it, and switches it on.
   *
   * @return its ifindex
   */
  public int ensureBridge(Bridge bridge) throws KernelException, UnfitException {
    Optional<Link> found = kernel.link(bridge.name());
    if (found.isEmpty()) {
      List<LinkSetting> mtu =
          bridge.mtu() == 0 ? List.of() : List.of(new LinkSetting.Mtu(bridge.mtu()));
      Outcome outcome =
          one(new RouteRequest.CreateLink(bridge.name(), 0, new LinkKind.Bridge(true), mtu));
      outcome.orThrow();
      if (outcome == Outcome.DONE) { // else somebody has made it meanwhile
        one(new RouteRequest.SetLink(
                0,
                bridge.name(),
                List.of(alias(bridge.network()), new LinkSetting.Group(Marks.GROUP_BRIDGES))))
            .orThrow();
        kernel.writeSysctls(Map.of(Sysctl.ipv6Conf(bridge.name(), "accept_ra"), "0"));
      }
      found = kernel.link(bridge.name());
    }
    Link link = found.orElseThrow(() -> gone(bridge.name()));
    if (!link.kind().equals(KIND)) {
      throw new UnfitException(
          "Device "
              + bridge.name()
              + " exists and is no bridge"
              + (link.kind().isEmpty() ? "" : " but " + link.kind())
              + ".",
          "Choose another name for the key bridge, or remove that device.");
    }
    List<LinkSetting> settings = new ArrayList<>();
    if (bridge.promiscuous() && !link.isPromiscuous()) {
      settings.add(new LinkSetting.Promiscuous(true));
    }
    if (!link.isUp()) {
      settings.add(new LinkSetting.Up(true));
    }
    if (RowReader.isBridge(link) && link.group() != Marks.GROUP_BRIDGES) {
      settings.add(new LinkSetting.Group(Marks.GROUP_BRIDGES)); // made by an agent before this one
    }
    if (!settings.isEmpty()) {
      one(new RouteRequest.SetLink(link.index(), bridge.name(), settings)).orThrow();
    }
    if (RowReader.isBridge(link)
        && !kernel.bridgeFilter(link.index()).equals(Optional.of(BridgeFilter.ON))) {
      one(new RouteRequest.SetBridgeFilter(link.index(), bridge.name(), BridgeFilter.ON)).orThrow();
    }
    return link.index();
  }

  /**
   * Makes a link and joins it to the bridge.
   *
   * @param bridge the bridge's ifindex
   * @throws UnfitException when a device of the container's, or of the node's, has the name
   */
  public void connect(int bridge, Port port, KernelRoutes.Inside inside)
      throws KernelException, UnfitException {
    if (inside.routes().link(port.interfaceName()).isPresent()) {
      throw taken(port);
    }
    List<LinkSetting> settings =
        new ArrayList<>(
            List.of(
                new LinkSetting.Master(bridge),
                new LinkSetting.Group(Marks.GROUP_BRIDGE_PORTS),
                new LinkSetting.Up(true)));
    if (port.mtu() != 0) {
      settings.add(new LinkSetting.Mtu(port.mtu()));
    }
    RouteRequest create =
        new RouteRequest.CreateLink(
            port.device(),
            0,
            new LinkKind.Veth(port.interfaceName(), port.mac(), port.mtu(), 0, inside.descriptor()),
            settings);
    Outcome outcome = one(create);
    if (outcome == Outcome.ALREADY_THERE) {
      Optional<Link> old = kernel.link(port.device());
      if (old.isEmpty() || !RowReader.isBridgePort(old.get())) {
        throw taken(port);
      }
      podSide.doom(old.get(), Optional.empty()); // left by an ADD that nobody deleted
      outcome = one(create);
    }
    outcome.orThrow();
    int index = host(port).index();
    send(
        kernel,
        List.of(
            RouteRequest.SetLink.of(index, alias(port.alias())),
            new RouteRequest.SetHairpin(index, port.device(), port.hairpin())));
    kernel.writeSysctls(Map.of(Sysctl.ipv6Conf(port.device(), "accept_ra"), "0"));
  }

  /** Switches the container's end on, without addresses. */
  public void switchOn(Port port, KernelRoutes.Inside inside) throws KernelException {
    send(
        inside.routes(),
        List.of(
            new RouteRequest.SetLink(
                host(port).lower(), port.interfaceName(), List.of(new LinkSetting.Up(true)))));
  }

  /**
   * Gives addresses and routes to the container and the gateways' addresses to the bridge, and lets
   * the node forward.
   */
  public void fill(int bridge, Port port, Content content, KernelRoutes.Inside inside)
      throws KernelException, UnfitException {
    int index = host(port).lower();
    boolean v6 =
        content.addresses().stream().anyMatch(address -> address.ip().family() == Family.V6);
    writeContainerSysctls(port.interfaceName(), v6, inside);
    List<RouteRequest> requests = new ArrayList<>();
    requests.add(
        new RouteRequest.SetLink(index, port.interfaceName(), List.of(new LinkSetting.Up(true))));
    for (InterfaceAddress address : content.addresses()) {
      requests.add(new RouteRequest.PutBroadcastAddress(Address.of(index, address)));
    }
    for (ContainerRoute route : content.routes()) {
      requests.add(new RouteRequest.AddRoute(entry(index, route)));
    }
    send(inside.routes(), requests);
    if (v6) {
      PodSide.awaitDelivery(inside.routes(), index, content.addresses());
    }
    for (InterfaceAddress gateway : content.gateways()) {
      ensureGateway(bridge, gateway, content.force());
    }
    forward(content.gateways());
  }

  /** Waits until both ends carry packets, and tells their hardware addresses. */
  public Ends finish(int bridge, Port port, KernelRoutes.Inside inside) throws KernelException {
    Link link = host(port);
    PodSide.awaitCarrier(kernel, link.index());
    PodSide.awaitCarrier(inside.routes(), link.lower());
    Mac none = new Mac(0);
    return new Ends(
        kernel.link(bridge).flatMap(Link::mac).orElse(none),
        link.mac().orElse(none),
        inside.routes().link(link.lower()).flatMap(Link::mac).orElse(none));
  }

  /**
   * Lets packets from the node's 127.0.0.1 go out by those of these devices that are bridges of
   * ours: chain {@code guard} keeps who is on them from asking the node's loopback, so it must
   * stand. Others stay as they are.
   */
  public void letLoopbackOut(List<String> devices) throws KernelException {
    for (String device : devices) {
      Optional<Link> link = kernel.link(device);
      if (link.isPresent() && link.get().group() == Marks.GROUP_BRIDGES) {
        for (KernelException failure :
            kernel.writeSysctls(Map.of(LoopbackDriver.setting(device), "1"))) {
          throw failure;
        }
      }
    }
  }

  /**
   * What of what these bridges forward the node's rules are shown; those that are gone left out.
   */
  public Map<String, BridgeFilter> filters(Set<String> bridges) throws KernelException {
    Map<String, BridgeFilter> filters = new TreeMap<>();
    for (String name : bridges) {
      Optional<Link> link = kernel.link(name);
      if (link.isPresent()) {
        kernel.bridgeFilter(link.get().index()).ifPresent(filter -> filters.put(name, filter));
      }
    }
    return filters;
  }

  /** Those of these addresses that the node carries. */
  public Set<Ip> carried(Set<Ip> addresses) throws KernelException {
    Set<Ip> carried = new TreeSet<>();
    for (Address address : kernel.addresses()) {
      if (addresses.contains(address.address().ip())) {
        carried.add(address.address().ip());
      }
    }
    return carried;
  }

  /** Opens a container's namespace; the caller closes it. */
  public KernelRoutes.Inside enter(Path namespace) throws KernelException {
    return kernel.enter(namespace);
  }

  /** The networks that have containers on bridges of this namespace, by their links. */
  public static Set<String> networks(KernelRoutes kernel) throws KernelException {
    return words(kernel, 1);
  }

  /** The containers on bridges of this namespace, as {@code CONTAINER/INTERFACE}. */
  public static Set<String> containers(KernelRoutes kernel) throws KernelException {
    return words(kernel, 2);
  }

  /**
   * A container's link, as its port tells.
   *
   * @param container as {@code CONTAINER/INTERFACE}
   * @param hairpin whether frames go back by the port that they came from
   */
  public record Joined(String device, String bridge, String container, boolean hairpin) {}

  /** The links of containers to bridges of this namespace. */
  public static List<Joined> joined(KernelRoutes kernel) throws KernelException {
    List<Link> links = kernel.links();
    Map<Integer, String> names = new LinkedHashMap<>();
    links.forEach(link -> names.put(link.index(), link.name()));
    List<Joined> found = new ArrayList<>();
    for (Link link : links) {
      String[] words = link.alias().split(" ", 3);
      if (RowReader.isBridgePort(link) && words.length > 2) {
        found.add(
            new Joined(
                link.name(),
                names.getOrDefault(link.master(), ""),
                words[2],
                kernel.bridgePort(link.index()).map(BridgePort::hairpin).orElse(false)));
      }
    }
    return found;
  }

  /** What ports' ifaliases say: their prefix, the network, the container. */
  private static Set<String> words(KernelRoutes kernel, int number) throws KernelException {
    Set<String> found = new TreeSet<>();
    for (Link link : kernel.links()) {
      String[] words = link.alias().split(" ", 3);
      if (RowReader.isBridgePort(link) && words.length > number) {
        found.add(words[number]);
      }
    }
    return found;
  }

  // DEL and CHECK.

  /**
   * Takes a container's link out of service, whatever is left of it: its names are free afterwards,
   * and a {@link Reaper} deletes it. Of a link that we did not make the container's end is deleted,
   * if it is a veth.
   *
   * @param namespace the container's network namespace, empty when it is gone
   * @return whether there was anything
   */
  public boolean remove(String device, Optional<Path> namespace, String interfaceName)
      throws KernelException {
    Optional<Link> link = kernel.link(device);
    if (link.isPresent() && RowReader.isBridgePort(link.get())) {
      podSide.doom(link.get(), namespace.map(path -> new PodDriver.Place(path, interfaceName)));
      return true;
    }
    if (namespace.isEmpty()) {
      return false;
    }
    try (KernelRoutes.Inside inside = kernel.enter(namespace.get())) {
      Optional<Link> theirs = inside.routes().link(interfaceName);
      if (theirs.isEmpty() || !theirs.get().kind().equals("veth")) {
        return false;
      }
      send(
          inside.routes(),
          List.of(new RouteRequest.DeleteLink(theirs.get().index(), interfaceName)));
      return true;
    } catch (KernelException.NotFound _) {
      return false; // the namespace has gone
    }
  }

  /**
   * What of a container's link is not as it was made, one sentence each.
   *
   * @param content what was given to it; gateways are looked for on the bridge
   */
  public List<String> differences(Bridge bridge, Port port, Content content)
      throws KernelException {
    List<String> found = new ArrayList<>();
    Optional<Link> master = kernel.link(bridge.name());
    if (master.isEmpty() || !master.get().kind().equals(KIND)) {
      return List.of("Bridge " + bridge.name() + " is gone.");
    }
    if (master.get().isPromiscuous() != bridge.promiscuous()) {
      found.add(
          "Bridge " + bridge.name() + (bridge.promiscuous() ? " is not" : " is") + " promiscuous.");
    }
    List<InterfaceAddress> onBridge = addresses(kernel, master.get().index());
    for (InterfaceAddress gateway : content.gateways()) {
      if (!onBridge.contains(gateway)) {
        found.add("Bridge " + bridge.name() + " has lost its address " + gateway + ".");
      }
    }
    Optional<Link> host = kernel.link(port.device());
    if (host.isEmpty()) {
      found.add("Device " + port.device() + " is gone.");
      return found;
    }
    Optional<BridgePort> asPort = kernel.bridgePort(host.get().index());
    if (asPort.isEmpty() || asPort.get().bridge() != master.get().index()) {
      found.add("Device " + port.device() + " is no port of bridge " + bridge.name() + ".");
    } else if (asPort.get().hairpin() != port.hairpin()) {
      found.add("Port " + port.device() + " has hairpin mode " + (port.hairpin() ? "off." : "on."));
    }
    if (!host.get().isUp()) {
      found.add("Device " + port.device() + " is down.");
    }
    inside(port, host.get(), content, found);
    return found;
  }

  private void inside(Port port, Link host, Content content, List<String> found)
      throws KernelException {
    try (KernelRoutes.Inside inside = kernel.enter(port.namespace())) {
      Optional<Link> end = inside.routes().link(port.interfaceName());
      OptionalInt id = kernel.namespaceId(inside);
      if (end.isEmpty()
          || end.get().index() != host.lower()
          || id.isEmpty()
          || !id.equals(host.peerNamespace())) {
        found.add(
            "Interface "
                + port.interfaceName()
                + " in "
                + port.namespace()
                + " is not the other end of "
                + port.device()
                + ".");
        return;
      }
      if (!end.get().isUp()) {
        found.add("Interface " + port.interfaceName() + " is down.");
      }
      List<InterfaceAddress> have = addresses(inside.routes(), end.get().index());
      for (InterfaceAddress address : content.addresses()) {
        if (!have.contains(address)) {
          found.add("Interface " + port.interfaceName() + " has lost its address " + address + ".");
        }
      }
      for (ContainerRoute route : content.routes()) {
        boolean there =
            inside.routes().routes(RouteFilter.main(route.destination().family())).stream()
                .filter(entry -> entry.destination().equals(route.destination()))
                .anyMatch(entry -> leadsTo(entry, route.gateway()));
        if (!there) {
          found.add(
              "The route to "
                  + route.destination()
                  + route.gateway().map(ip -> " by " + ip).orElse("")
                  + " is gone.");
        }
      }
    }
  }

  private static boolean leadsTo(RouteEntry entry, Optional<Ip> gateway) {
    return gateway.isEmpty()
        || entry.gateway().equals(gateway)
        || entry.nextHops().stream().anyMatch(hop -> hop.gateway().equals(gateway));
  }

  /** Closes the kernel's socket; the kernel's state stays as it is. */
  @Override
  public void close() {
    kernel.close();
  }

  private void ensureGateway(int bridge, InterfaceAddress gateway, boolean force)
      throws KernelException, UnfitException {
    List<RouteRequest> requests = new ArrayList<>();
    for (Address address : kernel.addresses()) {
      InterfaceAddress there = address.address();
      if (address.device() != bridge || there.ip().family() != gateway.ip().family()) {
        continue;
      }
      if (there.equals(gateway)) {
        return;
      }
      // A bridge has one IPv4 address, and IPv6 addresses of subnets that are apart.
      boolean inTheWay =
          gateway.ip().family() == Family.V4 || there.subnet().overlaps(gateway.subnet());
      if (inTheWay && !force) {
        String name = kernel.link(bridge).map(Link::name).orElse("#" + bridge);
        throw new UnfitException(
            "Bridge "
                + name
                + " has address "
                + there
                + " already, which differs from the network's gateway "
                + gateway
                + ".",
            "Use another bridge, or set forceAddress to replace that address.");
      }
      if (inTheWay) {
        requests.add(new RouteRequest.DeleteAddress(address));
      }
    }
    requests.add(new RouteRequest.PutBroadcastAddress(Address.of(bridge, gateway)));
    // An address that was set stays; otherwise it is its ports' lowest, and changes with them.
    kernel
        .link(bridge)
        .flatMap(Link::mac)
        .ifPresent(
            mac -> requests.add(RouteRequest.SetLink.of(bridge, new LinkSetting.Address(mac))));
    send(kernel, requests);
    if (gateway.ip().family() == Family.V6) {
      PodSide.awaitDelivery(kernel, bridge, List.of(gateway));
    }
  }

  private void forward(List<InterfaceAddress> gateways) throws KernelException {
    Map<Sysctl, String> wanted = new LinkedHashMap<>();
    for (InterfaceAddress gateway : gateways) {
      wanted.put(
          gateway.ip().family() == Family.V4 ? SysctlPlan.FORWARD_V4 : SysctlPlan.FORWARD_V6, "1");
    }
    Map<Sysctl, String> now =
        wanted.isEmpty() ? Map.of() : kernel.sysctls(List.copyOf(wanted.keySet()));
    wanted.keySet().removeIf(setting -> "1".equals(now.get(setting)));
    if (wanted.isEmpty()) {
      return;
    }
    Map<Sysctl, SysctlRecord.Entry> record = new LinkedHashMap<>();
    wanted.forEach((setting, value) ->
        record.put(setting, new SysctlRecord.Entry(now.getOrDefault(setting, "0"), value)));
    try {
      SysctlRecord.note(stateDirectory, record);
    } catch (IOException e) {
      throw Errno.exception(
          "record sysctls",
          stateDirectory.toString(),
          Errno.EIO.number(),
          String.valueOf(e.getMessage()),
          dev.sund.kernel.Capability.DAC_OVERRIDE);
    }
    for (KernelException failure : kernel.writeSysctls(wanted)) {
      throw failure;
    }
  }

  private static void writeContainerSysctls(String device, boolean v6, KernelRoutes.Inside inside)
      throws KernelException {
    Map<Sysctl, String> values = new LinkedHashMap<>();
    values.put(Sysctl.ipv6Conf(device, "accept_dad"), "0");
    values.put(Sysctl.ipv4Conf(device, "arp_notify"), "1");
    if (v6) {
      values.put(Sysctl.ipv6Conf("lo", "disable_ipv6"), "0");
      values.put(Sysctl.ipv6Conf(device, "disable_ipv6"), "0");
    }
    for (KernelException failure : inside.routes().writeSysctls(values)) {
      if (!(failure instanceof KernelException.NotFound)) { // IPv6 may be switched off
        throw failure;
      }
    }
  }

  private static RouteEntry entry(int index, ContainerRoute route) {
    RouteEntry entry =
        RouteEntry.to(route.destination()).withDevice(index).withProtocol(Rtnl.PROTOCOL_BOOT);
    return route.gateway().isPresent() ? entry.withGateway(route.gateway().get()) : entry;
  }

  private static List<InterfaceAddress> addresses(KernelRoutes routes, int device)
      throws KernelException {
    return routes.addresses().stream()
        .filter(address -> address.device() == device)
        .map(Address::address)
        .toList();
  }

  private Link host(Port port) throws KernelException {
    return kernel.link(port.device()).orElseThrow(() -> gone(port.device()));
  }

  private Outcome one(RouteRequest request) throws KernelException {
    return kernel.apply(NAME, List.of(request)).getFirst();
  }

  private static void send(KernelRoutes routes, List<RouteRequest> requests)
      throws KernelException {
    for (Outcome outcome : routes.apply(NAME, requests)) {
      outcome.orThrow();
    }
  }

  private static LinkSetting alias(String text) {
    return new LinkSetting.Alias(Marks.BRIDGE_ALIAS_PREFIX + " " + text);
  }

  private static UnfitException taken(Port port) {
    return new UnfitException(
        "The container's namespace "
            + port.namespace()
            + " has a device "
            + port.interfaceName()
            + ", or the node a foreign device "
            + port.device()
            + ", already.",
        "Delete that network first (CNI DEL), or use another interface name.");
  }

  private static KernelException gone(String device) {
    return Errno.exception(
        "find link", device, Errno.ENODEV.number(), "", dev.sund.kernel.Capability.NET_ADMIN);
  }
}

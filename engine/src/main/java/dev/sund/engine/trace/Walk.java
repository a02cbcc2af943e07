package dev.sund.engine.trace;

import dev.sund.engine.Mtu;
import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.engine.trace.NodeView.Exit;
import dev.sund.engine.trace.Trace.Arrival;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Choice;
import dev.sund.engine.trace.Trace.Hop;
import dev.sund.engine.trace.Trace.Outer;
import dev.sund.engine.trace.Trace.Stage;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One packet on its way: its header as it changes, and what has become of it. Used once, by one
 * thread.
 */
final class Walk {
  private static final int UNBOUNDED = 65535;

  private final PathTracer tracer;
  private final Passage passage;
  private final Translator translator;
  private final PolicyGate policy;
  private final BridgeWalk bridges;
  private final Set<String> forwardedBy = new HashSet<>();
  private int ttl;

  final List<Hop> hops = new ArrayList<>();
  Ip destination;
  Optional<Ip> source;
  Optional<Ip> firstSource = Optional.empty();
  boolean dontFragment;
  Protocol protocol = Protocol.UDP;

  /** The destination port, 0 when no frontend can have it. */
  int port;

  /** Length of the packet, or of its largest piece once it has been cut. */
  int size;

  int pathMtu = UNBOUNDED;
  Reason outcome = Reason.NO_ROUTE;
  Optional<Arrival> arrival = Optional.empty();
  Optional<String> stoppedAt = Optional.empty();

  /** The node whose own packet it is; empty for those of pods and hosts. */
  Optional<String> bornOn = Optional.empty();

  /** Which endpoint the packet gets wherever there are several; the first where nothing is said. */
  List<Integer> wanted = List.of();

  /** Between how many endpoints chance decided, and which it was. */
  final List<Choice> choices = new ArrayList<>();

  /** The policy's verdict that stopped it. */
  Optional<Trace.Blocked> blocked = Optional.empty();

  /** Whose ICMP error tells the sender that the packet was stopped. */
  Optional<Arrival> toldBy = Optional.empty();

  boolean ownKernelTells;

  Walk(PathTracer tracer, Optional<Ip> source, Ip destination, int size, int ttl) {
    this.tracer = tracer;
    this.passage = new Passage(this, tracer);
    this.translator = new Translator(this);
    this.policy = new PolicyGate(this);
    this.bridges = new BridgeWalk(this, policy, translator);
    this.source = source;
    this.destination = destination;
    this.size = size;
    this.ttl = ttl;
  }

  /** The answer to this packet, which has arrived. */
  Walk answer(Ip from, int answerSize, int answerTtl) {
    Walk back = new Walk(tracer, Optional.of(from), source.orElse(from), answerSize, answerTtl);
    back.translator.answer(translator);
    back.policy.isOfKnownConnection();
    return back;
  }

  /** The ICMP error about this packet, which was stopped. */
  Walk notice(Ip to, int noticeSize, int noticeTtl) {
    Walk news = new Walk(tracer, Optional.empty(), to, noticeSize, noticeTtl);
    news.translator.notice(translator);
    news.policy.isOfKnownConnection();
    return news;
  }

  /** Which of several endpoints the packet gets. */
  int choose(Frontend.Key frontend, int endpoints) {
    int slot = choices.size() < wanted.size() ? wanted.get(choices.size()) : 0;
    int chosen = Math.clamp(slot, 0, endpoints - 1);
    choices.add(new Choice(frontend, chosen, endpoints));
    return chosen;
  }

  // Where packets are born.

  void bornInPod(NodeView home, PodKey key) {
    Optional<LocalPod> found =
        home.program().localPods().values().stream()
            .filter(one -> one.pod().equals(key))
            .findFirst();
    if (found.isEmpty()) {
      home.portOf(key)
          .ifPresentOrElse(
              port -> bridges.born(home, port, key),
              () -> stop(key.toString(), Stage.CLASSIFY, Reason.SENDER_UNKNOWN, "no node has it"));
      return;
    }
    LocalPod pod = found.get();
    if (!speaks(home, key, pod.addresses())) {
      return;
    }
    if (pod.addresses().contains(destination)) {
      deliver(home.name(), new AtPod(new NodeName(home.name()), key), Optional.of(pod.rule()));
      return;
    }
    int mtu = pod.mtu(destination.family());
    policy.comesFrom(home, pod.device());
    hop(
        home.name(),
        Stage.CLASSIFY,
        Carriage.LOCAL,
        pod.device(),
        mtu,
        Optional.of(pod.rule()),
        "from pod %s as %s by %s"
            .formatted(key, source.map(Ip::toString).orElse(""), pod.device()));
    if (fits(home.name(), mtu, "the pod's default route", Optional.empty())) {
      atNode(home);
    }
  }

  /** Chooses which of a pod's addresses it sends from; false when it has none to send from. */
  boolean speaks(NodeView home, PodKey key, List<Ip> addresses) {
    Optional<Ip> chosen =
        source
            .or(() ->
                addresses.contains(destination)
                    ? Optional.of(destination)
                    : addresses.stream()
                        .filter(ip -> ip.family() == destination.family())
                        .findFirst())
            .filter(addresses::contains);
    if (chosen.isEmpty()) {
      stop(
          home.name(),
          Stage.CLASSIFY,
          Reason.NO_SOURCE_ADDRESS,
          source
              .map(ip -> "pod " + key + " has no address " + ip)
              .orElse("pod " + key + " has no " + destination.family().label() + " address"));
      ownKernelTells = true;
      return false;
    }
    source = chosen;
    firstSource = chosen;
    return true;
  }

  void bornOnNode(NodeView home) {
    bornOn = Optional.of(home.name());
    boolean local = home.isLocal(destination);
    Optional<Exit> exit = local ? Optional.empty() : home.lookup(destination);
    if (!local && (exit.isEmpty() || isUnreachable(exit.get()))) {
      stopWithoutRoute(home, exit);
      ownKernelTells = true;
      return;
    }
    source =
        source.or(
            () -> local ? Optional.of(destination) : exit.flatMap(out -> sourceFor(home, out)));
    firstSource = source;
    translator.sees(home);
    if (local && translator.frontend(home).isEmpty()) {
      translator.comesIn(home);
      deliver(home.name(), new AtNode(new NodeName(home.name())), Optional.empty());
      return;
    }
    if (source.filter(home::isLocal).isEmpty()) {
      stop(
          home.name(),
          Stage.CLASSIFY,
          Reason.NO_SOURCE_ADDRESS,
          "the node has no "
              + source.map(Ip::toString).orElse(destination.family().label() + " address")
              + " to send from");
      ownKernelTells = true;
      return;
    }
    hop(
        home.name(),
        Stage.CLASSIFY,
        Carriage.LOCAL,
        "",
        0,
        Optional.empty(),
        "from node %s as %s".formatted(home.name(), source.get()));
    forwardedBy.add(home.name() + " " + destination + " " + port);
    if (!translator.redirects(home)) {
      return;
    }
    if (home.isLocal(destination)) {
      deliver(home.name(), new AtNode(new NodeName(home.name())), Optional.empty());
      return;
    }
    // The destination may be another one by now; the source stays.
    Optional<Exit> way = home.lookup(destination);
    if (way.isEmpty() || isUnreachable(way.get())) {
      stopWithoutRoute(home, way);
      ownKernelTells = true;
    } else {
      leave(home, way.get(), false);
    }
  }

  void bornOnHost(Underlay.Host host) {
    if (host.carries(destination)) {
      source = source.or(() -> Optional.of(destination));
      firstSource = source;
      deliver(host.name(), new AtHost(host.name()), Optional.empty());
      return;
    }
    Optional<Underlay.Link> connected = Passage.connected(host, destination);
    Optional<Underlay.Link> out = connected;
    Ip nextHop = destination;
    if (connected.isEmpty() && host.role() == Underlay.Role.OUTSIDE) {
      for (Underlay.Link link : host.links()) {
        Optional<Ip> gateway = NodeView.gateway(link, destination.family(), tracer.underlay());
        if (gateway.isPresent()) {
          out = Optional.of(link);
          nextHop = gateway.get();
          break;
        }
      }
    }
    if (out.isEmpty()) {
      stop(host.name(), Stage.ROUTE, Reason.NO_ROUTE, "no route covers " + destination);
      ownKernelTells = true;
      return;
    }
    Underlay.Link link = out.get();
    source = source.or(() -> link.address(destination.family()));
    firstSource = source;
    if (source.isEmpty()) {
      stop(host.name(), Stage.CLASSIFY, Reason.NO_SOURCE_ADDRESS, "no address to send from");
      ownKernelTells = true;
      return;
    }
    hop(
        host.name(),
        Stage.CLASSIFY,
        Carriage.DIRECT,
        link.device(),
        link.mtu(),
        Optional.empty(),
        "from host %s as %s by %s".formatted(host.name(), source.get(), nextHop));
    if (fits(host.name(), link.mtu(), link.device(), Optional.empty())) {
      passage.unwrapped(host.name(), link, nextHop);
    }
  }

  // Where packets come by.

  /** A packet has come to a node: from a pod, unwrapped, or out of a tunnel. */
  void atNode(NodeView view) {
    AtNode here = new AtNode(new NodeName(view.name()));
    translator.arrives(view);
    if (!destination.isLoopback() && !translator.redirects(view)) {
      return;
    }
    translator.sees(view);
    if (view.isLocal(destination)) {
      if (policy.comesIn(view)) {
        translator.comesIn(view);
        deliver(view.name(), here, Optional.empty());
      }
      return;
    }
    Optional<Exit> exit = view.lookup(destination);
    if (exit.isEmpty() || isUnreachable(exit.get())) {
      stopWithoutRoute(view, exit);
      toldBy = Optional.of(here);
    } else if (mayForward(view.name(), here)) {
      leave(view, exit.get(), true);
    }
  }

  /** A packet has come, unwrapped, to a router or a host outside. */
  void atHost(Underlay.Host host) {
    if (host.carries(destination)) {
      deliver(host.name(), new AtHost(host.name()), Optional.empty());
      return;
    }
    Ip nextHop = host.nextHop(destination);
    Optional<Underlay.Link> out =
        host.role() == Underlay.Role.ROUTER ? Passage.connected(host, nextHop) : Optional.empty();
    if (out.isEmpty()) {
      stop(host.name(), Stage.UNDERLAY, Reason.NO_ROUTE, "no route covers " + destination);
      if (host.role() == Underlay.Role.ROUTER) {
        toldBy = Optional.of(new AtHost(host.name()));
      }
      return;
    }
    Underlay.Link link = out.get();
    AtHost here = new AtHost(host.name());
    if (mayForward(host.name(), here)
        && fits(host.name(), link.mtu(), link.device(), Optional.of(here))) {
      hops.add(
          new Hop(
              host.name(),
              Stage.UNDERLAY,
              Carriage.DIRECT,
              link.device(),
              Optional.empty(),
              link.mtu(),
              Optional.empty(),
              "forwarded to segment " + link.segment() + " by " + link.device(),
              true));
      passage.unwrapped(host.name(), link, nextHop);
    }
  }

  private boolean mayForward(String machine, Arrival teller) {
    if (ttl <= 1) {
      stop(machine, Stage.ROUTE, Reason.TTL_EXPIRED, "the time to live runs out");
      toldBy = Optional.of(teller);
      return false;
    }
    ttl--;
    // A node may send back to where a packet comes from what it has given another destination.
    if (!forwardedBy.add(machine + " " + destination + " " + port)) {
      stop(machine, Stage.ROUTE, Reason.ROUTING_LOOP, "it has forwarded this packet before");
      return false;
    }
    return true;
  }

  // How packets leave a node.

  private void leave(NodeView view, Exit exit, boolean forwarded) {
    switch (exit) {
      case Exit.Foreign(var route) -> {
        if (route.gateway().isEmpty() && bridges.enters(view, route.device(), exit, forwarded)) {
          return;
        }
        Ip nextHop = route.gateway().orElse(destination);
        unwrapped(view, route.device(), nextHop, 0, Optional.empty(), exit, forwarded);
      }
      case Exit.Ours(var route) -> {
        switch (route.way()) {
          case Route.ToPod(var device) -> toPod(view, route, device, forwarded);
          case Route.Direct(var nextHop, var device) ->
              unwrapped(
                  view, device, nextHop, route.mtu(), Optional.of(route.rule()), exit, forwarded);
          case Route.ByTunnel(var nextHop, var device) ->
              wrapped(view, route, nextHop, device, forwarded);
          case Route.Unreachable() -> stopWithoutRoute(view, Optional.of(exit));
        }
      }
    }
  }

  private void toPod(NodeView view, Route route, String device, boolean forwarded) {
    LocalPod pod = view.program().localPods().get(device);
    if (pod == null) {
      stop(view.name(), Stage.DELIVER, Reason.LINK_DOWN, "there is no device " + device);
      return;
    }
    int mtu = route.mtu() > 0 ? route.mtu() : pod.deviceMtu();
    if (!fits(view.name(), mtu, device, teller(view, forwarded))) {
      return;
    }
    routed(view, Carriage.LOCAL, device, mtu, route, forwarded, "by " + device);
    if (!policy.leaves(view, device, forwarded) || !translator.leaves(view, device, destination)) {
      return;
    }
    if (!pod.addresses().contains(destination)) {
      stop(
          view.name(),
          Stage.DELIVER,
          Reason.ADDRESS_UNUSED,
          "pod " + pod.pod() + " behind " + device + " does not have " + destination);
      return;
    }
    deliver(view.name(), new AtPod(new NodeName(view.name()), pod.pod()), Optional.of(pod.rule()));
  }

  private void unwrapped(
      NodeView view,
      String device,
      Ip nextHop,
      int routeMtu,
      Optional<RuleId> rule,
      Exit exit,
      boolean forwarded) {
    int mtu = routeMtu > 0 ? Math.min(routeMtu, view.mtu(device)) : view.mtu(device);
    if (!fits(view.name(), mtu, device, teller(view, forwarded))) {
      return;
    }
    hops.add(
        new Hop(
            view.name(),
            Stage.ROUTE,
            Carriage.DIRECT,
            device,
            Optional.empty(),
            mtu,
            rule,
            nextHop.equals(destination)
                ? "%s on %s".formatted(exit.destination(), device)
                : "%s by %s on %s".formatted(exit.destination(), nextHop, device),
            forwarded));
    if (policy.leaves(view, device, forwarded) && translator.leaves(view, device, nextHop)) {
      view.host()
          .flatMap(host -> host.link(device))
          .ifPresentOrElse(
              link -> passage.unwrapped(view.name(), link, nextHop),
              () ->
                  stop(
                      view.name(),
                      Stage.UNDERLAY,
                      Reason.NO_NEIGHBOUR,
                      device + " is on no segment that is known"));
    }
  }

  private void wrapped(NodeView view, Route route, Ip nextHop, String device, boolean forwarded) {
    Tunnel tunnel = view.program().tunnels().get(device);
    if (tunnel == null) {
      stop(
          view.name(),
          Stage.ENCAPSULATE,
          Reason.TUNNEL_PEER_UNKNOWN,
          "there is no device " + device);
      return;
    }
    int mtu = route.mtu() > 0 ? Math.min(route.mtu(), tunnel.mtu()) : tunnel.mtu();
    if (!fits(view.name(), mtu, device, teller(view, forwarded))) {
      return;
    }
    routed(view, Carriage.LOCAL, device, mtu, route, forwarded, "by " + nextHop + " on " + device);
    if (!policy.leaves(view, device, forwarded) || !translator.leaves(view, device, nextHop)) {
      return;
    }
    switch (tunnel.wire()) {
      case Tunnel.Wire.Vxlan vxlan -> inVxlan(view, tunnel, vxlan, nextHop, forwarded);
      case Tunnel.Wire.Ipip() -> inIpip(view, tunnel, nextHop, forwarded);
    }
  }

  private void inIpip(NodeView view, Tunnel tunnel, Ip nextHop, boolean forwarded) {
    Outer outer = Outer.ipip(tunnel.local(), nextHop);
    int fits =
        view.mtu(tunnel.underlayDevice()) - Mtu.overhead(Encapsulation.IPIP, nextHop.family());
    hops.add(
        new Hop(
            view.name(),
            Stage.ENCAPSULATE,
            Carriage.IPIP,
            tunnel.underlayDevice(),
            Optional.of(outer),
            fits,
            Optional.of(tunnel.rule()),
            "wrapped in IPIP from %s to %s".formatted(tunnel.local(), nextHop),
            false));
    passage.wrapped(view, tunnel, Optional.empty(), outer, teller(view, forwarded));
  }

  private void inVxlan(
      NodeView view, Tunnel tunnel, Tunnel.Wire.Vxlan vxlan, Ip nextHop, boolean forwarded) {
    String device = tunnel.device();
    TunnelPeer peer = view.program().tunnelPeers().get(new TunnelPeer.Key(device, nextHop));
    if (peer == null) {
      stop(
          view.name(),
          Stage.ENCAPSULATE,
          Reason.TUNNEL_PEER_UNKNOWN,
          device + " has no peer " + nextHop);
      toldBy = teller(view, forwarded);
      ownKernelTells = !forwarded;
      return;
    }
    Outer outer = new Outer(tunnel.local(), peer.underlay(), vxlan.vni(), vxlan.port());
    hops.add(
        new Hop(
            view.name(),
            Stage.ENCAPSULATE,
            Carriage.VXLAN,
            tunnel.underlayDevice(),
            Optional.of(outer),
            view.mtu(tunnel.underlayDevice())
                - Mtu.overhead(Encapsulation.VXLAN, tunnel.local().family()),
            Optional.of(peer.rule()),
            "wrapped in VXLAN %d from %s to %s"
                .formatted(vxlan.vni(), tunnel.local(), peer.underlay()),
            false));
    passage.wrapped(view, tunnel, Optional.of(peer), outer, teller(view, forwarded));
  }

  /**
   * A bound that the sender hears of. A packet that may be cut is cut; in IPv6 only where it is
   * born.
   *
   * @param teller whose ICMP error it is; empty where the packet is born
   */
  boolean fits(String machine, int mtu, String what, Optional<Arrival> teller) {
    pathMtu = Math.min(pathMtu, mtu);
    if (size <= mtu) {
      return true;
    }
    if (!dontFragment && (destination.family() == Family.V4 || teller.isEmpty())) {
      size = mtu;
      return true;
    }
    stop(
        machine,
        Stage.ROUTE,
        Reason.PACKET_TOO_BIG,
        "%d bytes are more than the %d of %s".formatted(size, mtu, what));
    toldBy = teller;
    ownKernelTells = teller.isEmpty();
    return false;
  }

  // How a walk ends.

  void deliver(String machine, Arrival who, Optional<RuleId> rule) {
    outcome = Reason.DELIVERED;
    arrival = Optional.of(who);
    String taker =
        switch (who) {
          case AtPod(_, var pod) -> "pod " + pod;
          case AtNode(var node) -> "node " + node;
          case AtHost(var host) -> "host " + host;
        };
    hop(
        machine,
        Stage.DELIVER,
        Carriage.LOCAL,
        "",
        0,
        rule,
        "%s takes it at %s%s"
            .formatted(taker, destination, source.map(from -> ", from " + from).orElse("")));
  }

  void stop(String machine, Stage stage, Reason why, String text) {
    outcome = why;
    stoppedAt = Optional.of(machine);
    hop(machine, stage, Carriage.LOCAL, "", 0, Optional.empty(), why.code() + ": " + text);
  }

  void hop(
      String machine,
      Stage stage,
      Carriage carriage,
      String device,
      int mtu,
      Optional<RuleId> rule,
      String text) {
    hops.add(new Hop(machine, stage, carriage, device, Optional.empty(), mtu, rule, text, false));
  }

  private void routed(
      NodeView view,
      Carriage carriage,
      String device,
      int mtu,
      Route route,
      boolean forwarded,
      String by) {
    hops.add(
        new Hop(
            view.name(),
            Stage.ROUTE,
            carriage,
            device,
            Optional.empty(),
            mtu,
            Optional.of(route.rule()),
            route.destination() + " " + by,
            forwarded));
  }

  private void stopWithoutRoute(NodeView view, Optional<Exit> exit) {
    if (exit.isPresent()) {
      stop(
          view.name(),
          Stage.ROUTE,
          Reason.ADDRESS_UNUSED,
          exit.get().destination() + " is the node's pod range, and no pod has " + destination);
    } else {
      stop(view.name(), Stage.ROUTE, Reason.NO_ROUTE, "no route covers " + destination);
    }
  }

  static Optional<Arrival> teller(NodeView view, boolean forwarded) {
    return forwarded ? Optional.of(new AtNode(new NodeName(view.name()))) : Optional.empty();
  }

  private static boolean isUnreachable(Exit exit) {
    return exit instanceof Exit.Ours(var route) && route.way() instanceof Route.Unreachable;
  }

  private Optional<Ip> sourceFor(NodeView view, Exit exit) {
    return switch (exit) {
      case Exit.Foreign(var route) ->
          route
              .source()
              .or(() -> view.sourceOn(route.device(), route.gateway().orElse(destination)));
      case Exit.Ours(var route) ->
          route
              .source()
              .or(() ->
                  switch (route.way()) {
                    case Route.ToPod(var device) -> view.sourceOn(device, destination);
                    case Route.Direct(var nextHop, var device) -> view.sourceOn(device, nextHop);
                    case Route.ByTunnel(var nextHop, var device) -> view.sourceOn(device, nextHop);
                    case Route.Unreachable() -> Optional.empty();
                  });
    };
  }
}

package dev.sund.engine;

import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * From events to one node's program and what changed in it.
 *
 * <pre>
 *  events ──► ClusterState ──► Touched ──► FabricRows: key ──► row ──► Table ──► ProgramDelta
 *             (what is true)   (which keys)        (no memory)         (was / is)
 * </pre>
 *
 * <p>The program depends on the last words about each object, never on their order. A change of
 * another node or of a pod makes only its own rows anew; a change of a pool, of this node or of its
 * kernel's facts makes all of them anew, and still tells only the differences.
 *
 * <p>For one thread.
 */
public final class ProgramCompiler {
  private final NodeName self;
  private final ClusterState state;
  private final Table<String, LocalPod> localPods = new Table<>();
  private final Table<String, BridgePort> bridgePorts = new Table<>();
  private final Table<Prefix, Route> routes = new Table<>();
  private final Table<String, Tunnel> tunnels = new Table<>();
  private final Table<TunnelPeer.Key, TunnelPeer> tunnelPeers = new Table<>();
  private final Table<Masquerade.Key, Masquerade> masquerade = new Table<>();
  private final FrontendTables frontends = new FrontendTables();
  private final Map<NodeName, List<TunnelPeer>> peersOfNode = new HashMap<>();
  private final ConditionBook conditions = new ConditionBook();

  /** Services with conditions that may go when nodes and ranges come. */
  private final Set<ServiceKey> suspects = new HashSet<>();

  private Fabric fabric;
  private Optional<PacketProgram> program = Optional.empty();
  private long rowsMade;

  /**
   * A compiler that has been told nothing yet.
   *
   * @param self the node whose program it makes
   * @param settings the fabric's
   */
  public ProgramCompiler(NodeName self, FabricSettings settings) {
    this.self = self;
    this.state = new ClusterState(self, settings);
    this.fabric = fabricNow();
  }

  /** Takes events in and tells what they changed. An empty list changes nothing. */
  public Compilation apply(List<ClusterEvent> events) {
    Touched touched = new Touched();
    events.forEach(event -> state.apply(event, touched));
    ServiceRows services = new ServiceRows(state.services());
    if (touched.everything) {
      fabric = fabricNow();
      state.services().settle(scopeNow(new FrontendRows(state, fabric, services)), touched);
    }
    spread(touched);
    FabricRows rows = new FabricRows(state, fabric);
    FrontendRows translations = new FrontendRows(state, fabric, services);
    FrontendTables.Changes translated = frontends.refresh(touched.frontends, translations::at);
    ProgramDelta delta =
        new ProgramDelta(
            localPods.refresh(counted(touched.devices), rows::localPod),
            routes.refresh(counted(touched.ranges), rows::route),
            touched.everything ? tunnels.refresh(counted(Marks.TUNNELS), rows::tunnel) : List.of(),
            refreshPeers(touched.nodes, rows),
            masquerade.refresh(counted(masqueradeKeys(touched.ranges)), rows::masquerade),
            translated.frontends(),
            translated.endpoints(),
            translated.sourceRanges(),
            state.policies().compile(),
            bridgePorts.refresh(touched.bridgePorts, state.alone()::row));
    ServiceFindings ofServices =
        new ServiceFindings(
            state,
            services,
            new ServiceSummaries(state.services(), translations, services),
            masquerade.rows());
    ofServices.spread(touched, delta.masquerade(), suspects);
    refreshConditions(
        touched,
        new Findings(state, rows, translations, state.settings().addresses().mode()),
        ofServices);
    if (!delta.isEmpty() || touched.everything) {
      program = Optional.empty();
    }
    return new Compilation(
        delta, conditions.all(), translated.serving(), state.synced(), touched.services);
  }

  /** The program as it is now: a snapshot that later events do not change. */
  public PacketProgram program() {
    if (program.isEmpty()) {
      program =
          Optional.of(
              new PacketProgram(
                  self,
                  state.nodes().inForce(self).map(Node::addresses).orElse(List.of()),
                  state.facts().orElse(NodeFacts.NONE),
                  localPods.rows(),
                  routes.rows(),
                  tunnels.rows(),
                  tunnelPeers.rows(),
                  masquerade.rows(),
                  frontends.frontends(),
                  frontends.endpoints(),
                  frontends.sourceRanges(),
                  state.policies().tables(),
                  bridgePorts.rows()));
    }
    return program.get();
  }

  /**
   * What flannel would tell of this node; empty while the node is not known or has no range. Costs
   * the same whatever the size of the cluster.
   */
  public Optional<FlannelSubnet> flannelSubnet() {
    SortedMap<Family, Prefix> networks = new TreeMap<>();
    SortedMap<Family, Prefix> subnets = new TreeMap<>();
    int mtu = Integer.MAX_VALUE;
    for (Prefix range : state.nodes().inForce(self).map(Node::podCidrs).orElse(List.of())) {
      Family family = range.family();
      subnets.put(family, range);
      networks.put(family, state.pools().covering(range).map(IpPool::cidr).orElse(range));
      mtu = Math.min(mtu, fabric.podMtu(family));
    }
    return subnets.isEmpty()
        ? Optional.empty()
        : Optional.of(new FlannelSubnet(networks, subnets, mtu));
  }

  /** The program in a few numbers. Costs the same whatever the size of the cluster. */
  public NodeSummary summary() {
    return NodeSummary.of(
        fabric,
        localPods.rows().size(),
        routes.rows().size(),
        List.copyOf(tunnels.rows().keySet()),
        tunnelPeers.rows().size(),
        frontends.size());
  }

  /** What policies say of this node's pods: a snapshot that later events do not change. */
  public PolicyTables policies() {
    return state.policies().tables();
  }

  /** This node's pods; a view of the moment. */
  public Collection<LocalPod> localPods() {
    return localPods.rows().values();
  }

  /** The Services of the cluster; a view of the moment. */
  public Set<ServiceKey> services() {
    return state.services().keys();
  }

  /**
   * What this node makes of a Service; empty when there is none of this name. Costs what the
   * Service has.
   */
  public Optional<ServiceSummary> service(ServiceKey key) {
    List<Condition> found = new ArrayList<>(conditions.of(key));
    found.addAll(refused(new ObjectRef("Service", key.toString())));
    return state.services().service(key).map(service -> summaries().of(service, found));
  }

  /** Who has which address; of the moment, and for the thread that the compiler is for. */
  public AddressBook addresses() {
    return new AddressBook(state, frontends);
  }

  /** The cluster's nodes. */
  public List<NodeName> nodes() {
    return state.nodes().all().stream().map(Node::name).toList();
  }

  /** The same with all that is known of them; a view of the moment. */
  public Collection<Node> nodesNow() {
    return state.nodes().all();
  }

  /** Why an object cannot be used as it is written; empty when it can, or is not there. */
  public List<Condition> refused(ObjectRef object) {
    return state.refused().getOrDefault(object, List.of());
  }

  /** Names what packets that were dropped here were about; valid until the next events. */
  public DropNames drops() {
    return new DropNames(state);
  }

  private ServiceSummaries summaries() {
    ServiceRows rows = new ServiceRows(state.services());
    return new ServiceSummaries(state.services(), new FrontendRows(state, fabric, rows), rows);
  }

  /**
   * What this node's object must say of its addresses, when it does not say so yet; empty too while
   * the node, its machine or the settings are not known.
   */
  public Optional<AddressNotice> noticeToGive() {
    Optional<Node> told = state.selfAsTold();
    Optional<Node> found = state.nodes().get(self);
    if (!state.synced() || state.facts().isEmpty() || told.isEmpty() || found.isEmpty()) {
      return Optional.empty();
    }
    SortedMap<Family, Optional<Ip>> wanted = new TreeMap<>();
    for (Family family : Family.values()) {
      AddressMethod method = state.settings().nodeAddress(family);
      Optional<Ip> said = told.get().notice().said().get(family);
      if (method.isDetected()) {
        wanted.put(family, found.get().address(family));
      } else if (method instanceof AddressMethod.AsAnnotated && said != null) {
        wanted.put(family, said);
      }
    }
    List<Ip> tunnels = new ArrayList<>();
    if (state.settings().addresses().mode() == Mode.POOLS) {
      for (Family family : Family.values()) {
        tunnelAddress(family).ifPresent(tunnels::add);
      }
    }
    AddressNotice notice = new AddressNotice(wanted, tunnels);
    return notice.equals(told.get().notice()) ? Optional.empty() : Optional.of(notice);
  }

  /**
   * The last words about everything, from which another compiler of this node makes the same
   * program; what is only of this node comes last, see {@link LastWords}. Costs what the cluster
   * has.
   */
  public LastWords lastWords() {
    return LastWords.of(state);
  }

  /**
   * How many rows have been made or made anew since the start, changed or not: what the work of an
   * event is measured by.
   */
  public long rowsMade() {
    return rowsMade + frontends.rowsMade();
  }

  private Fabric fabricNow() {
    return new Fabric(
        state.nodes().inForce(self),
        this::tunnelAddress,
        state.facts(),
        state.wrappings(),
        state.settings());
  }

  /** What Services' rows have of this node now. */
  private ServiceScope scopeNow(FrontendRows rows) {
    ServiceSettings settings = state.services().settings();
    Optional<Node> node = state.nodes().get(self);
    Map<Family, List<Ip>> nodePorts = new EnumMap<>(Family.class);
    Map<Family, Ip> lent = new EnumMap<>(Family.class);
    for (Family family : Family.values()) {
      switch (settings.nodePorts()) {
        case NodePorts.AllLocal() -> {}
        case NodePorts.Primary() ->
            nodePorts.put(family, node.flatMap(one -> one.address(family)).stream().toList());
        case NodePorts.Within(var ranges) -> nodePorts.put(family, addressesIn(ranges, family));
      }
      rows.lent(family).ifPresent(ip -> lent.put(family, ip));
    }
    return new ServiceScope(
        settings,
        self,
        node.flatMap(ServiceScope::zone),
        node.map(Node::addresses).orElse(List.of()),
        nodePorts,
        lent);
  }

  /** The addresses of this family that devices of the node carry and that are in a range. */
  private List<Ip> addressesIn(List<Prefix> ranges, Family family) {
    return state.facts().orElse(NodeFacts.NONE).devices().stream()
        .flatMap(device -> device.addresses().stream())
        .map(InterfaceAddress::ip)
        .filter(ip -> ip.family() == family && !ip.isLoopback() && !ip.isLinkLocal())
        .filter(ip -> ranges.stream().anyMatch(range -> range.contains(ip)))
        .sorted()
        .distinct()
        .toList();
  }

  /** The first of this node's range, or what it has taken from the pools; unless a pod has it. */
  private Optional<Ip> tunnelAddress(Family family) {
    Optional<Ip> address =
        switch (state.settings().addresses().mode()) {
          case KUBERNETES ->
              state
                  .nodes()
                  .inForce(self)
                  .flatMap(node -> node.podCidr(family))
                  .map(Prefix::address);
          case POOLS -> state.tunnelAddress(family);
        };
    return address.filter(ip -> state.addresses().holder(Prefix.host(ip)).isEmpty());
  }

  /** From what changed to all the keys that depend on it. */
  private void spread(Touched touched) {
    if (touched.everything || !touched.nodes.isEmpty()) {
      // Whether a wider range, of a pool or a node, says the same.
      touched.ranges.addAll(state.services().settings().podRanges());
    }
    if (touched.everything) {
      touched.devices.addAll(state.devices());
      touched.devices.addAll(localPods.rows().keySet());
      touched.ranges.addAll(state.addresses().ranges());
      touched.ranges.addAll(state.nodes().ranges().ranges());
      touched.ranges.addAll(state.pools().ranges().ranges());
      touched.ranges.addAll(state.blocks().ranges());
      state.blocks().all().forEach(block -> touched.blocks.add(block.name()));
      touched.ranges.addAll(routes.rows().keySet());
      touched.ranges.addAll(state.alone().ranges());
      masquerade.rows().keySet().forEach(key -> touched.ranges.add(key.range()));
      touched.nodes.addAll(state.nodes().names());
      touched.nodes.addAll(peersOfNode.keySet());
      touched.pods.addAll(state.podKeys());
      // Places of Services follow from their scope, and are touched where that changes.
      touched.frontends.addAll(state.hostPorts().keys());
      return;
    }
    for (NodeName name : touched.nodes) {
      state.nodes().get(name).ifPresent(node -> touched.ranges.addAll(node.podCidrs()));
      for (Prefix range : state.blocks().of(name)) {
        touched.ranges.add(range);
        state.blocks().at(range).ifPresent(block -> touched.blocks.add(block.name()));
      }
      for (PodKey key : state.podsOn(name)) {
        touched.pods.add(key);
        state.pod(key).map(Pod::ips).stream()
            .flatMap(Collection::stream)
            .forEach(ip -> touched.ranges.add(Prefix.host(ip)));
      }
    }
    for (String device : touched.devices) {
      // Whether a pod has its address decides whether it has its ports.
      state.hostPorts().ofDevice(device).forEach(wish -> touched.frontends.add(wish.key()));
    }
    for (Frontend.Key key : touched.frontends) {
      for (String device : state.hostPorts().devices(key)) {
        state.attachment(device).ifPresent(attachment -> touched.pods.add(attachment.pod()));
      }
    }
  }

  private List<Change<TunnelPeer.Key, TunnelPeer>> refreshPeers(
      Set<NodeName> nodes, FabricRows rows) {
    Set<TunnelPeer.Key> keys = new HashSet<>();
    Map<TunnelPeer.Key, TunnelPeer> now = new HashMap<>();
    for (NodeName name : new TreeSet<>(nodes)) {
      List<TunnelPeer> peers = rows.tunnelPeers(name);
      peers.forEach(peer -> now.putIfAbsent(peer.key(), peer));
      List<TunnelPeer> before =
          peers.isEmpty() ? peersOfNode.remove(name) : peersOfNode.put(name, peers);
      if (before != null) {
        before.forEach(peer -> keys.add(peer.key()));
      }
    }
    keys.addAll(now.keySet());
    return tunnelPeers.refresh(counted(keys), key -> Optional.ofNullable(now.get(key)));
  }

  private Collection<Masquerade.Key> masqueradeKeys(Set<Prefix> ranges) {
    Map.Entry<Masquerade.Key, Masquerade> last = masquerade.rows().lastEntry();
    boolean bridges =
        !state.alone().isEmpty()
            || (last != null && last.getKey().part().compareTo(Part.BRIDGED) >= 0);
    // By part, and then as they came: that is nearly the keys' own order, and so soon sorted.
    List<Masquerade.Key> keys = new ArrayList<>(ranges.size() * 2);
    for (Part part : Part.values()) {
      if (part.compareTo(Part.BRIDGED) < 0 || bridges) {
        ranges.forEach(range -> keys.add(new Masquerade.Key(range, part)));
      }
    }
    return keys;
  }

  private void refreshConditions(Touched touched, Findings findings, ServiceFindings ofServices) {
    for (ServiceKey key : touched.services) {
      List<Condition> now = ofServices.of(key);
      conditions.note(key, now);
      if (!now.isEmpty() && now.stream().anyMatch(ServiceFindings::dependsOnOthers)) {
        suspects.add(key);
      } else if (!suspects.isEmpty()) {
        suspects.remove(key);
      }
    }
    for (NodeName name : touched.nodes) {
      conditions.note(name, findings.ofNode(name));
    }
    for (String block : touched.blocks) {
      conditions.note(new Block(block), findings.ofBlock(block));
    }
    for (PodKey pod : touched.pods) {
      conditions.note(pod, findings.ofPod(pod));
    }
    if (touched.everything) {
      conditions.note("settings", findings.ofAll(fabric));
    }
    for (ObjectRef object : touched.refusals) {
      conditions.note(object, state.refused().getOrDefault(object, List.of()));
    }
    conditions.note("policies", state.policies().findings());
  }

  /** Whom a block's conditions are noted for. */
  private record Block(String name) {}

  private <T> Collection<T> counted(Collection<T> keys) {
    rowsMade += keys.size();
    return keys;
  }
}

package dev.sund.engine;

import dev.sund.engine.Claimant.Kind;
import dev.sund.engine.Claims.Claim;
import dev.sund.engine.Claims.Owner;
import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.Pod;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What is true of the cluster now, as one node sees it: the objects, the indexes that rows are made
 * from, and who holds which addresses. It keeps no history: the same last words about each object
 * give the same state, in whatever order they came.
 *
 * <p>Not for several threads.
 */
final class ClusterState {
  private static final List<Family> FAMILIES = List.of(Family.values());

  private final NodeName self;
  private final FabricSettings settings;

  private final Map<PodKey, Pod> pods = new HashMap<>();
  private final Index<NodeName, PodKey> podsByNode = new Index<>();
  private final Pools pools = new Pools();
  private final NodeNetworks alone = new NodeNetworks();
  private final Map<String, Namespace> namespaces = new TreeMap<>();
  private final Attachments attachments = new Attachments();
  private final PolicyFeed policies = new PolicyFeed(this);
  private final Map<ObjectRef, List<Condition>> refused = new HashMap<>();

  /** Single addresses: nodes' own, and those of pods. */
  private final Claims addresses = new Claims();

  private final Nodes nodes = new Nodes(addresses);

  /** The families in use after the last event. */
  private Set<Family> families = EnumSet.noneOf(Family.class);

  /** Which node packets to pools' addresses go to. */
  private final Blocks blocks = new Blocks();

  private final HostPorts hostPorts = new HostPorts();
  private final ServiceIndex services;
  private List<Ip> tunnelAddresses = List.of();
  private Optional<NodeFacts> facts = Optional.empty();

  /** This node as its object has it; among the nodes it has the addresses that were found. */
  private Optional<Node> selfAsTold = Optional.empty();

  private boolean synced;

  /**
   * A state that has been told nothing yet.
   *
   * @param settings what Sund's own Fabric sets
   */
  ClusterState(NodeName self, FabricSettings settings) {
    this.self = self;
    this.settings = settings;
    this.services = new ServiceIndex(self, pods);
  }

  /** Takes one event in and notes what it may have changed. */
  void apply(ClusterEvent event, Touched touched) {
    take(event, touched);
    nodes.changed();
    for (Family family : FAMILIES) {
      if (isInUse(family) != families.contains(family)) {
        touched.everything = true;
        families = familiesInUse();
      }
    }
  }

  private void take(ClusterEvent event, Touched touched) {
    accept(event, touched);
    switch (event) {
      case ClusterEvent.NodeSeen(var node) -> told(node.name(), Optional.of(node), touched);
      case ClusterEvent.NodeGone(var name) -> told(name, Optional.empty(), touched);
      case ClusterEvent.PodSeen(var pod) -> putPod(pod.key(), Optional.of(pod), touched);
      case ClusterEvent.PodGone(var key) -> putPod(key, Optional.empty(), touched);
      case ClusterEvent.PoolSeen _,
          ClusterEvent.PoolGone _,
          ClusterEvent.LayerSeen _,
          ClusterEvent.LayerGone _ -> {
        touched.everything |= pools.take(event);
        putNode(self, selfAsFound(), touched);
      }
      case ClusterEvent.BlockSeen(var block) -> putBlock(block.name(), Optional.of(block), touched);
      case ClusterEvent.BlockGone(var name) -> putBlock(name, Optional.empty(), touched);
      case ClusterEvent.ReservationSeen _,
          ClusterEvent.ReservationGone _ -> {} // packets take no other way
      case ClusterEvent.NamespaceSeen(var namespace) -> {
        namespaces.put(namespace.name(), namespace);
        policies.changed(namespace.name());
      }
      case ClusterEvent.NamespaceGone(var name) -> {
        namespaces.remove(name);
        policies.changed(name);
      }
      case ClusterEvent.PolicySeen(var policy, var conditions) -> {
        policies.put(policy);
        putConditions(policy.ref(), conditions, touched);
      }
      case ClusterEvent.PolicyGone(var ref) -> policies.remove(ref);
      case ClusterEvent.PoliciesTold _ -> {} // packets take no other way
      case ClusterEvent.Refused(var key, var conditions) -> refused.put(key, conditions);
      case ClusterEvent.Attached(var attachment) ->
          putAttachment(attachment.key(), Optional.of(attachment), touched);
      case ClusterEvent.Detached(var key) -> putAttachment(key, Optional.empty(), touched);
      case ClusterEvent.TunnelsAddressed(var given) -> {
        touched.everything |= !given.equals(tunnelAddresses);
        tunnelAddresses = given;
      }
      case ClusterEvent.NetworkSeen _,
          ClusterEvent.NetworkGone _,
          ClusterEvent.PortsSeen _,
          ClusterEvent.PortsGone _,
          ClusterEvent.BridgeJoined _,
          ClusterEvent.BridgeLeft _ ->
          alone.take(event, hostPorts, touched).forEach(policies::changed);
      case ClusterEvent.FactsSeen(var seen) -> {
        touched.everything |= !Optional.of(seen).equals(facts);
        facts = Optional.of(seen);
        putNode(self, selfAsFound(), touched);
      }
      case ClusterEvent.ServiceSeen(var service) ->
          services.put(service.key(), Optional.of(service), touched);
      case ClusterEvent.ServiceGone(var key) -> services.put(key, Optional.empty(), touched);
      case ClusterEvent.SliceSeen(var slice) ->
          services.putSlice(slice.name(), Optional.of(slice), touched);
      case ClusterEvent.SliceGone(var name) -> services.putSlice(name, Optional.empty(), touched);
      case ClusterEvent.ServicesSet(var told) -> services.put(told, touched);
      case ClusterEvent.ConntrackSet _, ClusterEvent.StrictSet _ -> {}
      case ClusterEvent.Synced() -> {
        touched.everything |= !synced;
        synced = true;
      }
    }
  }

  /** What is told of an object stands in place of its refusal. */
  private void accept(ClusterEvent event, Touched touched) {
    if (event instanceof ClusterEvent.Refused
        || (!refused.isEmpty() && refused.remove(event.key()) != null)) {
      touched.refusals.add(event.key());
    }
  }

  /** What is wrong with an object that is in force all the same. */
  private void putConditions(ObjectRef object, List<Condition> conditions, Touched touched) {
    if (!conditions.isEmpty()) {
      refused.put(object, conditions);
      touched.refusals.add(object);
    }
  }

  // What rows are made from.

  /** The cluster's namespaces, by name. */
  Collection<Namespace> namespaces() {
    return Collections.unmodifiableCollection(namespaces.values());
  }

  Optional<Namespace> namespace(String name) {
    return Optional.ofNullable(namespaces.get(name));
  }

  Nodes nodes() {
    return nodes;
  }

  Collection<Pod> pods() {
    return Collections.unmodifiableCollection(pods.values());
  }

  /** The attachments of this node. */
  Attachments attachments() {
    return attachments;
  }

  /** What is enforced of policies. */
  PolicyFeed policies() {
    return policies;
  }

  NodeName self() {
    return self;
  }

  boolean synced() {
    return synced;
  }

  Optional<NodeFacts> facts() {
    return facts;
  }

  Optional<Pod> pod(PodKey key) {
    return Optional.ofNullable(pods.get(key));
  }

  Collection<PodKey> podKeys() {
    Set<PodKey> keys = new HashSet<>(pods.keySet());
    keys.addAll(attachments.pods());
    return keys;
  }

  Collection<String> devices() {
    return attachments.devices();
  }

  Pools pools() {
    return pools;
  }

  /**
   * The attachment that a device stands for: of several with one identity (a sandbox made anew
   * before the old one is gone) the first by key.
   */
  Optional<Attachment> attachment(String device) {
    return attachments.at(device);
  }

  /** The devices of a pod's attachments to this node. */
  Collection<String> devicesOf(PodKey pod) {
    return attachments.devicesOf(pod);
  }

  /** The families in use. */
  Set<Family> families() {
    return Collections.unmodifiableSet(families);
  }

  Claims addresses() {
    return addresses;
  }

  /** What the pods of this node want of its ports. */
  HostPorts hostPorts() {
    return hostPorts;
  }

  /** The cluster's Services. */
  ServiceIndex services() {
    return services;
  }

  /** The blocks of pools' addresses. */
  Blocks blocks() {
    return blocks;
  }

  /** Whether blocks and ranges lead packets for a single address to this node, in force. */
  boolean leads(Prefix host, Node node) {
    Optional<Blocks.Way> way = blocks.over(host);
    return way.isPresent()
        ? way.get().node().equals(node.name())
        : node.podCidrs().stream().anyMatch(cidr -> cidr.contains(host));
  }

  /** The pools' address that this node has taken for its tunnels of this family. */
  Optional<Ip> tunnelAddress(Family family) {
    return tunnelAddresses.stream().filter(ip -> ip.family() == family).findFirst();
  }

  /** The pools' addresses that this node has taken for its tunnels. */
  List<Ip> tunnelAddresses() {
    return tunnelAddresses;
  }

  /** The conditions of objects as they are written: that were refused, or that have errors. */
  Map<ObjectRef, List<Condition>> refused() {
    return refused;
  }

  /** What the pools of each family that pods have ask for. */
  Map<Family, Set<Wrapping>> wrappings() {
    return pools.wrappings(familiesInUse());
  }

  /** What is on this node alone. */
  NodeNetworks alone() {
    return alone;
  }

  /** What an attachment claims addresses as, by what the API shows of its pod. */
  Claimant claimant(String device, Attachment attachment) {
    return Claimant.of(device, attachment, pod(attachment.pod()));
  }

  /** The pods that the API shows on this node. */
  Collection<PodKey> podsOn(NodeName node) {
    return podsByNode.of(node);
  }

  // How the state changes.

  private void told(NodeName name, Optional<Node> now, Touched touched) {
    if (name.equals(self)) {
      selfAsTold = now;
    }
    putNode(name, name.equals(self) ? selfAsFound() : now, touched);
  }

  /** What other networks' configurations and Sund's own set. */
  FabricSettings settings() {
    return settings.over(pools.layers());
  }

  /** This node as its object has it. */
  Optional<Node> selfAsTold() {
    return selfAsTold;
  }

  /**
   * This node with the addresses that it has by now, whatever its object says yet: an address that
   * is gone from the machine carries nothing any more.
   */
  private Optional<Node> selfAsFound() {
    return facts.isEmpty()
        ? selfAsTold
        : selfAsTold.map(node -> OwnAddress.found(node, settings(), facts.get()));
  }

  private void putNode(NodeName name, Optional<Node> now, Touched touched) {
    Optional<Node> was = nodes.put(name, now);
    if (was.equals(now)) {
      return;
    }
    touched.everything |= name.equals(self);
    touched.nodes.add(name);
    services.putNode(was, now, touched);
    policies.changed(name);
    Owner owner = new Owner(Kind.NODE, name.text());
    List<Claim> ranges = new ArrayList<>();
    List<Claim> single = new ArrayList<>();
    if (now.isPresent()) {
      Claimant claimant = Claimant.of(now.get());
      now.get().podCidrs().forEach(cidr -> ranges.add(new Claim(claimant, cidr)));
      now.get().everyAddress().forEach(ip -> single.add(new Claim(claimant, Prefix.host(ip))));
    }
    claimAddresses(owner, single, touched);
    nodes.ranges().replace(owner, ranges).forEach(claim -> touchRange(claim, touched));
    was.ifPresent(node -> touchRangesOver(node.everyAddress(), touched));
    now.ifPresent(node -> touchRangesOver(node.everyAddress(), touched));
  }

  /** A node's address inside of a range takes that range out of force. */
  private void touchRangesOver(List<Ip> nodeAddresses, Touched touched) {
    for (Ip ip : nodeAddresses) {
      for (Claim claim : nodes.ranges().containing(Prefix.host(ip))) {
        touchRange(claim, touched);
      }
      for (AddressBlock block : blocks.containing(ip)) {
        touched.ranges.add(block.cidr());
        touched.blocks.add(block.name());
      }
    }
  }

  private void putBlock(String name, Optional<AddressBlock> now, Touched touched) {
    touched.blocks.add(name);
    for (Prefix range : blocks.replace(name, now)) {
      touched.ranges.add(range);
      // Whether a pod's address needs a route of its own depends on where its block leads.
      for (Prefix inside : addresses.inside(range)) {
        touched.ranges.add(inside);
        addresses
            .holder(inside)
            .filter(who -> who.kind() == Kind.POD)
            .map(Claimant::name)
            .ifPresent(pod -> touched.pods.add(PodKey.parse(pod)));
      }
    }
  }

  private void touchRange(Claim claim, Touched touched) {
    touched.ranges.add(claim.range());
    // Pods' own rows in the masquerade table depend on whether a node's range covers them.
    touched.ranges.addAll(addresses.inside(claim.range()));
    touched.nodes.add(new NodeName(claim.claimant().name()));
    touched.everything |= claim.claimant().name().equals(self.text());
  }

  private void putPod(PodKey key, Optional<Pod> now, Touched touched) {
    Optional<Pod> was = put(pods, key, now);
    if (was.equals(now)) {
      return;
    }
    was.flatMap(Pod::node).ifPresent(node -> podsByNode.remove(node, key));
    now.flatMap(Pod::node).ifPresent(node -> podsByNode.put(node, key));
    // Where a pod runs decides its routes, also where who holds its address stays the same.
    Stream.concat(was.stream(), now.stream())
        .flatMap(pod -> pod.ips().stream())
        .forEach(ip -> touched.ranges.add(Prefix.host(ip)));
    policies.changed(key);
    claimFor(key, touched);
    for (String device : List.copyOf(devicesOf(key))) {
      claimFor(device, touched);
    }
  }

  private void putAttachment(String key, Optional<Attachment> now, Touched touched) {
    Optional<Attachment> was = attachments.put(key, now);
    if (was.equals(now)) {
      return;
    }
    List<Attachment> ends = Stream.concat(was.stream(), now.stream()).toList();
    // The rule of a row names the pod, also where who holds the address stays the same.
    ends.forEach(end -> end.addresses().forEach(ip -> touched.ranges.add(Prefix.host(ip))));
    for (String device : new TreeSet<>(ends.stream().map(PodDevices::device).toList())) {
      List<PodKey> attached = attachments.podsAt(device);
      ends.forEach(end -> attachments.unlink(end.pod(), device));
      attached.forEach(pod -> attachments.link(pod, device));
      claimFor(device, touched);
      ends.forEach(end -> claimFor(end.pod(), touched));
      attached.forEach(pod -> claimFor(pod, touched));
    }
    ends.forEach(end -> policies.changed(end.pod()));
    // Whoever wants these addresses too is told which pod keeps them.
    ends.forEach(end -> end.addresses().forEach(ip -> touchRivals(Prefix.host(ip), touched)));
  }

  private void touchRivals(Prefix address, Touched touched) {
    for (Claim claim : addresses.containing(address)) {
      String name = claim.claimant().name();
      switch (claim.claimant().kind()) {
        case POD -> touched.pods.add(PodKey.parse(name));
        case ATTACHMENT -> attachment(name).ifPresent(one -> touched.pods.add(one.pod()));
        case NODE, POOL, CONTAINER -> {} // conditions of these name no pods
      }
    }
  }

  /** Makes the claims of a pod as the API shows it. */
  private void claimFor(PodKey key, Touched touched) {
    touched.pods.add(key);
    List<Claim> claims =
        claiming(key).map(pod -> Claims.of(Claimant.of(pod, self), pod.ips())).orElse(List.of());
    claimAddresses(new Owner(Kind.POD, key.toString()), claims, touched);
  }

  /** Makes the claims of an attachment. */
  private void claimFor(String device, Touched touched) {
    touched.devices.add(device);
    List<Claim> claims =
        attachment(device)
            .map(one -> Claims.of(claimant(device, one), one.addresses()))
            .orElse(List.of());
    claimAddresses(new Owner(Kind.ATTACHMENT, device), claims, touched);
    hostPorts.replace(
        device,
        attachment(device).map(one -> HostPorts.wishes(this, device, one)).orElse(List.of()),
        touched);
  }

  /**
   * The pod, when it claims addresses by what the API shows: not when it has none of its own, is
   * finished, or when its attachment to this node claims for it.
   */
  Optional<Pod> claiming(PodKey key) {
    return pod(key)
        .filter(pod -> !pod.hostNetwork() && !pod.finished() && pod.node().isPresent())
        .filter(pod -> !isAttached(pod));
  }

  private boolean isAttached(Pod pod) {
    return pod.node().equals(Optional.of(self))
        && devicesOf(pod.key()).stream()
            .flatMap(device -> attachment(device).stream())
            .anyMatch(attachment -> attachment.uid().equals(pod.uid()));
  }

  private void claimAddresses(Owner owner, List<Claim> now, Touched touched) {
    for (Claim claim : addresses.replace(owner, now)) {
      touched.ranges.add(claim.range());
      // Such an address is our tunnel's unless somebody has it.
      touched.everything |= beginsOwnRange(claim.range().address());
      touched.everything |= tunnelAddresses.contains(claim.range().address());
      String name = claim.claimant().name();
      switch (claim.claimant().kind()) {
        case NODE -> {
          touched.nodes.add(new NodeName(name));
          touched.everything |= name.equals(self.text());
        }
        case POD -> touched.pods.add(PodKey.parse(name));
        case ATTACHMENT -> {
          touched.devices.add(name);
          attachment(name).ifPresent(attachment -> touched.pods.add(attachment.pod()));
        }
        case POOL, CONTAINER -> throw new AssertionError("these claim no single addresses");
      }
    }
  }

  private boolean beginsOwnRange(Ip address) {
    Optional<Node> own = nodes.get(self);
    if (own.isPresent()) {
      for (Prefix cidr : own.get().podCidrs()) {
        if (cidr.address().equals(address)) {
          return true;
        }
      }
    }
    return false;
  }

  /** The families of any pod, node's range or pool. */
  private Set<Family> familiesInUse() {
    Set<Family> inUse = EnumSet.noneOf(Family.class);
    for (Family family : FAMILIES) {
      if (isInUse(family)) {
        inUse.add(family);
      }
    }
    return inUse;
  }

  private boolean isInUse(Family family) {
    return nodes.ranges().any(family)
        || pools.any(family)
        || addresses.any(Kind.POD, family)
        || addresses.any(Kind.ATTACHMENT, family);
  }

  private static <K, V> Optional<V> put(Map<K, V> map, K key, Optional<V> now) {
    return now.isPresent()
        ? Optional.ofNullable(map.put(key, now.get()))
        : Optional.ofNullable(map.remove(key));
  }
}

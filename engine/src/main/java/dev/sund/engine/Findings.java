package dev.sund.engine;

import dev.sund.engine.Claimant.Kind;
import dev.sund.engine.Claims.Claim;
import dev.sund.engine.Fabric.Passage;
import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is wrong with the cluster's objects, by the state as it is: the conditions of one object as
 * a function of its name. As {@link FabricRows}, it remembers nothing.
 */
final class Findings {
  private final ClusterState state;
  private final FabricRows rows;
  private final FrontendRows frontends;
  private final Mode mode;

  /**
   * Findings of a state.
   *
   * @param mode where pods' addresses come from
   */
  Findings(ClusterState state, FabricRows rows, FrontendRows frontends, Mode mode) {
    this.state = state;
    this.rows = rows;
    this.frontends = frontends;
    this.mode = mode;
  }

  /** What is wrong with this node's own end and with the pools. */
  List<Condition> ofAll(Fabric fabric) {
    List<Condition> found = new ArrayList<>(fabric.conditions());
    if (state.synced() && state.nodes().get(state.self()).isEmpty()) {
      found.add(
          new Condition(
              Reason.NODE_UNKNOWN,
              new ObjectRef("Node", state.self().text()),
              "metadata.name",
              "This agent is to serve node "
                  + state.self()
                  + ", but the cluster has no such node; only pods of this machine are connected.",
              "Start the agent with --node and the name that kubectl get nodes shows."));
    }
    for (Family family : state.families()) {
      addressOf(family).ifPresent(found::add);
    }
    state.pools().layers().forEach(layer -> found.addAll(layer.remarks()));
    for (IpPool pool : state.pools().all()) {
      if (!state.pools().ranges().holds(Claimant.of(pool), pool.cidr())) {
        found.add(
            new Condition(
                Reason.OVERLAPPING_POOL,
                new ObjectRef("IPPool", pool.name()),
                "spec.cidr",
                pool.cidr() + " " + overlap(state.pools().ranges(), pool.cidr()),
                "Give each pool a range of its own, or delete one of the two."));
      }
      found.addAll(ofServices(pool));
    }
    return found;
  }

  /** Of a family that no pod has, an address is not missed. */
  private Optional<Condition> addressOf(Family family) {
    AddressMethod method = state.settings().nodeAddress(family);
    return state
        .nodes()
        .get(state.self())
        .filter(node -> method.isDetected() && node.address(family).isEmpty())
        .filter(_ -> state.facts().isPresent())
        .map(node ->
            new Condition(
                Reason.NODE_ADDRESS_NOT_FOUND,
                new ObjectRef("Node", node.name().text()),
                Fabric.name(family) + " address",
                "this machine has none by '"
                    + method.text()
                    + "': no "
                    + Fabric.name(family)
                    + " packets go between its pods and other nodes.",
                "Look at 'ip -br addr' on the node, then give it such an address or change how"
                    + " nodes find theirs."));
  }

  /** A pool that shares addresses with Services stays in force: pods may have its addresses. */
  private List<Condition> ofServices(IpPool pool) {
    List<Condition> found = new ArrayList<>();
    for (FabricLayer layer : state.pools().layers()) {
      for (Prefix services : layer.serviceCidrs()) {
        if (services.overlaps(pool.cidr())) {
          found.add(
              new Condition(
                  Reason.OVERLAPPING_POOL,
                  new ObjectRef("IPPool", pool.name()),
                  "spec.cidr",
                  "%s overlaps %s, the range of Services (%s): a pod may get the address of a Service."
                      .formatted(pool.cidr(), services, layer.source()),
                  "Disable the pool and make one of another range; pods move when they are made"
                      + " anew."));
        }
      }
    }
    return found;
  }

  /** What is wrong with a node. */
  List<Condition> ofNode(NodeName name) {
    Optional<Node> asGiven = state.nodes().get(name);
    Optional<Node> inForce = state.nodes().inForce(name);
    List<Condition> found = new ArrayList<>();
    if (asGiven.isEmpty() || inForce.isEmpty()) {
      return found;
    }
    Node node = asGiven.get();
    ObjectRef object = new ObjectRef("Node", name.text());
    if (node.addresses().isEmpty()) {
      found.add(
          new Condition(
              Reason.NODE_WITHOUT_ADDRESS,
              object,
              "status.addresses",
              node.internal().isEmpty()
                  ? "There is no InternalIP; no packets go to this node's pods."
                  : "By its annotations it has none; no packets go to this node's pods.",
              node.internal().isEmpty()
                  ? "See that its kubelet runs and reports an InternalIP (kubelet --node-ip)."
                  : "See what its agent says (node-address-not-found)."));
    }
    if (node.podCidrs().isEmpty() && mode == Mode.KUBERNETES) {
      found.add(
          new Condition(
              Reason.NODE_WITHOUT_POD_CIDR,
              object,
              "spec.podCIDRs",
              "There is no pod range; pods of this node get no addresses from Sund.",
              "Let the controller manager give ranges (--allocate-node-cidrs --cluster-cidr), or"
                  + " set spec.podCIDRs."));
    }
    for (Ip ip : node.addresses()) {
      if (!inForce.get().addresses().contains(ip)) {
        found.add(
            new Condition(
                Reason.DUPLICATE_NODE_ADDRESS,
                object,
                "status.addresses",
                ip + " is also the address of " + holder(Prefix.host(ip)) + ".",
                "Give each node an address of its own, or delete the node that is no more."));
      }
    }
    for (Prefix cidr : node.podCidrs()) {
      range(node, inForce.get(), cidr).ifPresent(found::add);
    }
    return found;
  }

  private Optional<Condition> range(Node node, Node inForce, Prefix cidr) {
    ObjectRef object = new ObjectRef("Node", node.name().text());
    Optional<Ip> inside = state.nodes().addressIn(cidr);
    if (inside.isPresent()) {
      return Optional.of(
          new Condition(
              Reason.OVERLAPPING_POD_CIDR,
              object,
              "spec.podCIDRs",
              "%s contains %s, the address of a node, and would take packets to it: it is not routed."
                  .formatted(cidr, inside.get()),
              "Give pods ranges apart from the nodes' subnets (--cluster-cidr)."));
    }
    if (!inForce.podCidrs().contains(cidr)) {
      return Optional.of(
          new Condition(
              Reason.OVERLAPPING_POD_CIDR,
              object,
              "spec.podCIDRs",
              cidr + " " + overlap(state.nodes().ranges(), cidr),
              "Give each node a range of its own: delete the node object and let it register"
                  + " anew."));
    }
    if (node.address(cidr.family()).isEmpty() && !node.addresses().isEmpty()) {
      return Optional.of(familyUnreachable(object, cidr));
    }
    if (!node.name().equals(state.self())
        && rows.passage(inForce, cidr)
            .equals(new Passage.None(Optional.of(Reason.NOT_ON_SUBNET)))) {
      return Optional.of(notOnSubnet(object, "status.addresses", inForce, cidr));
    }
    if (mode == Mode.KUBERNETES && outsidePools(cidr)) {
      return Optional.of(outsidePools(object, "spec.podCIDRs", cidr.toString()));
    }
    return Optional.empty();
  }

  private static Condition familyUnreachable(ObjectRef object, Prefix range) {
    String family = Fabric.name(range.family());
    return new Condition(
        Reason.FAMILY_UNREACHABLE,
        object,
        "status.addresses",
        "The node has pod range %s, but no %s InternalIP: no %s packets go between its pods and other nodes."
            .formatted(range, family, family),
        "Give the node an %s InternalIP (kubelet --node-ip takes one of each family)."
            .formatted(family));
  }

  /** What keeps packets from a block of a pool. */
  List<Condition> ofBlock(String name) {
    Optional<AddressBlock> block = state.blocks().block(name);
    if (block.isEmpty() || block.get().node().isEmpty()) {
      return List.of();
    }
    Prefix cidr = block.get().cidr();
    ObjectRef object = new ObjectRef("AddressBlock", name);
    Optional<Ip> inside = state.nodes().addressIn(cidr);
    if (inside.isPresent()) {
      return List.of(
          new Condition(
              Reason.OVERLAPPING_POOL,
              new ObjectRef("IPPool", block.get().pool()),
              "spec.cidr",
              "Its block %s contains %s, the address of a node, and would take packets to it: it is not routed."
                  .formatted(cidr, inside.get()),
              "Disable the pool and make one apart from the nodes' subnets; pods move when they are"
                  + " made anew."));
    }
    Optional<Node> node = block.get().node().flatMap(state.nodes()::inForce);
    if (node.isEmpty() || node.get().name().equals(state.self())) {
      return List.of(); // of a node that is no more, and will be claimed by others
    }
    if (node.get().address(cidr.family()).isEmpty() && !node.get().addresses().isEmpty()) {
      return List.of(familyUnreachable(new ObjectRef("Node", node.get().name().text()), cidr));
    }
    return rows.passage(node.get(), cidr)
            .equals(new Passage.None(Optional.of(Reason.NOT_ON_SUBNET)))
        ? List.of(notOnSubnet(object, "spec.node", node.get(), cidr))
        : List.of();
  }

  /** What is wrong with a pod. */
  List<Condition> ofPod(PodKey key) {
    Set<Condition> found = new TreeSet<>();
    ObjectRef object = new ObjectRef("Pod", key.toString());
    state.claiming(key).ifPresent(pod -> shown(pod, object, found));
    for (String device : state.devicesOf(key)) {
      state
          .attachment(device)
          .filter(attachment -> attachment.pod().equals(key))
          .ifPresent(attachment -> attached(device, attachment, object, found));
    }
    return List.copyOf(found);
  }

  private void shown(Pod pod, ObjectRef object, Set<Condition> found) {
    for (Ip ip : pod.ips()) {
      Prefix range = Prefix.host(ip);
      if (!state.addresses().holds(Claimant.of(pod, state.self()), range)) {
        found.add(duplicate(object, ip));
        continue;
      }
      Optional<Node> node =
          pod.node().filter(name -> !name.equals(state.self())).flatMap(state.nodes()::inForce);
      boolean borrowed = node.isPresent() && !state.leads(range, node.get());
      if (borrowed
          && rows.passage(node.get(), range)
              .equals(new Passage.None(Optional.of(Reason.NOT_ON_SUBNET)))) {
        found.add(notOnSubnet(object, "status.podIPs", node.get(), range));
      } else if (outsidePools(range)) {
        found.add(outsidePools(object, "status.podIPs", ip.toString()));
      }
    }
  }

  private void attached(
      String device, Attachment attachment, ObjectRef object, Set<Condition> found) {
    for (Ip ip : attachment.addresses()) {
      Prefix range = Prefix.host(ip);
      if (!state.addresses().holds(state.claimant(device, attachment), range)) {
        found.add(duplicate(object, ip));
      } else if (outsidePools(range)) {
        found.add(outsidePools(object, "status.podIPs", ip.toString()));
      }
    }
    hostPorts(device, object, found);
  }

  private void hostPorts(String device, ObjectRef object, Set<Condition> found) {
    for (HostPorts.Wish wish : state.hostPorts().ofDevice(device)) {
      Frontend.Key key = wish.key();
      Optional<String> holder =
          state
              .hostPorts()
              .holder(key)
              .filter(granted -> !granted.equals(wish))
              .flatMap(_ -> frontends.holder(key));
      String port = key.port() + "/" + key.protocol().label();
      if (holder.isPresent()) {
        found.add(
            new Condition(
                Reason.DUPLICATE_HOST_PORT,
                object,
                "spec.containers.ports.hostPort",
                "%s at %s belongs to %s, which keeps it."
                    .formatted(port, at(key.place()), rival(holder.get(), object)),
                "Give one of the two another hostPort, or another node."));
      } else if (!frontends.isHere(key.place())) {
        found.add(
            new Condition(
                Reason.HOST_IP_NOT_LOCAL,
                object,
                "spec.containers.ports.hostIP",
                "%s at %s reaches nobody: no device of this node carries the address."
                    .formatted(port, at(key.place())),
                "Write an address of the node, or leave hostIP out for all of them."));
      }
    }
  }

  /** A place as a sentence says it. */
  static String at(Place place) {
    return switch (place) {
      case Place.At(var ip) -> ip.toString();
      case Place.AnyLocal(var family) -> "all " + Fabric.name(family) + " addresses of the node";
    };
  }

  private static String rival(String holder, ObjectRef object) {
    return holder.equals("pod " + object.name()) ? "another of its ports" : holder;
  }

  private Condition duplicate(ObjectRef object, Ip ip) {
    return new Condition(
        Reason.DUPLICATE_POD_IP,
        object,
        "status.podIPs",
        ip + " is also the address of " + holder(Prefix.host(ip)) + ".",
        "Delete one of the two; a new pod gets an address of its own.");
  }

  /** Who holds a single address, as a sentence says it. */
  private String holder(Prefix range) {
    Optional<Claimant> holder = state.addresses().holder(range);
    if (holder.isEmpty()) {
      return "another object";
    }
    String name = holder.get().name();
    return switch (holder.get().kind()) {
      case NODE -> "node " + name + ", which keeps it";
      case POD -> "pod " + name + ", which keeps it";
      case ATTACHMENT ->
          "pod "
              + state.attachment(name).map(one -> one.pod().toString()).orElse(name)
              + ", which keeps it";
      case POOL, CONTAINER -> throw new AssertionError("pools hold no single addresses");
    };
  }

  /** Which older claim a range shares addresses with, as a sentence says it. */
  private static String overlap(Claims claims, Prefix range) {
    Optional<Claim> rival = claims.rival(range);
    if (rival.isEmpty()) {
      return "overlaps another range.";
    }
    String kind = rival.get().claimant().kind() == Kind.POOL ? "pool " : "node ";
    return "overlaps "
        + rival.get().range()
        + " of "
        + kind
        + rival.get().claimant().name()
        + ", which is older and keeps it.";
  }

  private boolean outsidePools(Prefix range) {
    return state.pools().any(range.family()) && state.pools().covering(range).isEmpty();
  }

  private static Condition outsidePools(ObjectRef object, String field, String value) {
    return new Condition(
        Reason.OUTSIDE_POOLS,
        object,
        field,
        value + " is in no IPPool: it is carried unwrapped and its source is never translated.",
        "Add an IPPool that contains it, or give addresses from one that exists.");
  }

  private Condition notOnSubnet(ObjectRef object, String field, Node node, Prefix range) {
    Family family = range.family();
    return new Condition(
        Reason.NOT_ON_SUBNET,
        object,
        field,
        "%s is not on the subnet of node %s, and packets to %s are not to be wrapped: there is no way to it."
            .formatted(node.address(family).map(Ip::toString).orElse("it"), state.self(), range),
        "Set vxlanMode CrossSubnet or Always in the pool that contains it.");
  }
}

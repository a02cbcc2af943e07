package dev.sund.engine;

import dev.sund.engine.DropStory.Kind;
import dev.sund.engine.DropStory.Party;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.PolicyLookup;
import dev.sund.engine.program.PolicyTables.Judgement;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import dev.sund.model.ServiceKey;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Joins packets that were dropped with the program in force. Nothing is copied: a join costs a few
 * lookups, whatever the size of the cluster. On the engine's thread, and not kept.
 */
public final class DropNames {
  private final ClusterState state;
  private final Optional<PolicyLookup> policies;

  DropNames(ClusterState state) {
    this.state = state;
    this.policies = state.policies().lookup();
  }

  /** Says what a packet was about. */
  public DropStory story(DroppedPacket packet) {
    Optional<Party> asked = packet.asked().map(place -> party(place.address()));
    Direction direction = packet.direction();
    boolean out = direction == Direction.EGRESS;
    Ip pod = out ? packet.source() : packet.destination();
    Ip peer = out ? packet.destination() : packet.source();
    if (packet.reason().isPresent()) {
      return new DropStory(
          behind(packet.device(), pod),
          party(peer),
          asked,
          packet.reason(),
          Optional.empty(),
          packet.reason().get() == Reason.POLICY_UNSEEN ? isolating(packet.device()) : List.of());
    }
    Judgement judged =
        policies
            .map(tables -> tables.judge(pod, direction, peer, packet.judgedAs(), packet.port()))
            .orElseGet(() -> new Judgement(Optional.empty(), List.of()));
    return new DropStory(
        party(pod),
        party(peer),
        asked,
        judged.verdict().filter(one -> !one.allowed()).map(one -> one.refusal(direction)),
        judged
            .verdict()
            .filter(one -> !one.allowed())
            .map(one -> one.rule())
            .filter(rule -> rule.object().kind().equals(Policy.CLUSTER_NETWORK_POLICY)),
        judged.isolating().stream().filter(DropNames::isPolicy).toList());
  }

  /** The policies that isolate a pod of this node in a direction. */
  public List<RuleId> isolating(Ip pod, Direction direction) {
    return policies.map(tables -> tables.isolating(pod, direction)).orElse(List.of()).stream()
        .filter(DropNames::isPolicy)
        .toList();
  }

  /** A pod that nobody knows is isolated by what is no policy. */
  private static boolean isPolicy(RuleId rule) {
    return rule.object().kind().equals(Policy.NETWORK_POLICY);
  }

  /**
   * The policies that isolate the pod behind a port of a bridge, in whichever direction: what no
   * rule has seen may be about each of them.
   */
  public List<RuleId> isolating(String device) {
    Set<RuleId> found = new LinkedHashSet<>();
    for (Ip ip : state.alone().row(device).map(BridgePort::addresses).orElse(List.of())) {
      found.addAll(isolating(ip, Direction.INGRESS));
      found.addAll(isolating(ip, Direction.EGRESS));
    }
    return List.copyOf(found);
  }

  /** Whose packets are dropped whatever policies say is known by the device alone. */
  private Party behind(String device, Ip address) {
    return behind(device)
        .map(holder -> new Party(holder.kind(), holder.name(), address))
        .orElseGet(
            () -> device.isEmpty() ? party(address) : new Party(Kind.ADDRESS, device, address));
  }

  /**
   * Who is behind a device.
   *
   * @param kind a pod, or a container that is none
   * @param name {@code NAMESPACE/NAME} of a pod, {@code CONTAINER/INTERFACE} of another container
   */
  public record Holder(Kind kind, String name) {
    private static Holder of(PortOnBridge port) {
      return port.pod()
          .map(pod -> new Holder(Kind.POD, pod.toString()))
          .orElseGet(() -> new Holder(Kind.CONTAINER, port.key()));
    }
  }

  /** The pod or container behind a device of this node; empty when there is none. */
  public Optional<Holder> behind(String device) {
    return state
        .attachment(device)
        .map(attachment -> new Holder(Kind.POD, attachment.pod().toString()))
        .or(() -> state.alone().port(device).map(Holder::of));
  }

  /** Who has an address: a pod, a node, a container, a Service, or nobody that is known. */
  public Party party(Ip address) {
    Optional<Claimant> holder = state.addresses().holder(Prefix.host(address));
    if (holder.isPresent()) {
      String name = holder.get().name();
      return switch (holder.get().kind()) {
        case NODE -> new Party(Kind.NODE, name, address);
        case POD -> new Party(Kind.POD, name, address);
        case CONTAINER -> new Party(Kind.CONTAINER, name, address);
        case ATTACHMENT ->
            behind(name)
                .map(pod -> new Party(pod.kind(), pod.name(), address))
                .orElseGet(() -> Party.unnamed(address));
        case POOL -> Party.unnamed(address);
      };
    }
    Optional<Holder> bridged = state.alone().portOf(address).map(Holder::of);
    if (bridged.isPresent()) {
      return new Party(bridged.get().kind(), bridged.get().name(), address);
    }
    Set<ServiceKey> services = new TreeSet<>();
    state.services().within(Prefix.host(address), services);
    return services.stream()
        .findFirst()
        .map(service -> new Party(Kind.SERVICE, service.toString(), address))
        .or(() -> tunnelEnd(address))
        .orElseGet(() -> Party.unnamed(address));
  }

  /** A node speaks to pods of others from the first address of its range, by its tunnel. */
  private Optional<Party> tunnelEnd(Ip address) {
    return state
        .nodes()
        .covering(Prefix.host(address))
        .filter(node -> node.podCidrs().stream().anyMatch(one -> one.address().equals(address)))
        .map(node -> new Party(Kind.NODE, node.name().text(), address));
  }
}

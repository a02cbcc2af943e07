package dev.sund.engine;

import dev.sund.engine.Claimant.Kind;
import dev.sund.engine.HostPorts.Wish;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Serving;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What the rows of {@code Frontends}, {@code Endpoints} and {@code SourceRanges} are, by the state
 * as it is. As {@link FabricRows}, it remembers nothing. Pods' ports are made here, Services' by
 * {@link ServiceRows}; where both want one place the pod has it.
 *
 * <p>A pod's port at its node's addresses has one endpoint, the pod. It sees who asks it: only what
 * comes from itself or from 127.0.0.1 gets another source, as by the reference plugin {@code
 * portmap}.
 */
final class FrontendRows {
  private final ClusterState state;
  private final Fabric fabric;
  private final ServiceRows services;

  FrontendRows(ClusterState state, Fabric fabric, ServiceRows services) {
    this.state = state;
    this.fabric = fabric;
    this.services = services;
  }

  /** The rows of exactly this place: of a pod's port, and else of a Service's. */
  Optional<Answered> at(Frontend.Key key) {
    Optional<Answered> hostPort = hostPort(key);
    return hostPort.isPresent() ? hostPort : services.at(key);
  }

  private Optional<Answered> hostPort(Frontend.Key key) {
    Optional<Wish> wish = granted(key);
    Optional<RuleId> rule = wish.flatMap(this::rule);
    if (wish.isEmpty() || rule.isEmpty()) {
      return Optional.empty();
    }
    Frontend frontend =
        new Frontend(key, new Action.Balance(1), masquerade(wish.get()), rule.get());
    Endpoint endpoint =
        new Endpoint(
            new Endpoint.Key(key, 0),
            wish.get().address(),
            wish.get().port(),
            lent(wish.get()),
            rule.get());
    Optional<Serving> serving =
        Serving.at(key, List.of(new Serving.At(endpoint.address(), endpoint.port())));
    return Optional.of(new Answered(frontend, List.of(endpoint), List.of(), serving));
  }

  private MasqueradeClass masquerade(Wish wish) {
    return container(wish)
        .filter(container -> container.sources() == MappedContainer.Sources.ALL)
        .map(_ -> MasqueradeClass.ALWAYS)
        .orElse(MasqueradeClass.KEEP_SOURCE);
  }

  private Optional<Wish> granted(Frontend.Key key) {
    return state
        .hostPorts()
        .holder(key)
        .filter(this::hasItsAddress)
        .filter(_ -> isHere(key.place()));
  }

  /** Of another plugin's network that plugin answers for its addresses. */
  private boolean hasItsAddress(Wish wish) {
    return wish.claimant().kind() == Kind.CONTAINER
        || state
            .attachment(wish.device())
            .map(attachment -> state.claimant(wish.device(), attachment))
            .filter(claimant -> state.addresses().holds(claimant, Prefix.host(wish.address())))
            .isPresent();
  }

  private Optional<RuleId> rule(Wish wish) {
    return wish.claimant().kind() == Kind.CONTAINER
        ? Optional.of(RuleId.of(RuleId.CONTAINER, wish.device(), ""))
        : state.attachment(wish.device()).map(PodDevices::rule);
  }

  private Optional<MappedContainer> container(Wish wish) {
    return wish.claimant().kind() == Kind.CONTAINER
        ? state.alone().container(wish.device())
        : Optional.empty();
  }

  /** The source for whom an endpoint could not answer otherwise. */
  private Optional<Ip> lent(Wish wish) {
    Family family = wish.address().family();
    Optional<MappedContainer> container = container(wish);
    if (container.isEmpty()) {
      return lent(family);
    }
    if (container.get().sources() == MappedContainer.Sources.NONE) {
      return Optional.empty();
    }
    return container.get().places().stream()
        .filter(place -> place.address().ip().equals(wish.address()))
        .flatMap(place -> place.gateway().stream())
        .findFirst()
        .or(() -> lent(family));
  }

  /**
   * Whether packets to a place are this node's to answer. A pod that asks for an address of others
   * would else be given what passes through.
   */
  boolean isHere(Place place) {
    return switch (place) {
      case Place.AnyLocal _ -> true;
      case Place.At(var ip) ->
          ip.equals(LOOPBACK_V4)
              || (!ip.isLoopback()
                  && (state.facts().flatMap(facts -> facts.carrier(ip)).isPresent()
                      || state
                          .nodes()
                          .get(state.self())
                          .filter(node -> node.addresses().contains(ip))
                          .isPresent()));
    };
  }

  /** The node's address that pods see when a packet's own source will not do. */
  Optional<Ip> lent(Family family) {
    return fabric
        .uplink(family)
        .map(Fabric.Uplink::address)
        .or(() -> state.facts().flatMap(facts -> towardsTheWorld(facts, family)));
  }

  /** A node that no cluster knows has no address in it: that of its default route's device. */
  private static Optional<Ip> towardsTheWorld(NodeFacts facts, Family family) {
    return facts.routes().stream()
        .filter(route -> route.destination().equals(Prefix.all(family)))
        .min(Comparator.comparingInt(NodeFacts.HostRoute::metric))
        .flatMap(route ->
            route
                .source()
                .or(() -> facts.device(route.device()).flatMap(device -> device.primary(family))))
        .or(() ->
            facts.devices().stream()
                .flatMap(device -> device.primary(family).stream())
                .findFirst());
  }

  /** The pod or container whose port a place is, if it is one: {@code pod shop/web}. */
  Optional<String> grantedTo(Frontend.Key key) {
    return granted(key).isPresent() ? holder(key) : Optional.empty();
  }

  /** Who has a host port, for those who do not get it: {@code pod shop/web}. */
  Optional<String> holder(Frontend.Key key) {
    return state
        .hostPorts()
        .holder(key)
        .flatMap(wish ->
            wish.claimant().kind() == Kind.CONTAINER
                ? Optional.of("container " + wish.device())
                : state.attachment(wish.device()).map(attachment -> "pod " + attachment.pod()));
  }

  private static final Ip LOOPBACK_V4 = Ip.parse("127.0.0.1");
}

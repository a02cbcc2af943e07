package dev.sund.kube.object;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.Action;
import dev.sund.engine.cluster.Policy.AllPorts;
import dev.sund.engine.cluster.Policy.Anyone;
import dev.sund.engine.cluster.Policy.Block;
import dev.sund.engine.cluster.Policy.NamedPort;
import dev.sund.engine.cluster.Policy.Nodes;
import dev.sund.engine.cluster.Policy.Peer;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.Pods;
import dev.sund.engine.cluster.Policy.PortRange;
import dev.sund.engine.cluster.Policy.Rule;
import dev.sund.engine.cluster.Policy.Tier;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * {@code policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy} to {@link Policy}. Where something
 * is not understood, a rule that accepts matches nothing of it, and a rule that denies or passes
 * denies everything; a policy whose place or pods are not understood denies what it denies or
 * passes, to all whom it may concern, and accepts nothing.
 *
 * @see <a href="https://network-policy-api.sigs.k8s.io/">Network Policy API</a>
 */
public final class ClusterNetworkPolicyParser {
  /** The version that is read. */
  public static final String API_VERSION = "policy.networking.k8s.io/v1alpha2";

  /** {@code spec} is read whole, so that fields that are not known are seen. */
  static final Shape SHAPE = NetworkPolicyParser.SHAPE;

  private static final Map<String, Tier> TIERS =
      Map.of("Admin", Tier.ADMIN, "Baseline", Tier.BASELINE);
  private static final Map<String, Action> ACTIONS =
      Map.of("Accept", Action.ACCEPT, "Deny", Action.DENY, "Pass", Action.PASS);
  private static final Map<String, Protocol> PROTOCOLS =
      Map.of("tcp", Protocol.TCP, "udp", Protocol.UDP, "sctp", Protocol.SCTP);
  private static final List<String> FROM = List.of("namespaces", "pods");
  private static final List<String> TO =
      List.of("namespaces", "pods", "nodes", "networks", "domainNames");
  private static final List<String> PORTS = List.of("tcp", "udp", "sctp", "destinationNamedPort");
  private static final Set<String> NAMELESS = Set.of("nodes", "networks", "domainNames");
  private static final String FIRST =
      "it is asked first, accepts nothing and denies what it passes.";
  private static final String CLOSED = "everything is denied to its pods, in both directions.";
  private static final String EVERYTHING = "this rule denies everything.";

  private ClusterNetworkPolicyParser() {}

  /**
   * Parses a policy.
   *
   * @param ref {@code ClusterNetworkPolicy NAME}
   * @return the policy, also when problems are errors; none only without a usable name
   */
  public static Parsed<Policy> parse(ObjectRef ref, Tree.Mapping object) {
    return parse(ref, Field.root(ref, object, new ArrayList<>()));
  }

  static Parsed<Policy> parse(ObjectRef ref, Field object) {
    Meta meta = Meta.read(object, ref.kind(), ref.name());
    int generation = object.at("metadata").at("generation").number(0, Integer.MAX_VALUE).orElse(0);
    if (!PolicyFields.named(ref)) {
      return object.refuse();
    }
    Field spec = object.at("spec");
    boolean known =
        spec.guarded(
                CLOSED,
                () -> {
                  PolicyFields.only(spec, "tier", "priority", "subject", "ingress", "egress");
                  return spec;
                })
            .isPresent();
    Optional<Tier> tier = Optional.empty();
    Optional<Integer> priority = Optional.empty();
    Optional<Pods> subject = Optional.empty();
    List<Rule> rules = List.of();
    if (spec.isMapping()) {
      Field tierField = spec.at("tier");
      tier =
          tierField
              .guarded(
                  FIRST,
                  () ->
                      tierField
                          .needed("Write Admin or Baseline.")
                          .flatMap(_ -> tierField.oneOf(TIERS)))
              .flatMap(one -> one);
      priority = priority(spec.at("priority"));
      subject = subject(spec.at("subject"));
      boolean placed = tier.isPresent() && priority.isPresent() && subject.isPresent();
      rules = new ArrayList<>();
      rules.addAll(rules(Direction.INGRESS, spec.at("ingress"), placed));
      rules.addAll(rules(Direction.EGRESS, spec.at("egress"), placed));
    }
    if (!known) {
      rules = List.of(denyAll(Direction.INGRESS, 0, ""), denyAll(Direction.EGRESS, 0, ""));
    }
    return object.keep(
        new Policy(
            ref,
            meta.uid(),
            meta.created(),
            generation,
            tier.orElse(Tier.ADMIN),
            tier.isPresent() ? priority.orElse(0) : 0,
            subject.orElse(Pods.of(LabelSelector.ALL, LabelSelector.ALL)),
            Set.of(),
            rules));
  }

  private static Optional<Integer> priority(Field field) {
    return field
        .guarded(
            FIRST,
            () -> {
              if (!field.present()) {
                field.invalid("the field is missing.", "Write a number from 0 to 1000.");
              }
              return field.number(0, 1000);
            })
        .flatMap(one -> one);
  }

  private static Optional<Pods> subject(Field field) {
    return field
        .guarded(
            "it is about all pods of the cluster, accepts nothing and denies what it passes.",
            () -> {
              List<String> said = one(field, FROM, "subject");
              return said.isEmpty() ? Optional.<Pods>empty() : pods(field, said.getFirst());
            })
        .flatMap(one -> one);
  }

  /** Exactly one of these fields is needed; empty when there is none. */
  private static List<String> one(Field at, List<String> of, String what) {
    PolicyFields.only(at, of.toArray(String[]::new));
    List<String> said = PolicyFields.present(at, of);
    // A field without a value says as little as none; what is not known has been named above.
    boolean saysNothing =
        at.fields()
            .filter(
                mapping -> mapping.fields().keySet().stream().noneMatch(n -> at.at(n).present()))
            .isPresent();
    if (said.isEmpty() && saysNothing) {
      at.invalid("this " + what + " says nothing.", "Write one of " + String.join(", ", of) + ".");
    } else if (said.size() > 1) {
      at.invalid(
          "this " + what + " has " + String.join(" and ", said) + ", and it can have only one.",
          "Write them apart, or leave out all but one.");
    }
    return said;
  }

  private static Optional<Pods> pods(Field at, String kind) {
    Field field = at.at(kind);
    if (kind.equals("namespaces")) {
      return Optional.of(Pods.of(PolicyFields.selector(field), LabelSelector.ALL));
    }
    PolicyFields.only(field, "namespaceSelector", "podSelector");
    if (!field.isMapping()) {
      return Optional.empty();
    }
    Field pods = field.at("podSelector");
    if (!pods.present()) {
      pods.invalid("the field is missing.", "Write {} for all pods of these namespaces.");
    }
    return Optional.of(
        Pods.of(PolicyFields.selector(field.at("namespaceSelector")), PolicyFields.selector(pods)));
  }

  private static List<Rule> rules(Direction direction, Field field, boolean placed) {
    Optional<List<Field>> items =
        field.guarded("everything is denied to its pods in this direction.", field::items);
    if (items.isEmpty()) {
      return List.of(denyAll(direction, 0, ""));
    }
    List<Rule> rules = new ArrayList<>();
    for (Field item : items.get()) {
      Rule rule = rule(direction, rules.size(), item);
      if (!placed && rule.action() == Action.ACCEPT) {
        rule = nothing(direction, rule.index(), rule.name());
      } else if (!placed && rule.action() == Action.PASS) {
        rule =
            new Rule(direction, rule.index(), rule.name(), Action.DENY, rule.peers(), rule.ports());
      }
      rules.add(rule);
    }
    return rules;
  }

  private static Rule denyAll(Direction direction, int index, String name) {
    return new Rule(
        direction, index, name, Action.DENY, List.of(new Anyone()), List.of(new AllPorts()));
  }

  private static Rule nothing(Direction direction, int index, String name) {
    return new Rule(direction, index, name, Action.ACCEPT, List.of(), List.of());
  }

  private static Rule rule(Direction direction, int index, Field rule) {
    String peers = direction == Direction.INGRESS ? "from" : "to";
    Field actionField = rule.isMapping() ? rule.at("action") : rule;
    Optional<Action> action =
        rule.isMapping()
            ? actionField
                .guarded(
                    "this rule denies what it matches.",
                    () ->
                        actionField
                            .needed("Write Accept, Deny or Pass.")
                            .flatMap(_ -> actionField.oneOf(ACTIONS)))
                .flatMap(one -> one)
            : Optional.empty();
    boolean accepts = action.filter(Action.ACCEPT::equals).isPresent();
    Optional<String> name =
        rule.guarded(
            accepts ? "this rule accepts nothing." : EVERYTHING,
            () -> {
              PolicyFields.only(rule, "name", "action", peers, "protocols");
              return rule.isMapping() ? rule.at("name").text().orElse("") : "";
            });
    boolean whole = name.isPresent() && rule.isMapping();
    List<Peer> matched = new ArrayList<>();
    List<PeerPort> ports = new ArrayList<>();
    if (rule.isMapping()) {
      whole &= peers(rule.at(peers), accepts, direction, matched);
      whole &= ports(rule.at("protocols"), accepts, rule.at(peers), ports);
    }
    if (!whole) {
      return accepts
          ? nothing(direction, index, name.orElse(""))
          : denyAll(direction, index, name.orElse(""));
    }
    return new Rule(direction, index, name.orElse(""), action.orElse(Action.DENY), matched, ports);
  }

  /** Adds the peers that are understood; whether the rule can go without the others. */
  private static boolean peers(
      Field list, boolean accepts, Direction direction, List<Peer> matched) {
    Optional<List<Field>> items =
        list.guarded(
            accepts ? "this rule accepts nothing." : EVERYTHING,
            () -> {
              List<Field> all = list.items();
              if (all.isEmpty() && !(list.tree().isPresent() && !isList(list))) {
                list.invalid("a rule needs a peer.", "Write whom the rule is about.");
              }
              return all;
            });
    boolean whole = items.isPresent();
    for (Field item : items.orElse(List.of())) {
      Optional<List<Peer>> peer =
          item.guarded(
              accepts ? "this peer matches nobody." : EVERYTHING, () -> peer(item, direction));
      peer.ifPresent(matched::addAll);
      whole &= accepts || peer.isPresent();
    }
    return whole;
  }

  private static boolean isList(Field field) {
    return field.tree().orElseThrow() instanceof Tree.Sequence;
  }

  private static List<Peer> peer(Field peer, Direction direction) {
    List<String> said = one(peer, direction == Direction.INGRESS ? FROM : TO, "peer");
    if (said.isEmpty()) {
      return List.of();
    }
    String kind = said.getFirst();
    Field field = peer.at(kind);
    return switch (kind) {
      case "nodes" -> List.of(new Nodes(PolicyFields.selector(field)));
      case "networks" -> {
        List<Peer> ranges = new ArrayList<>();
        for (Field item : items(field, "Write ranges of addresses.")) {
          PolicyFields.range(item).ifPresent(range -> ranges.add(new Block(range, List.of())));
        }
        yield ranges;
      }
      case "domainNames" -> {
        List<String> names = field.items().stream().flatMap(one -> one.text().stream()).toList();
        field.problem(
            Reason.NOT_SUPPORTED,
            "Sund does not follow names yet, so " + String.join(", ", names) + " is nobody to it.",
            "Write the addresses as networks.");
        yield List.of();
      }
      default -> List.copyOf(pods(peer, kind).stream().toList());
    };
  }

  private static List<Field> items(Field list, String remedy) {
    List<Field> items = list.items();
    if (items.isEmpty() && isList(list)) {
      list.invalid("the list is empty.", remedy);
    }
    return items;
  }

  /** Adds the ports that are understood; whether the rule can go without the others. */
  private static boolean ports(Field list, boolean accepts, Field peers, List<PeerPort> ports) {
    if (!list.present()) {
      ports.add(new AllPorts());
      return true;
    }
    Optional<List<Field>> items =
        list.guarded(
            accepts ? "this rule accepts nothing." : EVERYTHING,
            () -> items(list, "Write protocols, or leave the field out for all."));
    boolean whole = items.isPresent();
    for (Field item : items.orElse(List.of())) {
      Optional<Optional<PeerPort>> port =
          item.guarded(
              accepts ? "this port matches nothing." : EVERYTHING, () -> port(item, peers));
      port.flatMap(one -> one).ifPresent(ports::add);
      whole &= accepts || port.isPresent();
    }
    return whole;
  }

  private static Optional<PeerPort> port(Field port, Field peers) {
    List<String> said = one(port, PORTS, "protocol");
    if (said.isEmpty()) {
      return Optional.empty();
    }
    Field field = port.at(said.getFirst());
    Protocol protocol = PROTOCOLS.get(said.getFirst());
    if (protocol == null) {
      Optional<String> name = field.needed("Write the name of a container's port.");
      name.ifPresent(text -> PolicyFields.portName(field, text));
      for (Field peer : isListed(peers) ? peers.items() : List.<Field>of()) {
        for (String kind : PolicyFields.present(peer, TO)) {
          if (NAMELESS.contains(kind)) {
            field.invalid(
                "a peer of this rule is " + kind + ", which have no named ports.",
                "Write a number, or two rules.");
          }
        }
      }
      return name.map(text -> new NamedPort(Optional.empty(), text));
    }
    PolicyFields.only(field, "destinationPort");
    if (!field.isMapping()) {
      return Optional.empty();
    }
    Field destination = field.at("destinationPort");
    if (!destination.present()) {
      destination.invalid(
          "the field is missing.", "Write the port, or the range 1 to 65535 for all.");
      return Optional.empty();
    }
    List<String> how = one(destination, List.of("number", "range"), "port");
    if (how.isEmpty()) {
      return Optional.empty();
    }
    if (how.getFirst().equals("number")) {
      return destination
          .at("number")
          .number(1, 65535)
          .map(number -> new PortRange(protocol, number, number));
    }
    return range(destination.at("range"), protocol);
  }

  private static boolean isListed(Field field) {
    return field.present() && isList(field);
  }

  private static Optional<PeerPort> range(Field range, Protocol protocol) {
    PolicyFields.only(range, "start", "end");
    if (!range.isMapping()) {
      return Optional.empty();
    }
    Field start = range.at("start");
    Field end = range.at("end");
    for (Field bound : List.of(start, end)) {
      if (!bound.present()) {
        bound.invalid("the field is missing.", "Write a number from 1 to 65535.");
      }
    }
    Optional<Integer> first = start.number(1, 65535);
    Optional<Integer> last = end.number(1, 65535);
    if (first.isEmpty() || last.isEmpty()) {
      return Optional.empty();
    }
    if (last.get() <= first.get()) {
      end.invalid(
          last.get() + " is not greater than start " + first.get() + ".",
          "Write a greater number, or 'number' for one port.");
      return Optional.empty();
    }
    return Optional.of(new PortRange(protocol, first.get(), last.get()));
  }
}

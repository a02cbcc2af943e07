package dev.sund.kube.object;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.Action;
import dev.sund.engine.cluster.Policy.AllPorts;
import dev.sund.engine.cluster.Policy.Anyone;
import dev.sund.engine.cluster.Policy.Block;
import dev.sund.engine.cluster.Policy.NamedPort;
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
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * {@code networking.k8s.io/v1 NetworkPolicy} to {@link Policy}. What an API server fills in is
 * filled in here too. Errors do not take a policy out of force, which would open what it closes: a
 * peer or a port with an error matches nothing, a rule with one allows nothing, and a policy whose
 * pods or directions are not understood isolates all that it may have meant.
 *
 * @see <a href="https://kubernetes.io/docs/concepts/services-networking/network-policies/">Network
 *     Policies</a>
 */
public final class NetworkPolicyParser {
  /** The version that is read. */
  public static final String API_VERSION = "networking.k8s.io/v1";

  /** {@code spec} is read whole, so that fields that are not known are seen. */
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind", "spec")
          .use("metadata", Meta.OF_POLICIES)
          .tell("status", StatusFields.WHY);

  static final Map<String, Protocol> PROTOCOLS =
      Map.of("TCP", Protocol.TCP, "UDP", Protocol.UDP, "SCTP", Protocol.SCTP);
  private static final Map<String, Direction> TYPES =
      Map.of("Ingress", Direction.INGRESS, "Egress", Direction.EGRESS);
  private static final Set<Direction> BOTH = EnumSet.of(Direction.INGRESS, Direction.EGRESS);
  private static final String NO_PEER = "this peer matches nobody.";
  private static final String NO_PORT = "this port matches nothing.";
  private static final String NO_RULE = "this rule allows nothing.";

  private NetworkPolicyParser() {}

  /**
   * Parses a policy.
   *
   * @param ref {@code NetworkPolicy NAMESPACE/NAME}
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
    String namespace = ref.name().substring(0, ref.name().indexOf('/'));
    Field spec = object.at("spec");
    Read read = new Read(namespace);
    if (spec.present()) {
      read.spec(spec);
    }
    Policy policy =
        new Policy(
            ref,
            meta.uid(),
            meta.created(),
            generation,
            Tier.NAMESPACE,
            0,
            Pods.in(namespace, read.subject),
            read.isolates,
            read.rules);
    return object.keep(policy);
  }

  /** What became of {@code spec}; without one a policy closes its namespace for ingress. */
  private static final class Read {
    private final String namespace;
    private LabelSelector subject = LabelSelector.ALL;
    private Set<Direction> isolates = EnumSet.of(Direction.INGRESS);
    private List<Rule> rules = List.of();

    Read(String namespace) {
      this.namespace = namespace;
    }

    void spec(Field spec) {
      boolean known =
          spec.guarded(
                  "its pods are isolated in both directions, and no rule of it allows anything.",
                  () -> {
                    PolicyFields.only(spec, "podSelector", "policyTypes", "ingress", "egress");
                    return spec;
                  })
              .isPresent();
      if (!known) {
        isolates = BOTH;
      }
      if (!spec.isMapping()) {
        return;
      }
      Field selector = spec.at("podSelector");
      Optional<LabelSelector> pods =
          selector.guarded(
              "all pods of namespace "
                  + namespace
                  + " are isolated, and no rule of this policy allows anything.",
              () -> PolicyFields.selector(selector));
      subject = pods.orElse(LabelSelector.ALL);
      Optional<List<Field>> ingress = list(spec.at("ingress"));
      Optional<List<Field>> egress = list(spec.at("egress"));
      Set<Direction> about = types(spec.at("policyTypes"), egress);
      if (known) {
        // where a type is not understood both isolate, and those that are named keep their rules
        isolates = about.contains(Direction.NONE) ? BOTH : about;
      }
      List<Rule> found = new ArrayList<>();
      rules(Direction.INGRESS, spec.at("ingress"), ingress, about, found);
      rules(Direction.EGRESS, spec.at("egress"), egress, about, found);
      if (known && pods.isPresent()) {
        rules = found;
      }
    }

    private static Optional<List<Field>> list(Field field) {
      return field.guarded("no rule of this direction allows anything.", field::items);
    }

    /** The directions that are named; {@code NONE} among them when one is not understood. */
    private static Set<Direction> types(Field field, Optional<List<Field>> egress) {
      Set<Direction> about = EnumSet.noneOf(Direction.class);
      boolean whole =
          field
              .guarded(
                  "its pods are isolated in both directions.",
                  () -> {
                    for (Field item : field.items()) {
                      if (!item.present()) {
                        item.invalid("the value is missing.", "Write Ingress or Egress.");
                      }
                      item.oneOf(TYPES).ifPresent(about::add);
                    }
                    return about;
                  })
              .isPresent();
      if (!whole) {
        about.add(Direction.NONE);
      } else if (about.isEmpty()) {
        about.add(Direction.INGRESS);
        if (egress.isEmpty() || !egress.get().isEmpty()) {
          about.add(Direction.EGRESS);
        }
      }
      return about;
    }

    private void rules(
        Direction direction,
        Field field,
        Optional<List<Field>> items,
        Set<Direction> about,
        List<Rule> found) {
      if (!about.contains(direction)) {
        if (items.filter(list -> !list.isEmpty()).isPresent()) {
          String type = direction == Direction.INGRESS ? "Ingress" : "Egress";
          field.problem(
              Reason.IGNORED_FIELD,
              "not used: policyTypes does not name " + type + ".",
              "Add " + type + " to policyTypes, or leave the rules out.");
        }
        return;
      }
      int index = 0;
      for (Field item : items.orElse(List.of())) {
        found.add(rule(direction, index++, item));
      }
    }

    private Rule rule(Direction direction, int index, Field rule) {
      String peers = direction == Direction.INGRESS ? "from" : "to";
      Optional<Field> known =
          rule.guarded(
              NO_RULE,
              () -> {
                PolicyFields.only(rule, peers, "ports");
                return rule;
              });
      List<Peer> allowed = new ArrayList<>();
      List<PeerPort> ports = new ArrayList<>();
      boolean whole = known.isPresent();
      if (rule.isMapping()) {
        Field peerList = rule.at(peers);
        Field portList = rule.at("ports");
        Optional<List<Field>> peerItems = peerList.guarded(NO_RULE, peerList::items);
        Optional<List<Field>> portItems = portList.guarded(NO_RULE, portList::items);
        whole &= peerItems.isPresent() && portItems.isPresent();
        for (Field item : peerItems.orElse(List.of())) {
          item.guarded(NO_PEER, () -> peer(item)).flatMap(one -> one).ifPresent(allowed::add);
        }
        for (Field item : portItems.orElse(List.of())) {
          item.guarded(NO_PORT, () -> port(item)).flatMap(one -> one).ifPresent(ports::add);
        }
        if (peerItems.filter(List::isEmpty).isPresent()) {
          allowed.add(new Anyone());
        }
        if (portItems.filter(List::isEmpty).isPresent()) {
          ports.add(new AllPorts());
        }
      }
      return new Rule(
          direction,
          index,
          "",
          Action.ACCEPT,
          whole ? allowed : List.of(),
          whole ? ports : List.of());
    }

    private Optional<Peer> peer(Field peer) {
      PolicyFields.only(peer, "podSelector", "namespaceSelector", "ipBlock");
      if (!peer.isMapping()) {
        return Optional.empty();
      }
      Field pods = peer.at("podSelector");
      Field namespaces = peer.at("namespaceSelector");
      Field block = peer.at("ipBlock");
      boolean selects = pods.present() || namespaces.present();
      if (block.present()) {
        if (selects) {
          block.invalid(
              "it stands beside a selector, and a peer is a range or pods.",
              "Write two peers, each after its own '- '.");
        }
        return block(block);
      }
      if (!selects) {
        if (peer.fields().filter(all -> all.fields().isEmpty()).isPresent()) {
          peer.invalid(
              "the peer names nobody.",
              "Write podSelector, namespaceSelector or ipBlock; for everyone leave out the list.");
        }
        return Optional.empty();
      }
      LabelSelector which = PolicyFields.selector(pods);
      return Optional.of(
          namespaces.present()
              ? Pods.of(PolicyFields.selector(namespaces), which)
              : Pods.in(namespace, which));
    }

    private static Optional<Peer> block(Field block) {
      PolicyFields.only(block, "cidr", "except");
      if (!block.isMapping()) {
        return Optional.empty();
      }
      Optional<Prefix> range = PolicyFields.range(block.at("cidr"));
      List<Prefix> except = new ArrayList<>();
      for (Field item : block.at("except").items()) {
        Optional<Prefix> part = PolicyFields.range(item);
        if (range.isPresent()
            && part.isPresent()
            && (!range.get().contains(part.get()) || range.get().equals(part.get()))) {
          item.invalid(
              "'" + part.get() + "' is not a part of cidr " + range.get() + ".",
              "Write a smaller range within it, or leave this one out.");
        }
        part.ifPresent(except::add);
      }
      boolean within = range.isPresent() && except.stream().allMatch(range.get()::contains);
      return within ? Optional.of(new Block(range.get(), except)) : Optional.empty();
    }

    private static Optional<PeerPort> port(Field port) {
      PolicyFields.only(port, "protocol", "port", "endPort");
      if (!port.isMapping()) {
        return Optional.empty();
      }
      Protocol protocol = port.at("protocol").oneOf(PROTOCOLS).orElse(Protocol.TCP);
      Field number = port.at("port");
      Field end = port.at("endPort");
      if (!number.present()) {
        if (end.present()) {
          end.invalid(
              "there is no port that the range begins with.", "Write port, or leave endPort out.");
        }
        return Optional.of(PortRange.all(protocol));
      }
      if (number.tree().orElseThrow() instanceof Tree.Scalar scalar
          && scalar.kind() == Tree.Kind.TEXT) {
        PolicyFields.portName(number, scalar.text());
        if (end.present()) {
          end.invalid(
              "port is the name '" + scalar.text() + "', and a range begins with a number.",
              "Write port as a number, or leave endPort out.");
        }
        return Optional.of(new NamedPort(Optional.of(protocol), scalar.text()));
      }
      Optional<Integer> first = number.number(1, 65535);
      Optional<Integer> last = end.present() ? end.number(1, 65535) : first;
      if (first.isEmpty() || last.isEmpty()) {
        return Optional.empty();
      }
      if (last.get() < first.get()) {
        end.invalid(
            last.get() + " is less than port " + first.get() + ".",
            "Write a number from " + first.get() + " to 65535.");
        return Optional.empty();
      }
      return Optional.of(new PortRange(protocol, first.get(), last.get()));
    }
  }
}

package dev.sund.engine.policy;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.LabelSelector.Operator;
import dev.sund.model.LabelSelector.Requirement;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** Events of small clusters in which much meets: few names, few labels, ranges within ranges. */
final class RandomPolicies {
  private static final List<String> NAMESPACES = List.of("a", "b", "c");
  private static final List<String> KEYS = List.of("app", "tier");
  private static final List<String> VALUES = List.of("x", "y", "z");
  private static final List<String> PORT_NAMES = List.of("http", "dns");
  private static final List<Protocol> PROTOCOLS =
      List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP);
  private static final List<Prefix> BLOCKS =
      List.of(
          Prefix.parse("0.0.0.0/0"),
          Prefix.parse("::/0"),
          Prefix.parse("10.0.0.0/8"),
          Prefix.parse("10.0.0.0/28"),
          Prefix.parse("10.0.0.8/29"),
          Prefix.parse("10.0.0.4/32"),
          Prefix.parse("192.168.0.0/16"),
          Prefix.parse("fd00::/64"),
          Prefix.parse("fd00::8/125"),
          Prefix.parse("fd00::4/128"));

  private final Random random;

  RandomPolicies(Random random) {
    this.random = random;
  }

  /** One thing that a compiler is told. */
  sealed interface Event {
    /** Tells it. */
    void tell(PolicyCompiler compiler, NaivePolicies naive);
  }

  record Put(Policy policy) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.put(policy);
      naive.policies.put(policy.ref(), policy);
    }
  }

  record Remove(ObjectRef policy) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.remove(policy);
      naive.policies.remove(policy);
    }
  }

  record PutNamespace(Namespace namespace) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.put(namespace);
      naive.namespaces.put(namespace.name(), namespace);
    }
  }

  record RemoveNamespace(String name) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.removeNamespace(name);
      naive.namespaces.remove(name);
    }
  }

  record PutNode(Node node) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.put(node);
      naive.nodes.put(node.name(), node);
    }
  }

  record RemoveNode(NodeName node) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.remove(node);
      naive.nodes.remove(node);
    }
  }

  record PutPod(PolicyPod pod) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.put(pod);
      naive.pods.put(pod.key(), pod);
    }
  }

  record RemovePod(PodKey pod) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.remove(pod);
      naive.pods.remove(pod);
    }
  }

  record Attach(PodKey pod, List<Ip> addresses) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.attach(pod, addresses);
      naive.attached.put(pod, addresses);
    }
  }

  record Detach(PodKey pod) implements Event {
    @Override
    public void tell(PolicyCompiler compiler, NaivePolicies naive) {
      compiler.detach(pod);
      naive.attached.remove(pod);
    }
  }

  /** Many events, the first of which make a cluster. */
  List<Event> events(int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(event());
    }
    return events;
  }

  Event event() {
    return switch (random.nextInt(20)) {
      case 0 -> new PutNamespace(namespace());
      case 1 -> oneIn(4) ? new RemoveNamespace(one(NAMESPACES)) : new PutNamespace(namespace());
      case 2 -> new PutNode(node());
      case 3 -> oneIn(4) ? new RemoveNode(nodeName()) : new PutNode(node());
      case 4, 5, 6, 7, 8 -> new PutPod(pod());
      case 9 -> new RemovePod(podKey());
      case 10, 11, 12 -> {
        PodKey key = podKey();
        yield new Attach(key, addresses(key));
      }
      case 13 -> new Detach(podKey());
      case 14, 15, 16, 17 -> new Put(policy());
      case 18 -> new Put(policy());
      default -> new Remove(policy().ref());
    };
  }

  /** Addresses and ports at which something may differ. */
  List<Ip> addresses() {
    List<Ip> all = new ArrayList<>();
    for (int i = 0; i < 18; i++) {
      all.add(Ip.parse("10.0.0.0").plus(i));
      all.add(Ip.parse("fd00::").plus(i));
    }
    all.add(Ip.parse("10.9.9.9"));
    all.add(Ip.parse("192.168.0.1"));
    all.add(Ip.parse("203.0.113.5"));
    all.add(Ip.parse("2001:db8::1"));
    return all;
  }

  private Namespace namespace() {
    String name = one(NAMESPACES);
    return new Namespace(name, "uid-" + name, 1, labels());
  }

  private NodeName nodeName() {
    return new NodeName("n" + random.nextInt(3));
  }

  private Node node() {
    NodeName name = nodeName();
    int number = 14 + random.nextInt(4);
    return new Node(
        name,
        "uid-" + name.text(),
        1,
        List.of(Ip.parse("10.0.0.0").plus(number), Ip.parse("fd00::").plus(number)),
        List.of(),
        labels());
  }

  private PodKey podKey() {
    return new PodKey(one(NAMESPACES), "p" + random.nextInt(5));
  }

  /** Mostly its own, at times another's. */
  private List<Ip> addresses(PodKey key) {
    int own = NAMESPACES.indexOf(key.namespace()) * 5 + key.name().charAt(1) - '0';
    int number = oneIn(8) ? random.nextInt(18) : own;
    List<Ip> found = new ArrayList<>();
    if (!oneIn(5)) {
      found.add(Ip.parse("10.0.0.0").plus(number));
    }
    if (!oneIn(5)) {
      found.add(Ip.parse("fd00::").plus(number));
    }
    return found;
  }

  private PolicyPod pod() {
    PodKey key = podKey();
    List<Port> ports = new ArrayList<>();
    for (String name : PORT_NAMES) {
      if (!oneIn(3)) {
        ports.add(new Port(80 + random.nextInt(4), one(PROTOCOLS), name));
      }
    }
    return new PolicyPod(
        key,
        "uid-" + key,
        random.nextInt(5),
        labels(),
        oneIn(15),
        oneIn(15),
        oneIn(10) ? List.of() : addresses(key),
        ports);
  }

  private Map<String, String> labels() {
    Map<String, String> labels = new HashMap<>();
    for (String key : KEYS) {
      if (!oneIn(3)) {
        labels.put(key, one(VALUES));
      }
    }
    return labels;
  }

  private LabelSelector selector() {
    List<Requirement> requirements = new ArrayList<>();
    int count = random.nextInt(3);
    for (int i = 0; i < count; i++) {
      Operator operator = one(List.of(Operator.values()));
      boolean compares = operator == Operator.IN || operator == Operator.NOT_IN;
      TreeSet<String> values = new TreeSet<>();
      if (compares) {
        values.add(one(VALUES));
        values.add(one(VALUES));
      }
      requirements.add(new Requirement(one(KEYS), operator, values));
    }
    return new LabelSelector(requirements);
  }

  private Policy policy() {
    return random.nextInt(3) < 2 ? networkPolicy() : clusterPolicy();
  }

  private Policy networkPolicy() {
    String namespace = one(NAMESPACES);
    ObjectRef ref = new ObjectRef(Policy.NETWORK_POLICY, namespace + "/np" + random.nextInt(4));
    Set<Direction> isolates = EnumSet.noneOf(Direction.class);
    if (!oneIn(3)) {
      isolates.add(Direction.INGRESS);
    }
    if (!oneIn(3)) {
      isolates.add(Direction.EGRESS);
    }
    return new Policy(
        ref,
        "uid-" + ref.name(),
        1,
        random.nextInt(1000),
        Policy.Tier.NAMESPACE,
        0,
        Policy.Pods.in(namespace, selector()),
        isolates,
        rules(namespace));
  }

  private Policy clusterPolicy() {
    ObjectRef ref = new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, "cnp" + random.nextInt(6));
    return new Policy(
        ref,
        "uid-" + ref.name(),
        1,
        random.nextInt(1000),
        random.nextBoolean() ? Policy.Tier.ADMIN : Policy.Tier.BASELINE,
        random.nextInt(3),
        Policy.Pods.of(selector(), selector()),
        Set.of(),
        rules(""));
  }

  private List<Policy.Rule> rules(String namespace) {
    List<Policy.Rule> rules = new ArrayList<>();
    for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
      int count = random.nextInt(4);
      for (int i = 0; i < count; i++) {
        rules.add(
            new Policy.Rule(
                direction,
                i,
                "",
                namespace.isEmpty() ? one(List.of(Policy.Action.values())) : Policy.Action.ACCEPT,
                peers(namespace, direction),
                ports()));
      }
    }
    return rules;
  }

  private List<Policy.Peer> peers(String namespace, Direction direction) {
    List<Policy.Peer> peers = new ArrayList<>();
    if (oneIn(5)) {
      return List.of(new Policy.Anyone());
    }
    int count = random.nextInt(3);
    for (int i = 0; i < count; i++) {
      peers.add(
          switch (random.nextInt(namespace.isEmpty() && direction == Direction.EGRESS ? 5 : 4)) {
            case 0 -> Policy.Pods.in(one(NAMESPACES), selector());
            case 1 -> Policy.Pods.of(selector(), selector());
            case 2, 3 -> block();
            default -> new Policy.Nodes(selector());
          });
    }
    return peers;
  }

  private Policy.Block block() {
    Prefix range = one(BLOCKS);
    List<Prefix> except = new ArrayList<>();
    for (Prefix one : BLOCKS) {
      if (range.contains(one) && oneIn(3) && !(one.equals(range) && !oneIn(5))) {
        except.add(one);
      }
    }
    return new Policy.Block(range, except);
  }

  private List<Policy.PeerPort> ports() {
    List<Policy.PeerPort> ports = new ArrayList<>();
    if (oneIn(3)) {
      return List.of(new Policy.AllPorts());
    }
    int count = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      ports.add(
          switch (random.nextInt(4)) {
            case 0, 1 ->
                new Policy.NamedPort(
                    oneIn(4) ? Optional.empty() : Optional.of(one(PROTOCOLS)), one(PORT_NAMES));
            case 2 -> {
              int first = 79 + random.nextInt(5);
              yield new Policy.PortRange(one(PROTOCOLS), first, first + random.nextInt(4));
            }
            default -> Policy.PortRange.all(one(PROTOCOLS));
          });
    }
    return ports;
  }

  private boolean oneIn(int count) {
    return random.nextInt(count) == 0;
  }

  private <T> T one(List<T> among) {
    return among.get(random.nextInt(among.size()));
  }
}

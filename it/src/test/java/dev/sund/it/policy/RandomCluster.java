package dev.sund.it.policy;

import dev.sund.it.policy.oracle.End;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Clusters of a few pods with policies that meet each other: few labels, few ports, ranges around
 * addresses that are there. A part of them is spoilt as texts are, by a field too many, a value of
 * another type, something missing.
 */
final class RandomCluster {
  private static final List<String> NAMESPACES = List.of("a", "b", "c");
  private static final List<String> OUTSIDE =
      List.of("198.51.100.7", "10.0.1.200", "2001:db8::7", "fd00:0:0:1::c8");
  static final List<Integer> PORTS = List.of(1, 53, 79, 80, 81, 8080, 8081, 9000, 65535);
  private static final List<String> NAMES = List.of("web", "dns", "db");
  private static final List<String> PROTOCOLS = List.of("TCP", "TCP", "UDP", "SCTP");

  /** The host outside of a bed, and addresses that nobody has. */
  private static final List<String> AROUND_A_BED =
      List.of("203.0.113.10", "fd00:ff::a", "10.0.1.200", "fd00:0:0:1::c8");

  /** The pods of a bed, which keep their places and addresses. */
  private static final int PLACED = 6;

  private final Random random;
  private final boolean placed;
  private final List<Map<String, @Nullable Object>> objects = new ArrayList<>();
  private final List<End> ends = new ArrayList<>();
  private final List<String> addresses;

  private RandomCluster(long seed, boolean placed) {
    this.random = new Random(seed);
    this.placed = placed;
    this.addresses = new ArrayList<>(placed ? AROUND_A_BED : OUTSIDE);
  }

  /** The cluster of this seed. */
  static ClusterText of(long seed) {
    RandomCluster cluster = new RandomCluster(seed, false);
    cluster.make();
    return new ClusterText(cluster.objects, cluster.ends);
  }

  /** One for real packets: of the pods that run, only what they are called by differs. */
  static ClusterText placed(long seed) {
    RandomCluster cluster = new RandomCluster(seed, true);
    cluster.make();
    return new ClusterText(cluster.objects, cluster.ends);
  }

  /** The nodes and the pods that all {@link #placed} clusters have, as a text. */
  static String machines() {
    RandomCluster cluster = new RandomCluster(0, true);
    for (int i = 1; i <= 2; i++) {
      cluster.node(i);
    }
    for (int i = 0; i < PLACED; i++) {
      cluster.pod(i);
    }
    return new ClusterText(cluster.objects, cluster.ends).text();
  }

  private void make() {
    for (String name : NAMESPACES) {
      object("v1", "Namespace", meta(name, labels("team", "env")));
    }
    for (int i = 1; i <= 2; i++) {
      node(i);
    }
    int pods = (placed ? PLACED : 5) + random.nextInt(4);
    for (int i = 0; i < pods; i++) {
      pod(i);
    }
    (placed ? AROUND_A_BED.subList(0, 2) : OUTSIDE)
        .forEach(address -> ends.add(End.outside(address)));
    for (int i = 1 + random.nextInt(5); i > 0; i--) {
      namespacePolicy(i);
    }
    for (int i = chance(30) ? 0 : 1 + random.nextInt(4); i > 0; i--) {
      clusterPolicy(i);
    }
    for (int i = chance(70) ? 0 : 1 + random.nextInt(2); i > 0; i--) {
      spoil();
    }
  }

  // What there is.

  private void node(int i) {
    String v4 = "192.168.0." + i;
    String v6 = "fd01::" + i;
    List<Object> own = new ArrayList<>();
    for (String address : List.of(v4, v6)) {
      own.add(map("type", "InternalIP", "address", address));
      ends.add(End.node("n" + i, address));
      addresses.add(address);
    }
    if (!placed) {
      String external = "198.51.100." + i;
      own.add(map("type", "ExternalIP", "address", external));
      ends.add(End.outside(external));
      addresses.add(external);
    }
    own.add(map("type", "Hostname", "address", "n" + i));
    Map<String, @Nullable Object> meta = meta("n" + i, labels("role", "env"));
    if (!placed) {
      // By what its tunnels have: the first of its ranges, and what was taken from pools.
      String pool = "10.64.0." + i;
      String pool6 = "fd02::" + i;
      meta.put("annotations", map("sund.dev/tunnel-addresses", pool + "," + pool6));
      for (String address : List.of("10.0." + i + ".0", "fd00:0:0:" + i + "::", pool, pool6)) {
        ends.add(End.outside(address));
        addresses.add(address);
      }
    }
    Map<String, @Nullable Object> node = object("v1", "Node", meta);
    node.put("spec", map("podCIDRs", List.of("10.0." + i + ".0/24", "fd00:0:0:" + i + "::/64")));
    node.put("status", map("addresses", own));
  }

  private void pod(int i) {
    boolean runs = placed && i < PLACED;
    int node = runs ? 1 + i % 2 : 1 + random.nextInt(2);
    String namespace = runs ? NAMESPACES.get(i % 3) : pick(NAMESPACES);
    boolean hostNetwork = !runs && (chance(8) || placed && chance(50));
    boolean finished = !runs && (chance(8) || placed && !hostNetwork);
    String v4 = hostNetwork ? "192.168.0." + node : "10.0." + node + "." + (10 + i);
    String v6 = hostNetwork ? "fd01::" + node : "fd00:0:0:" + node + "::" + (10 + i);
    if (finished && !ends.isEmpty() && chance(60)) { // its address is another pod's by now
      End heir = pick(ends);
      if (!heir.pod().isEmpty() && heir.address().getAddress().length == 4) {
        v4 = heir.address().getHostAddress();
      }
    }
    List<String> ips = runs || chance(80) ? List.of(v4, v6) : List.of(chance(50) ? v4 : v6);
    Map<String, @Nullable Object> meta = meta("p" + i, labels("app", "tier"));
    meta.put("namespace", namespace);
    if (runs) {
      meta.put("uid", "u" + i);
    }
    Map<String, @Nullable Object> pod = object("v1", "Pod", meta);
    Map<String, @Nullable Object> spec =
        map("nodeName", "n" + node, "containers", List.of(container("main"), container("side")));
    if (hostNetwork) {
      spec.put("hostNetwork", true);
    }
    if (chance(20)) {
      Map<String, @Nullable Object> init = container("init");
      if (chance(50)) {
        init.put("restartPolicy", "Always");
      }
      spec.put("initContainers", List.of(init));
    }
    pod.put("spec", spec);
    List<Object> said = new ArrayList<>();
    ips.forEach(ip -> said.add(map("ip", ip)));
    pod.put(
        "status",
        map("phase", finished ? "Succeeded" : "Running", "podIP", ips.getFirst(), "podIPs", said));
    if (!hostNetwork && !finished) {
      for (String ip : ips) {
        ends.add(End.pod(namespace + "/p" + i, ip));
        addresses.add(ip);
      }
    }
  }

  private Map<String, @Nullable Object> container(String name) {
    List<Object> ports = new ArrayList<>();
    List<String> free = new ArrayList<>(NAMES);
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      String called = free.remove(random.nextInt(free.size()));
      Map<String, @Nullable Object> port = map("containerPort", pick(PORTS));
      // a name of two containers says one port, since Kubernetes leaves open which it would be
      port.put("name", name.equals("main") ? called : called + "-" + name.charAt(0));
      if (chance(50)) {
        port.put("protocol", pick(PROTOCOLS));
      }
      ports.add(port);
    }
    return map("name", name, "ports", ports);
  }

  private Map<String, @Nullable Object> labels(String... keys) {
    Map<String, @Nullable Object> labels = new LinkedHashMap<>();
    for (String key : keys) {
      if (chance(75)) {
        labels.put(key, pick(List.of("x", "y", "z", "")));
      }
    }
    return labels;
  }

  private static Map<String, @Nullable Object> meta(
      String name, Map<String, @Nullable Object> labels) {
    return map("name", name, "labels", labels);
  }

  // Policies.

  private void namespacePolicy(int i) {
    Map<String, @Nullable Object> spec = map("podSelector", selector("app", "tier"));
    if (chance(5)) {
      spec.remove("podSelector");
    }
    switch (random.nextInt(6)) {
      case 0 -> spec.put("policyTypes", List.of("Ingress"));
      case 1 -> spec.put("policyTypes", List.of("Egress"));
      case 2, 3 -> spec.put("policyTypes", new ArrayList<>(List.of("Ingress", "Egress")));
      case 4 -> spec.put("policyTypes", new ArrayList<>());
      default -> {
        // what the rules say
      }
    }
    rules(spec, "ingress", "from");
    rules(spec, "egress", "to");
    Map<String, @Nullable Object> meta = meta("np" + i, Map.of());
    meta.put("namespace", pick(NAMESPACES));
    object("networking.k8s.io/v1", "NetworkPolicy", meta).put("spec", spec);
  }

  private void rules(Map<String, @Nullable Object> spec, String direction, String whom) {
    if (chance(25)) {
      return;
    }
    List<Object> rules = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      Map<String, @Nullable Object> rule = new LinkedHashMap<>();
      if (chance(85)) {
        rule.put(whom, some(3, this::peer));
      }
      if (chance(60)) {
        rule.put("ports", some(3, this::port));
      }
      rules.add(rule);
    }
    spec.put(direction, rules);
  }

  private List<Object> some(int most, java.util.function.Supplier<Object> one) {
    List<Object> list = new ArrayList<>();
    for (int i = chance(5) ? 0 : 1 + random.nextInt(most); i > 0; i--) {
      list.add(one.get());
    }
    return list;
  }

  private Object peer() {
    return switch (random.nextInt(5)) {
      case 0 -> map("podSelector", selector("app", "tier"));
      case 1 -> map("namespaceSelector", selector("team", "env"));
      case 2 ->
          map(
              "namespaceSelector",
              selector("team", "kubernetes.io/metadata.name"),
              "podSelector",
              selector("app", "tier"));
      default -> {
        String around = pick(addresses);
        int length = length(around, 0);
        Map<String, @Nullable Object> block = map("cidr", range(around, length));
        if (chance(60)) {
          List<Object> except = new ArrayList<>();
          for (int i = 1 + random.nextInt(2); i > 0; i--) {
            String part = chance(50) ? around : pick(addresses);
            except.add(range(part, length(part, chance(90) ? length + 1 : 0)));
          }
          block.put("except", except);
        }
        yield map("ipBlock", block);
      }
    };
  }

  private int length(String address, int least) {
    int bits = InetAddress.ofLiteral(address).getAddress().length * 8;
    int[] lengths =
        bits == 32
            ? new int[] {0, 8, 16, 22, 24, 28, 30, 31, 32}
            : new int[] {0, 7, 16, 32, 62, 64, 112, 124, 126, 127, 128};
    int[] longer = Arrays.stream(lengths).filter(length -> length >= least).toArray();
    return longer.length == 0 ? bits : longer[random.nextInt(longer.length)];
  }

  /** The range around an address; now and then with the bits behind its length. */
  private String range(String around, int length) {
    byte[] address = InetAddress.ofLiteral(around).getAddress();
    if (!chance(5)) {
      for (int bit = length; bit < address.length * 8; bit++) {
        address[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
      }
    }
    try {
      return InetAddress.getByAddress(address).getHostAddress() + "/" + length;
    } catch (java.net.UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  private Object port() {
    Map<String, @Nullable Object> port = new LinkedHashMap<>();
    if (chance(65)) {
      port.put("protocol", pick(PROTOCOLS));
    }
    switch (random.nextInt(7)) {
      case 0, 1 -> port.put("port", name());
      case 2, 3 -> {
        int first = pick(PORTS);
        port.put("port", first);
        port.put("endPort", chance(90) ? Math.max(first, pick(PORTS)) : pick(PORTS));
      }
      case 4 -> {
        // all of the protocol
      }
      default -> port.put("port", pick(PORTS));
    }
    return port;
  }

  private String name() {
    return pick(NAMES) + pick(List.of("", "", "-s", "-i"));
  }

  private Map<String, @Nullable Object> selector(String... keys) {
    Map<String, @Nullable Object> selector = new LinkedHashMap<>();
    if (chance(45)) {
      Map<String, @Nullable Object> labels = new LinkedHashMap<>();
      for (int i = 1 + random.nextInt(5) / 4; i > 0; i--) {
        String key = pick(List.of(keys));
        labels.put(key, value(key));
      }
      selector.put("matchLabels", labels);
    }
    if (chance(45)) {
      selector.put("matchExpressions", some(2, () -> expression(keys)));
    }
    return selector;
  }

  private Object expression(String... keys) {
    String key = pick(List.of(keys));
    String operator = pick(List.of("In", "NotIn", "Exists", "DoesNotExist"));
    Map<String, @Nullable Object> expression = map("key", key, "operator", operator);
    boolean compares = operator.endsWith("In");
    if (compares != chance(2)) {
      List<Object> values = new ArrayList<>(List.of(value(key)));
      if (chance(60)) {
        values.add(value(key));
      }
      expression.put("values", values);
    }
    return expression;
  }

  private String value(String key) {
    return key.contains("/") ? pick(NAMESPACES) : pick(List.of("x", "y", "z", ""));
  }

  private void clusterPolicy(int i) {
    Map<String, @Nullable Object> spec =
        map(
            "tier",
            pick(List.of("Admin", "Baseline")),
            "priority",
            pick(List.of(0, 5, 5, 10, 1000)),
            "subject",
            pods());
    clusterRules(spec, "ingress", "from");
    clusterRules(spec, "egress", "to");
    // names in another order than priorities
    object(
            "policy.networking.k8s.io/v1alpha2",
            "ClusterNetworkPolicy",
            meta(pick(List.of("k", "m", "z")) + i, Map.of()))
        .put("spec", spec);
  }

  private void clusterRules(Map<String, @Nullable Object> spec, String direction, String whom) {
    List<Object> rules = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      Map<String, @Nullable Object> rule =
          map("action", pick(List.of("Accept", "Deny", "Pass")), whom, some(2, () -> other(whom)));
      if (chance(50)) {
        rule.put("protocols", some(2, this::protocol));
      }
      rules.add(rule);
    }
    if (!rules.isEmpty() || chance(50)) {
      spec.put(direction, rules);
    }
  }

  private Map<String, @Nullable Object> pods() {
    if (chance(50)) {
      return map("namespaces", selector("team", "env"));
    }
    Map<String, @Nullable Object> pods = map("podSelector", selector("app", "tier"));
    if (chance(80)) {
      pods.put("namespaceSelector", selector("team", "kubernetes.io/metadata.name"));
    }
    return map("pods", pods);
  }

  private Object other(String whom) {
    if (whom.equals("from") || chance(45)) {
      return pods();
    }
    return switch (random.nextInt(10)) {
      case 0 -> map("domainNames", List.of("*.example.com"));
      case 1, 2, 3 -> map("nodes", selector("role", "env"));
      default ->
          map(
              "networks",
              some(
                  2,
                  () -> {
                    String around = pick(addresses);
                    return range(around, length(around, 0));
                  }));
    };
  }

  private Object protocol() {
    if (chance(30)) {
      return map("destinationNamedPort", name());
    }
    int first = pick(PORTS);
    int last = pick(PORTS);
    Object port =
        first < last && chance(50)
            ? map("range", map("start", first, "end", last))
            : map("number", first);
    return map(pick(List.of("tcp", "udp", "sctp")), map("destinationPort", port));
  }

  // What goes wrong in texts.

  private void spoil() {
    List<Map<String, @Nullable Object>> policies =
        objects.stream()
            .filter(object -> String.valueOf(object.get("kind")).endsWith("NetworkPolicy"))
            .toList();
    if (policies.isEmpty()) {
      return;
    }
    List<Runnable> places = new ArrayList<>();
    Map<String, @Nullable Object> policy = pick(policies);
    if (policy.get("spec") != null) {
      places.add(() -> policy.put("spec", chance(50) ? null : odd()));
      places(policy.get("spec"), places);
      pick(places).run();
    }
  }

  @SuppressWarnings("unchecked") // trees of this class's own making
  private void places(@Nullable Object tree, List<Runnable> places) {
    if (tree instanceof LinkedHashMap<?, ?> any) {
      Map<String, @Nullable Object> map = (Map<String, @Nullable Object>) any;
      places.add(() -> map.put("extra", odd()));
      for (String key : List.copyOf(map.keySet())) {
        places.add(() -> map.remove(key));
        places.add(() -> map.put(key, odd()));
      }
      map.values().forEach(value -> places(value, places));
    } else if (tree instanceof ArrayList<?> any) {
      List<@Nullable Object> list = (List<@Nullable Object>) any;
      places.add(() -> list.add(odd()));
      for (int i = 0; i < list.size(); i++) {
        int at = i;
        places.add(() -> list.set(at, odd()));
        places(list.get(i), places);
      }
    }
  }

  private @Nullable Object odd() {
    return switch (random.nextInt(10)) {
      case 0 -> null;
      case 1 -> "text";
      case 2 -> "-no-label-";
      case 3 -> 7;
      case 4 -> 70_000;
      case 5 -> true;
      case 6 -> new ArrayList<>();
      case 7 -> new LinkedHashMap<>();
      case 8 -> "80";
      default -> map("x", "y");
    };
  }

  // Small things.

  private Map<String, @Nullable Object> object(
      String version, String kind, Map<String, @Nullable Object> metadata) {
    Map<String, @Nullable Object> object =
        map("apiVersion", version, "kind", kind, "metadata", metadata);
    objects.add(object);
    return object;
  }

  private static Map<String, @Nullable Object> map(Object... keysAndValues) {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }

  private <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }
}

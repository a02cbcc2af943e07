package dev.sund.engine;

import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.LabelExpression;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Random events of a small world, in which conflicts are likely. */
final class RandomCluster {
  static final NodeName SELF = new NodeName("n1");
  private static final int NODES = 5;
  private static final int PODS = 6;
  private final Random random;
  private final RandomServices services;
  private final RandomClusterPolicies policies;

  RandomCluster(Random random) {
    this.random = random;
    this.services = new RandomServices(random);
    this.policies = new RandomClusterPolicies(random);
  }

  /** A history that ends in some state. */
  record History(List<ClusterEvent> events, long shuffle) {
    /** The history without some of its events. */
    List<History> smaller() {
      List<History> smaller = new ArrayList<>();
      for (int size = events.size() / 2; size > 0; size /= 2) {
        for (int from = 0; from + size <= events.size(); from += size) {
          List<ClusterEvent> rest = new ArrayList<>(events.subList(0, from));
          rest.addAll(events.subList(from + size, events.size()));
          smaller.add(new History(rest, shuffle));
        }
      }
      return smaller;
    }

    @Override
    public String toString() {
      return events.stream().map(Object::toString).collect(Collectors.joining("\n"));
    }
  }

  static History history(Random random) {
    RandomCluster cluster = new RandomCluster(random);
    List<ClusterEvent> events = new ArrayList<>();
    if (random.nextBoolean()) {
      events.add(new ClusterEvent.Synced());
    }
    IntStream.range(0, 5 + random.nextInt(60)).forEach(_ -> events.add(cluster.event()));
    return new History(events, random.nextLong());
  }

  ClusterEvent event() {
    return switch (random.nextInt(32)) {
      case 0, 1, 2, 3 -> new ClusterEvent.NodeSeen(node());
      case 4 -> new ClusterEvent.NodeGone(nodeName());
      case 5, 6, 7 -> new ClusterEvent.PodSeen(pod());
      case 8 -> new ClusterEvent.PodGone(podKey());
      case 9 -> new ClusterEvent.PoolSeen(pool());
      case 10 -> new ClusterEvent.PoolGone("pool" + random.nextInt(3));
      case 11, 12 -> new ClusterEvent.Attached(attachment());
      case 13 -> new ClusterEvent.Detached(attachment().key());
      case 14 -> new ClusterEvent.LayerSeen(layer());
      case 15 -> new ClusterEvent.LayerGone(layer().source());
      case 16 ->
          random.nextBoolean()
              ? new ClusterEvent.Synced()
              : refused(new ObjectRef("Node", nodeName().text()));
      case 17 -> new ClusterEvent.TunnelsAddressed(addresses());
      case 18 -> new ClusterEvent.BlockSeen(block());
      case 19 -> new ClusterEvent.BlockGone(block().name());
      case 20 -> new ClusterEvent.FactsSeen(facts());
      case 21, 22, 23, 24 -> policies.event();
      default -> services.event();
    };
  }

  private static ClusterEvent refused(ObjectRef object) {
    return new ClusterEvent.Refused(
        object,
        List.of(new Condition(Reason.INVALID_FIELD, object, "spec", "It is wrong.", "Mend it.")));
  }

  private Node node() {
    NodeName name = nodeName();
    List<Ip> addresses = new ArrayList<>();
    if (random.nextInt(8) > 0) {
      addresses.add(
          Ip.parse(pick("192.168.1.", "192.168.1.", "172.16.0.") + (10 + random.nextInt(6))));
    }
    if (random.nextInt(3) > 0) {
      addresses.add(Ip.parse(pick("2001:db8:1::", "2001:db8:2::") + (10 + random.nextInt(6))));
    }
    List<Prefix> cidrs = new ArrayList<>();
    if (random.nextInt(8) > 0) {
      cidrs.add(
          random.nextInt(10) == 0
              ? Prefix.parse(
                  pick("10.244.0.0/16", "10.244.0.0/22", "10.244.1.5/32", "192.168.1.8/29"))
              : Prefix.parse("10.244." + random.nextInt(6) + ".0/24"));
    }
    if (random.nextInt(3) > 0) {
      cidrs.add(Prefix.parse("fd00:" + random.nextInt(5) + "::/64"));
    }
    return Node.told(
        name,
        "uid-" + name + random.nextInt(2),
        random.nextInt(3),
        addresses,
        notice(),
        cidrs,
        random.nextInt(3) == 0 ? Map.of(ServiceScope.ZONE, services.zone()) : Map.of());
  }

  private Pod pod() {
    PodKey key = podKey();
    return new Pod(
            key,
            uid(key),
            random.nextInt(3),
            random.nextInt(6) == 0 ? Optional.empty() : Optional.of(nodeName()),
            random.nextInt(8) == 0,
            random.nextInt(8) == 0,
            addresses(),
            random.nextBoolean()
                ? List.of()
                : List.of(new Port(80 + random.nextInt(2), Protocol.TCP, "http")),
            mappings())
        .with(policies.labels());
  }

  private String uid(PodKey key) {
    return "uid-" + key.name() + random.nextInt(2);
  }

  private List<Ip> addresses() {
    List<Ip> ips = new ArrayList<>();
    if (random.nextInt(6) > 0) {
      ips.add(
          Ip.parse(
              "10.244."
                  + random.nextInt(6)
                  + "."
                  + (random.nextInt(8) == 0 ? 0 : 4 + random.nextInt(3))));
    }
    if (random.nextInt(2) > 0) {
      ips.add(
          Ip.parse(
              "fd00:"
                  + random.nextInt(6)
                  + "::"
                  + (random.nextInt(8) == 0 ? 0 : 4 + random.nextInt(3))));
    }
    if (random.nextInt(12) == 0) {
      ips = List.of(Ip.parse("192.168.1." + (10 + random.nextInt(6))));
    }
    return ips;
  }

  private Attachment attachment() {
    PodKey key = podKey();
    Set<Ip> ips = new LinkedHashSet<>(addresses());
    if (ips.isEmpty()) {
      ips.add(Ip.parse("10.244.1.7"));
    }
    return new Attachment(
            "c" + random.nextInt(4),
            "eth" + random.nextInt(2),
            "/run/netns/x",
            key,
            random.nextInt(5) == 0 ? "" : uid(key),
            List.copyOf(ips))
        .withPortMappings(mappings());
  }

  private List<PortMapping> mappings() {
    return IntStream.range(0, Math.max(0, random.nextInt(4) - 1))
        .mapToObj(_ ->
            new PortMapping(
                random.nextInt(3) > 0
                    ? Optional.empty()
                    : Optional.of(
                        Ip.parse(
                            pick("192.168.1.11", "127.0.0.1", "0.0.0.0", "::", "2001:db8:1::11"))),
                80 + random.nextInt(2),
                8080 + random.nextInt(2),
                random.nextInt(3) == 0 ? Protocol.UDP : Protocol.TCP))
        .toList();
  }

  private FabricLayer layer() {
    FabricLayer.Rank rank = FabricLayer.Rank.values()[random.nextInt(4)];
    ObjectRef source = new ObjectRef(rank.name(), "l" + random.nextInt(2));
    List<FabricLayer.MtuLimit> mtus = new ArrayList<>();
    for (FabricLayer.Scope scope : FabricLayer.Scope.values()) {
      if (random.nextInt(3) == 0) {
        mtus.add(new FabricLayer.MtuLimit(source, "mtu", 1200 + 50 * random.nextInt(8), scope));
      }
    }
    return new FabricLayer(
        source,
        rank,
        random.nextBoolean() ? OptionalInt.of(1 + random.nextInt(3)) : OptionalInt.empty(),
        random.nextBoolean() ? OptionalInt.of(8472) : OptionalInt.empty(),
        mtus,
        random.nextBoolean() ? List.of(pool()) : List.of(),
        List.of(),
        random.nextInt(3) == 0 ? Map.of(Family.V4, method()) : Map.of(),
        List.of());
  }

  private AddressMethod method() {
    return switch (random.nextInt(5)) {
      case 0 -> new AddressMethod.InternalIp();
      case 1 -> new AddressMethod.AsAnnotated();
      case 2 -> new AddressMethod.FirstFound();
      case 3 -> new AddressMethod.OnInterface(List.of(pick("eth0", "eth9")));
      default -> new AddressMethod.CanReach(Ip.parse(pick("192.168.1.1", "10.9.9.9")));
    };
  }

  private AddressNotice notice() {
    return random.nextInt(4) > 0
        ? AddressNotice.NONE
        : new AddressNotice(
            new TreeMap<>(
                Map.of(
                    Family.V4,
                    random.nextInt(3) == 0
                        ? Optional.empty()
                        : Optional.of(Ip.parse("192.168.1." + (10 + random.nextInt(6)))))));
  }

  private IpPool pool() {
    String name = "pool" + random.nextInt(3);
    Prefix range =
        Prefix.parse(
            pick("10.244.0.0/16", "10.244.0.0/17", "10.244.2.0/23", "10.0.0.0/8", "fd00::/16"));
    boolean ipip = range.family() == Family.V4 && random.nextInt(3) == 0;
    return new IpPool(
        name,
        "uid-" + name,
        random.nextInt(3),
        range,
        ipip ? VxlanMode.NEVER : VxlanMode.values()[random.nextInt(3)],
        ipip ? IpPool.IpipMode.values()[random.nextInt(3)] : IpPool.IpipMode.NEVER,
        random.nextBoolean(),
        random.nextBoolean(),
        Math.max(IpPool.usualBlock(range.family()), range.length()),
        LabelExpression.ALL,
        LabelExpression.ALL,
        IpPool.USUAL,
        true);
  }

  /** Small blocks among pods' addresses, some of which overlap. */
  private AddressBlock block() {
    Prefix cidr =
        Prefix.parse(
            pick(
                "10.244.1.0/30",
                "10.244.1.4/30",
                "10.244.0.0/24",
                "10.244.1.5/32",
                "fd00:1::/126"));
    NavigableMap<NodeName, List<Ip>> borrowed = new TreeMap<>();
    int size = Math.min(4, 1 << (cidr.family().bits() - cidr.length()));
    for (int i = 0; i < size; i++) {
      if (random.nextInt(4) == 0) {
        borrowed.computeIfAbsent(nodeName(), _ -> new ArrayList<>()).add(cidr.address().plus(i));
      }
    }
    return new AddressBlock(
        cidr.toString().replace(':', '-'),
        "uid",
        "pool1",
        cidr,
        random.nextInt(4) == 0 ? Optional.empty() : Optional.of(nodeName()),
        borrowed);
  }

  private NodeFacts facts() {
    List<InterfaceAddress> addresses = new ArrayList<>();
    addresses.add(
        InterfaceAddress.parse(
            "192.168.1." + (10 + random.nextInt(6)) + pick("/24", "/29", "/32")));
    if (random.nextBoolean()) {
      addresses.add(InterfaceAddress.parse("2001:db8:1::" + (10 + random.nextInt(6)) + "/64"));
    }
    int mtu = List.of(1500, 1500, 9000, 1300, 600).get(random.nextInt(5));
    return new NodeFacts(
        List.of(new NodeFacts.Device("eth0", mtu, true, addresses)),
        List.of(
            new NodeFacts.HostRoute(
                Prefix.all(Family.V4),
                "eth0",
                Optional.of(Ip.parse("192.168.1.1")),
                Optional.empty(),
                0)));
  }

  private NodeName nodeName() {
    return new NodeName("n" + (1 + random.nextInt(NODES)));
  }

  private PodKey podKey() {
    return new PodKey("shop", "p" + random.nextInt(PODS));
  }

  private String pick(String... from) {
    return from[random.nextInt(from.length)];
  }
}

package dev.sund.dataplane.testing;

import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Programs for a node with eth0 (192.168.77.1/24, 2001:db8:77::1/64), made at random, and what
 * leads from one to another.
 */
public final class Programs {
  private static final Ip NODE_V4 = Ip.parse("192.168.77.1");
  private static final Ip NODE_V6 = Ip.parse("2001:db8:77::1");

  private Programs() {}

  /** A program with up to {@code most} rows in each table. */
  public static PacketProgram random(Random random, int most) {
    TreeMap<String, LocalPod> pods = new TreeMap<>();
    TreeMap<Prefix, Route> routes = new TreeMap<>();
    TreeMap<String, Tunnel> tunnels = new TreeMap<>();
    TreeMap<TunnelPeer.Key, TunnelPeer> peers = new TreeMap<>();
    TreeMap<Masquerade.Key, Masquerade> masquerade = new TreeMap<>();
    for (int i = 0; i < random.nextInt(most + 1); i++) {
      LocalPod pod = pod(random, 1 + random.nextInt(3 * most));
      if (pods.putIfAbsent(pod.device(), pod) != null) {
        continue;
      }
      for (Ip ip : pod.addresses()) {
        put(
            routes,
            new Route(
                Prefix.host(ip),
                new Route.ToPod(pod.device()),
                random.nextBoolean() ? Optional.empty() : Optional.of(node(ip.family())),
                0,
                pod.rule()));
      }
    }
    for (Family family : Family.values()) {
      if (random.nextInt(4) > 0) {
        put(
            routes,
            new Route(
                Prefix.parse(family == Family.V4 ? "10.244.1.0/24" : "fd00:244:1::/64"),
                new Route.Unreachable(),
                Optional.empty(),
                0,
                RuleId.of("Node", "n1", "u1")));
      }
      if (random.nextBoolean()) {
        Tunnel tunnel = tunnel(random, family);
        tunnels.put(tunnel.device(), tunnel);
        for (int i = 0; i < random.nextInt(most + 1); i++) {
          peer(random, tunnel, 2 + random.nextInt(200), peers, routes);
        }
      }
      for (int i = 0; i < random.nextInt(most + 1); i++) {
        int n = 2 + random.nextInt(200);
        put(
            routes,
            new Route(
                podCidr(family, n),
                new Route.Direct(node(family).plus(n), "eth0"),
                random.nextBoolean() ? Optional.empty() : Optional.of(node(family)),
                random.nextBoolean() ? 0 : 1300 + random.nextInt(100),
                RuleId.of("Node", "n" + n, "u" + n)));
      }
    }
    return new PacketProgram(
        new NodeName("n1"),
        List.of(NODE_V4, NODE_V6),
        NodeFacts.NONE,
        pods,
        routes,
        tunnels,
        peers,
        masquerade,
        new TreeMap<>(),
        new TreeMap<>());
  }

  /** The pod of this number, with an address of one family or of both. */
  public static LocalPod pod(Random random, int number) {
    int families = random.nextInt(3);
    List<Ip> addresses = new ArrayList<>();
    int mtuV4 = 0;
    int mtuV6 = 0;
    if (families != 1) {
      addresses.add(Ip.parse("10.244.1." + number));
      mtuV4 = (families == 0 ? 600 : 1300) + random.nextInt(201);
    }
    if (families != 0) {
      addresses.add(Ip.parse("fd00:244:1::" + number));
      mtuV6 = 1300 + random.nextInt(201);
    }
    String uid = "uid-" + number;
    PodKey key = new PodKey("default", "p" + number);
    return new LocalPod(
        PodDevices.device(uid, "eth0"),
        key,
        uid,
        addresses,
        PodDevices.mac(uid, "eth0"),
        mtuV4,
        mtuV6,
        RuleId.of("Pod", key.toString(), uid));
  }

  private static Tunnel tunnel(Random random, Family family) {
    return new Tunnel(
        family == Family.V4 ? Marks.VXLAN_V4 : Marks.VXLAN_V6,
        new Tunnel.Wire.Vxlan(
            4096 + random.nextInt(2),
            4789 + (family == Family.V4 ? 0 : 1) + 2 * random.nextInt(2),
            Mac.derivedFrom("vxlan " + random.nextInt(3))),
        node(family),
        "eth0",
        random.nextInt(4) == 0 ? Optional.empty() : Optional.of(podCidr(family, 1).address()),
        (family == Family.V4 && random.nextBoolean() ? 900 : 1380)
            + random.nextInt(50), // the kernel gives no more than the underlay leaves
        RuleId.of("Node", "n1", "u1"));
  }

  private static void peer(
      Random random,
      Tunnel tunnel,
      int number,
      Map<TunnelPeer.Key, TunnelPeer> peers,
      Map<Prefix, Route> routes) {
    Family family = tunnel.local().family();
    Mac mac = Mac.derivedFrom("peer " + number + " " + random.nextInt(2) + family);
    Ip underlay = node(family).plus(number);
    TunnelPeer peer =
        new TunnelPeer(
            tunnel.device(),
            family == Family.V4 ? underlay : mac.linkLocal(),
            mac,
            underlay,
            RuleId.of("Node", "n" + number, "u" + number));
    boolean taken = peers.values().stream().anyMatch(other -> other.mac().equals(mac));
    if (!taken) {
      peers.put(peer.key(), peer);
      put(
          routes,
          new Route(
              podCidr(family, number),
              new Route.ByTunnel(peer.nextHop(), tunnel.device()),
              tunnel.address(),
              tunnel.mtu(),
              peer.rule()));
    }
  }

  private static void put(Map<Prefix, Route> routes, Route route) {
    routes.putIfAbsent(route.destination(), route);
  }

  private static Ip node(Family family) {
    return family == Family.V4 ? NODE_V4 : NODE_V6;
  }

  private static Prefix podCidr(Family family, int node) {
    return Prefix.parse(
        family == Family.V4
            ? "10.244." + node + ".0/24"
            : "fd00:244:" + Integer.toHexString(node) + "::/64");
  }

  /** What leads from one program to the other. */
  public static ProgramDelta between(PacketProgram before, PacketProgram after) {
    return new ProgramDelta(
        changes(before.localPods(), after.localPods()),
        changes(before.routes(), after.routes()),
        changes(before.tunnels(), after.tunnels()),
        changes(before.tunnelPeers(), after.tunnelPeers()),
        changes(before.masquerade(), after.masquerade()),
        changes(before.frontends(), after.frontends()),
        changes(before.endpoints(), after.endpoints()));
  }

  private static <K, V> List<Change<K, V>> changes(SortedMap<K, V> before, SortedMap<K, V> after) {
    List<Change<K, V>> changes = new ArrayList<>();
    after.forEach((key, value) -> {
      V was = before.get(key);
      if (!value.equals(was)) {
        changes.add(new Change.Put<>(key, value, Optional.ofNullable(was)));
      }
    });
    before.forEach((key, value) -> {
      if (!after.containsKey(key)) {
        changes.add(new Change.Remove<>(key, value));
      }
    });
    return changes;
  }

  /** The program without its facts: what is compared with a lifted one. */
  public static PacketProgram withoutFacts(PacketProgram program) {
    return new PacketProgram(
        program.node(),
        program.nodeAddresses(),
        NodeFacts.NONE,
        program.localPods(),
        program.routes(),
        program.tunnels(),
        program.tunnelPeers(),
        program.masquerade(),
        program.frontends(),
        program.endpoints());
  }
}

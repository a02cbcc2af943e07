package dev.sund.engine;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.LoadBalancerIp;
import dev.sund.engine.cluster.Service.NotServed;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** Random Services of the world of {@link RandomCluster}, which get in each other's way. */
final class RandomServices {
  private static final List<String> NAMES = List.of("web", "dns", "db");
  private final Random random;

  RandomServices(Random random) {
    this.random = random;
  }

  ClusterEvent event() {
    return switch (random.nextInt(12)) {
      case 0, 1, 2, 3 -> new ClusterEvent.ServiceSeen(service());
      case 4 -> new ClusterEvent.ServiceGone(key());
      case 5, 6, 7, 8 -> new ClusterEvent.SliceSeen(slice());
      case 9 -> new ClusterEvent.SliceGone("shop/slice" + random.nextInt(5));
      default -> new ClusterEvent.ServicesSet(settings());
    };
  }

  private ServiceKey key() {
    return new ServiceKey("shop", NAMES.get(random.nextInt(NAMES.size())));
  }

  private Service service() {
    ServiceKey key = key();
    Service.Type type =
        List.of(Service.Type.CLUSTER_IP, Service.Type.NODE_PORT, Service.Type.LOAD_BALANCER)
            .get(random.nextInt(3));
    List<Ip> clusterIps = new ArrayList<>();
    if (random.nextInt(6) > 0) {
      clusterIps.add(ip("10.96.0.1" + random.nextInt(4)));
    }
    if (random.nextInt(3) == 0) {
      clusterIps.add(ip("fd96::1" + random.nextInt(4)));
    }
    return new Service(
        key,
        "uid-" + key.name() + random.nextInt(2),
        random.nextInt(3),
        type,
        random.nextInt(8) == 0 ? Optional.of(NotServed.HEADLESS) : Optional.empty(),
        clusterIps,
        some(
            "203.0.113.7",
            "203.0.113.8",
            "2001:db8:7::7",
            "192.168.1.11",
            "192.168.1.12",
            "10.244.1.5"),
        some("203.0.113.7", "203.0.113.9", "2001:db8:7::9").stream()
            .map(ip -> new LoadBalancerIp(ip, random.nextInt(4) == 0))
            .toList(),
        ports(),
        random.nextInt(3) > 0
            ? List.of()
            : List.of(
                Prefix.parse("192.168.0.0/16"),
                Prefix.parse("198.51.100.0/24"),
                Prefix.parse("2001:db8::/32")),
        random.nextInt(4) == 0,
        random.nextInt(3) == 0,
        random.nextInt(4) == 0 ? Optional.of(32000) : Optional.empty(),
        random.nextInt(4) > 0
            ? Optional.empty()
            : Optional.of(Duration.ofSeconds(List.of(0, 10, 10800, 90000).get(random.nextInt(4)))),
        random.nextInt(6) == 0,
        random.nextBoolean(),
        random.nextInt(4) == 0 ? Optional.of(EndpointChoice.BY_CLIENT) : Optional.empty());
  }

  private List<Ip> some(String... among) {
    return IntStream.range(0, among.length)
        .filter(_ -> random.nextInt(5) == 0)
        .mapToObj(i -> ip(among[i]))
        .toList();
  }

  private List<ServicePort> ports() {
    List<ServicePort> ports = new ArrayList<>();
    ports.add(new ServicePort("a", protocol(), 80, nodePort()));
    if (random.nextBoolean()) {
      ports.add(new ServicePort("b", protocol(), 81, nodePort()));
    }
    return ports;
  }

  /** Pods' host ports of {@link RandomCluster} are 8080 and 8081 and answer at 80 and 81. */
  private Optional<Integer> nodePort() {
    return random.nextInt(3) == 0
        ? Optional.empty()
        : Optional.of(random.nextBoolean() ? 80 : 30000 + random.nextInt(2));
  }

  private Protocol protocol() {
    return List.of(Protocol.TCP, Protocol.TCP, Protocol.UDP, Protocol.SCTP).get(random.nextInt(4));
  }

  private EndpointSlice slice() {
    Family family = random.nextInt(3) == 0 ? Family.V6 : Family.V4;
    String name = "shop/slice" + random.nextInt(5);
    return new EndpointSlice(
        name,
        "uid-" + name.substring(5),
        key(),
        family,
        List.of(
            new SlicePort("a", protocol(), 8080 + random.nextInt(2)),
            new SlicePort("b", protocol(), 9090)),
        IntStream.range(0, random.nextInt(4)).mapToObj(_ -> backend(family)).toList());
  }

  private Backend backend(Family family) {
    boolean ready = random.nextInt(3) > 0;
    boolean terminating = random.nextInt(3) == 0;
    return new Backend(
        ip(
            family == Family.V4
                ? random.nextInt(5) == 0
                    ? "192.168.1." + (10 + random.nextInt(6))
                    : "10.244." + random.nextInt(6) + "." + (4 + random.nextInt(3))
                : "fd00:" + random.nextInt(6) + "::" + (4 + random.nextInt(3))),
        ready,
        ready || random.nextBoolean(),
        terminating,
        random.nextInt(5) == 0 ? Optional.empty() : Optional.of(nodeName()),
        random.nextBoolean() ? Optional.of(zone()) : Optional.empty(),
        random.nextInt(3) > 0 ? List.of(zone()) : List.of(),
        random.nextInt(3) == 0 ? List.of(nodeName()) : List.of(),
        random.nextBoolean()
            ? Optional.of(new PodKey("shop", "p" + random.nextInt(6)))
            : Optional.empty());
  }

  private NodeName nodeName() {
    return new NodeName("n" + (1 + random.nextInt(3)));
  }

  /** A zone's name. */
  String zone() {
    return random.nextBoolean() ? "east" : "west";
  }

  private ServiceSettings settings() {
    NodePorts nodePorts =
        switch (random.nextInt(4)) {
          case 0 -> new NodePorts.Primary();
          case 1 ->
              new NodePorts.Within(
                  List.of(Prefix.parse("192.168.0.0/16"), Prefix.parse("2001:db8:1::/64")));
          default -> new NodePorts.AllLocal();
        };
    return new ServiceSettings(
        random.nextInt(8) > 0,
        nodePorts,
        random.nextInt(4) == 0,
        switch (random.nextInt(5)) {
          case 0 -> List.of(Prefix.parse("10.244.0.0/16"));
          case 1 -> List.of(Prefix.parse("10.244.2.0/24"), Prefix.parse("10.0.0.0/8"));
          case 2 -> List.of(Prefix.parse("fd00:1::/96"));
          default -> List.of();
        },
        random.nextInt(4) == 0 ? EndpointChoice.BY_CLIENT : EndpointChoice.RANDOM);
  }

  private static Ip ip(String text) {
    return Ip.parse(text);
  }
}

package dev.sund.bench.services;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Services with as many endpoints each, on other nodes, as events.
 *
 * @param services how many, 1 to 60,000
 * @param endpoints of each, 1 to 30
 */
record ServiceCluster(int services, int endpoints) {
  static final NodeName SELF = new NodeName("n0");
  static final int PORT = 80;
  private static final int TARGET_PORT = 8080;
  private static final int NODES = 100;

  /** The address of a Service. */
  static Ip address(int service) {
    return Ip.parse("10.96.0.0").plus(1 + service);
  }

  /** Where an endpoint is; those beyond a Service's number are what replaces them. */
  static Ip endpoint(int service, int number) {
    return Ip.parse("11.1.0.0").plus(64L * service + number);
  }

  /** The nodes. */
  List<ClusterEvent> nodes() {
    List<ClusterEvent> events = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      events.add(
          new ClusterEvent.NodeSeen(
              new Node(
                  new NodeName("n" + i),
                  "uid-n" + i,
                  i,
                  List.of(Ip.parse("172.16.0.1").plus(i)),
                  List.of(new Prefix(Ip.parse("11.0.0.0").plus(65_536L * i), 16)))));
    }
    return events;
  }

  /** Each Service and then its slice, as they are told where Services are made one by one. */
  List<ClusterEvent> coming() {
    List<ClusterEvent> events = new ArrayList<>();
    for (int i = 0; i < services; i++) {
      events.add(service(i));
      events.add(slice(i, numbers(0, endpoints)));
    }
    return events;
  }

  /** All of it, in the order of kinds, as a list has it. */
  List<ClusterEvent> events() {
    List<ClusterEvent> events = nodes();
    for (int i = 0; i < services; i++) {
      events.add(service(i));
    }
    for (int i = 0; i < services; i++) {
      events.add(slice(i, numbers(0, endpoints)));
    }
    events.add(new ClusterEvent.Synced());
    return events;
  }

  /** A Service's event. */
  static ClusterEvent service(int i) {
    return new ClusterEvent.ServiceSeen(
        new Service(
            key(i),
            "6f5ad9e5-8d6b-4d8c-9b1f-%012d".formatted(i),
            1_700_000_000L + i,
            Service.Type.CLUSTER_IP,
            Optional.empty(),
            List.of(address(i)),
            List.of(),
            List.of(),
            List.of(new ServicePort("", Protocol.TCP, PORT, Optional.empty())),
            List.of(),
            false,
            false,
            Optional.empty(),
            Optional.empty(),
            false,
            true,
            Optional.empty()));
  }

  /** Its slice with these endpoints. */
  static ClusterEvent slice(int i, List<Integer> numbers) {
    List<Backend> backends = new ArrayList<>();
    for (int number : numbers) {
      backends.add(backend(i, number, endpoint(i, number)));
    }
    return sliceOf(i, backends);
  }

  /** A Service's slice with one endpoint, which is at an address. */
  static ClusterEvent sliceTo(int i, Ip address) {
    return sliceOf(i, List.of(backend(i, 0, address)));
  }

  private static Backend backend(int i, int number, Ip address) {
    return new Backend(
        address,
        true,
        true,
        false,
        Optional.of(new NodeName("n" + (1 + 64L * i / 65_536))),
        Optional.empty(),
        List.of(),
        List.of(),
        Optional.of(
            new PodKey("shop", "web-" + i + "-7d4f9c6b5d-" + Integer.toString(number, 36))));
  }

  private static ClusterEvent sliceOf(int i, Collection<Backend> backends) {
    return new ClusterEvent.SliceSeen(
        new EndpointSlice(
            "shop/web-" + i + "-x7k2p",
            "0d2b7c1e-1f3a-4b5c-8d7e-%012d".formatted(i),
            key(i),
            Family.V4,
            List.of(new SlicePort("", Protocol.TCP, TARGET_PORT)),
            List.copyOf(backends)));
  }

  /** The numbers from one (inclusive) to another (exclusive). */
  static List<Integer> numbers(int from, int to) {
    List<Integer> numbers = new ArrayList<>();
    for (int i = from; i < to; i++) {
      numbers.add(i);
    }
    return numbers;
  }

  private static ServiceKey key(int i) {
    return new ServiceKey("shop", "web-" + i);
  }
}

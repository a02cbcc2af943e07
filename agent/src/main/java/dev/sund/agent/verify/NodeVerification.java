package dev.sund.agent.verify;

import dev.sund.dataplane.BridgeLinks;
import dev.sund.dataplane.FactsReader;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.Lift;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.Verify;
import dev.sund.dataplane.VerifyReport;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.BridgedNetwork;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.Attached;
import dev.sund.engine.cluster.ClusterEvent.FactsSeen;
import dev.sund.engine.cluster.ClusterEvent.PodSeen;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.Link;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.watch.ClusterWatch;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What verifying a node found.
 *
 * @param report what the kernel holds beside what it should
 * @param conditions what is wrong with the cluster's objects, sorted; their last good state is not
 *     known here, so a refused object counts as absent
 */
public record NodeVerification(VerifyReport report, List<Condition> conditions) {
  public NodeVerification {
    conditions = List.copyOf(conditions);
  }

  /**
   * Compares a node's kernel with these objects.
   *
   * @param cluster all objects of the cluster, ending with {@link ClusterEvent.Synced}
   * @param fabric what is set for the fabric as a whole
   * @throws KernelException when the kernel could not be read
   */
  public static NodeVerification of(
      NodeName node, NetNs namespace, List<ClusterEvent> cluster, FabricSettings fabric)
      throws KernelException {
    List<ClusterEvent> events = new ArrayList<>(cluster);
    try (SocketRoutes kernel = SocketRoutes.open(namespace)) {
      events.add(new FactsSeen(new FactsReader(kernel).read()));
      events.add(tunnelAddresses(node, kernel.links(), kernel.addresses(), cluster));
    }
    List<PortOnBridge> onBridges = BridgedPods.of(namespace, node, cluster);
    onBridges.forEach(port -> events.add(new ClusterEvent.BridgeJoined(port)));
    for (ClusterEvent event : cluster) {
      if (event instanceof PodSeen(Pod pod)
          && hasLink(pod, node)
          && onBridges.stream().noneMatch(port -> port.pod().equals(Optional.of(pod.key())))) {
        events.add(new Attached(Attachment.assumed(pod)));
      }
    }
    events.addAll(bridgedNetworks(namespace));
    ProgramCompiler compiler = new ProgramCompiler(node, fabric);
    List<Condition> conditions = compiler.apply(events).conditions();
    PacketProgram wanted = withPortsOfContainers(compiler.program(), namespace);
    return new NodeVerification(Verify.node(namespace, wanted), conditions);
  }

  /**
   * The ports of containers on bridges, which no object of the cluster tells of either: those of
   * containers that have links are meant to be as they are.
   */
  private static PacketProgram withPortsOfContainers(PacketProgram program, NetNs namespace)
      throws KernelException {
    Set<String> networks;
    Set<String> containers;
    try (SocketRoutes kernel = SocketRoutes.open(namespace)) {
      networks = BridgeLinks.networks(kernel);
      containers = BridgeLinks.containers(kernel);
    }
    if (containers.isEmpty()) {
      return program;
    }
    PacketProgram lifted = Lift.node(namespace, program);
    SortedMap<Masquerade.Key, Masquerade> masquerade = new TreeMap<>(program.masquerade());
    lifted
        .masquerade()
        .forEach((key, row) -> {
          if (key.part() == Masquerade.Part.NEIGHBOURS
              && networks.contains(row.rule().object().name())) {
            masquerade.putIfAbsent(key, row);
          }
        });
    Predicate<RuleId> living =
        rule ->
            rule.object().kind().equals(RuleId.CONTAINER)
                && containers.contains(rule.object().name());
    SortedMap<Frontend.Key, Frontend> frontends = new TreeMap<>(program.frontends());
    lifted
        .frontends()
        .forEach((key, row) -> {
          if (living.test(row.rule())) {
            frontends.putIfAbsent(key, row);
          }
        });
    SortedMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>(program.endpoints());
    lifted
        .endpoints()
        .forEach((key, row) -> {
          if (living.test(row.rule())) {
            endpoints.putIfAbsent(key, row);
          }
        });
    return new PacketProgram(
        program.node(),
        program.nodeAddresses(),
        program.facts(),
        program.localPods(),
        program.routes(),
        program.tunnels(),
        program.tunnelPeers(),
        masquerade,
        frontends,
        endpoints,
        program.sourceRanges(),
        program.policy(),
        program.bridgePorts());
  }

  /**
   * The addresses that the node's tunnels took from pools, which no object of the cluster tells of:
   * those on the tunnels that are of blocks which lead here are meant to be there.
   *
   * @param links the node's devices
   * @param addresses on all of them
   * @param cluster with the blocks
   */
  public static ClusterEvent tunnelAddresses(
      NodeName node,
      Collection<Link> links,
      Collection<Address> addresses,
      Collection<ClusterEvent> cluster) {
    Set<Integer> tunnels =
        links.stream()
            .filter(link -> Marks.TUNNELS.contains(link.name()))
            .map(Link::index)
            .collect(Collectors.toSet());
    List<Ip> taken =
        addresses.stream()
            .filter(address -> tunnels.contains(address.device()))
            .map(address -> address.address().ip())
            .filter(ip ->
                cluster.stream()
                    .anyMatch(event ->
                        event instanceof ClusterEvent.BlockSeen(AddressBlock block)
                            && block.leads(ip, node)))
            .toList();
    return new ClusterEvent.TunnelsAddressed(taken);
  }

  /**
   * The networks on the node's bridges, which no object of the cluster tells of: those whose
   * containers have links are meant to be translated as they are. One without containers is not.
   */
  private static List<ClusterEvent> bridgedNetworks(NetNs namespace) throws KernelException {
    try (SocketRoutes kernel = SocketRoutes.open(namespace);
        NftDriver nft = new NftDriver(NftPort.over(NftSocket.open(namespace)), FailPoint.NONE)) {
      Set<String> living = BridgeLinks.networks(kernel);
      Map<String, List<Prefix>> subnets = new TreeMap<>();
      nft.lift()
          .values()
          .forEach(row -> {
            if (row.part() == Masquerade.Part.BRIDGED
                && living.contains(row.rule().object().name())) {
              subnets
                  .computeIfAbsent(row.rule().object().name(), _ -> new ArrayList<>())
                  .add(row.range());
            }
          });
      List<ClusterEvent> events = new ArrayList<>();
      subnets.forEach((network, ranges) ->
          events.add(new ClusterEvent.NetworkSeen(new BridgedNetwork(network, ranges))));
      return events;
    }
  }

  private static boolean hasLink(Pod pod, NodeName node) {
    return pod.node().filter(node::equals).isPresent()
        && !pod.hostNetwork()
        && !pod.finished()
        && !pod.ips().isEmpty();
  }

  /**
   * Reads all objects once from an API server.
   *
   * @param namespace where its sockets are opened
   * @param patience how long the first full list may take
   * @throws IOException when it could not be had in that time, with the reason
   */
  public static List<ClusterEvent> list(ApiServer server, NetNs namespace, Duration patience)
      throws IOException, InterruptedException {
    BlockingQueue<ClusterEvent> told = new LinkedBlockingQueue<>();
    AtomicReference<Optional<Condition>> trouble = new AtomicReference<>(Optional.empty());
    long end = System.nanoTime() + patience.toNanos();
    ClusterWatch.Means means =
        ClusterWatch.Means.ordinary().with(() -> namespace.call(Dialer::newSocket));
    List<ClusterEvent> events = new ArrayList<>();
    try (ClusterWatch watch = ClusterWatch.start(server, means, told::add, trouble::set)) {
      while (true) {
        ClusterEvent event = told.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (event == null) {
          throw new IOException(
              trouble
                  .get()
                  .map(Condition::toString)
                  .orElse("the list of " + server + " takes too long"));
        }
        events.add(event);
        if (event instanceof ClusterEvent.Synced) {
          return events;
        }
      }
    }
  }
}

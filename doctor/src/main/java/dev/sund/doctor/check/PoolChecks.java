package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The ranges of pods' addresses: large enough, apart from others, and wrapped where needed. */
public final class PoolChecks {
  /** Calico's MaxBlocksPerHost. */
  private static final int MOST_BLOCKS = 20;

  private static final int USUAL_PODS = 110;

  /** Fabrics that drop what is not wrapped, even inside a subnet. */
  private static final String STRICT = "azure|gce|aws";

  private PoolChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "pool-size",
            "whether pods' pools have room for all nodes",
            host -> sizes(ClusterLines.of(host, "nodes", "ippools")),
            PoolChecks::room),
        new Check<>(
            "pool-tunnel",
            "whether pods' packets are wrapped in vain",
            PoolChecks::tunnels,
            PoolChecks::wrapped),
        new Check<>(
            "pool-overlap",
            "whether ranges of pods, Services and nodes are apart",
            host -> ranges(ClusterLines.of(host, "nodes", "services", "ippools")),
            is -> Verdict.of(is.faults, is.read + " ranges, apart from each other and from nodes")),
        new Check<>(
            "node-ranges",
            "whether each node has a range for its pods",
            host -> nodeRanges(ClusterLines.of(host, "nodes")),
            PoolChecks::each));
  }

  /**
   * Blocks of pools and what nodes need.
   *
   * @param pools Calico's, that pods get addresses from
   * @param blocks how many blocks there are in all, of the family of the first pool
   * @param needed how many all nodes need for as many pods as they may have
   * @param nodes how many
   * @param small a pool whose blocks are so small that a node may not have enough; or empty
   */
  record Sizes(List<String> pools, long blocks, long needed, int nodes, String small) {}

  private static Sizes sizes(ClusterLines cluster) throws UnreadException {
    List<Line> nodes = cluster.about("node");
    List<String> pools = new ArrayList<>();
    long blocks = 0;
    long perBlock = 0;
    String small = "";
    for (Line pool : pools(cluster)) {
      Optional<AddressSpan> span = AddressSpan.parse(pool.text("ranges"));
      long block = pool.number("block");
      if (span.isEmpty() || pool.is("disabled") || span.get().first().family() == Family.V6) {
        continue; // of IPv6 there is always room
      }
      long size = 1L << Math.max(0, Math.min(32, 32 - block));
      pools.add(pool.text("pool"));
      blocks += span.get().size().divide(BigInteger.valueOf(size)).longValue();
      perBlock = Math.max(perBlock, size);
      long most = most(nodes);
      if (size * MOST_BLOCKS < most) {
        small = pool.text("pool") + ": " + MOST_BLOCKS + " blocks of " + size + " for " + most;
      }
    }
    long needed = 0;
    for (Line node : nodes) {
      long wanted = node.number("pods") == 0 ? USUAL_PODS : node.number("pods");
      needed += perBlock == 0 ? 0 : (wanted + perBlock - 1) / perBlock;
    }
    return new Sizes(pools, blocks, needed, nodes.size(), small);
  }

  private static List<Line> pools(ClusterLines cluster) {
    return cluster.about("pool").stream()
        .filter(one -> one.text("kind").equals("calico"))
        .filter(one -> one.list("uses").contains("Workload"))
        .toList();
  }

  private static long most(List<Line> nodes) throws UnreadException {
    long most = 0;
    for (Line node : nodes) {
      most = Math.max(most, node.number("pods"));
    }
    return most;
  }

  private static Verdict room(Sizes is) {
    if (is.pools.isEmpty()) {
      return new Verdict.NotHere("there is no IPPool of IPv4 that is in use");
    }
    String read =
        "%,d blocks in %s; %d nodes need %,d for all pods that they may have"
            .formatted(is.blocks, is.pools, is.nodes, is.needed);
    String object = ClusterLines.named(is.pools);
    if (is.blocks < is.nodes) {
      return wrong(
          Severity.ERROR,
          object,
          "There are fewer blocks than nodes: %s.".formatted(read),
          "A node without a block borrows single addresses of others', each with a route of its own,"
              + " or with strictAffinity its pods get none and wait.",
          "Add an IPPool, or one with a longer blockSize (a smaller block); blockSize of a pool"
              + " cannot be changed");
    }
    if (!is.small.isEmpty()) {
      return wrong(
          Severity.WARNING,
          object,
          "A node may not have as many addresses as pods (%s).".formatted(is.small),
          "The pods beyond get no address: they stay in ContainerCreating.",
          "Add an IPPool with a shorter blockSize, such as 26");
    }
    if (is.blocks < is.needed) {
      return wrong(
          Severity.WARNING,
          object,
          "The pools run out before the nodes are full: %s.".formatted(read),
          "The last nodes' pods borrow addresses, or get none.",
          "Add an IPPool, or lower maxPods in the kubelets' configuration");
    }
    return new Verdict.Right(read);
  }

  private static Verdict wrong(
      Severity severity, String object, String text, String why, String remedy) {
    return new Verdict.Wrong(List.of(new Finding(severity, object, text, why, remedy)));
  }

  /**
   * What wraps pods' packets.
   *
   * @param pools how many pools wrap
   * @param always those that wrap between all nodes, with the field
   * @param link the one link on which all nodes are; empty when they are not, or it is not known
   * @param provider whose machines the nodes are; mostly empty
   */
  record Tunnels(int pools, List<String> always, String link, String provider, int nodes) {}

  private static Tunnels tunnels(Host host) throws UnreadException {
    ClusterLines cluster = ClusterLines.of(host, "nodes", "ippools");
    List<String> always = new ArrayList<>();
    int pools = 0;
    for (Line pool : pools(cluster)) {
      if (!pool.is("disabled")) {
        pools++;
        for (String mode : List.of("ipip", "vxlan")) {
          if (pool.text(mode).equals("Always")) {
            always.add(pool.text("pool") + " (" + mode + "Mode)");
          }
        }
      }
    }
    List<Ip> addresses =
        cluster.nodeAddresses().stream().filter(one -> one.family() == Family.V4).toList();
    Optional<AddressSpan> shared = ClusterLines.shared(cluster.links(host), addresses);
    List<Line> nodes = cluster.about("node");
    return new Tunnels(
        pools,
        always,
        shared.map(AddressSpan::text).orElse(""),
        nodes.isEmpty() ? "" : nodes.getFirst().text("provider"),
        nodes.size());
  }

  private static Verdict wrapped(Tunnels is) {
    if (is.pools == 0) {
      return new Verdict.NotHere("there is no IPPool");
    }
    if (is.always.isEmpty() || is.nodes < 2) {
      return new Verdict.Right(is.pools + " pools, none wraps packets between all nodes");
    }
    if (is.link.isEmpty() || is.provider.matches(STRICT)) {
      return new Verdict.Right(
          is.always
              + (is.link.isEmpty()
                  ? " wrap always; the nodes are not known to share a subnet"
                  : " wrap always, as machines of " + is.provider + " must"));
    }
    return wrong(
        Severity.NOTE,
        ClusterLines.named(is.always),
        "%s wraps all packets between nodes, and all %d nodes are on %s."
            .formatted(is.always.getFirst(), is.nodes, is.link),
        "Inside one subnet nodes can be each other's next hop: a header of 20 or 50 bytes a packet,"
            + " the work for it, and a smaller MTU are paid for nothing.",
        "kubectl patch ippool "
            + is.always.getFirst().replaceFirst(" .*", "")
            + " --type merge -p '{\"spec\":{\""
            + is.always.getFirst().replaceFirst(".*\\((.*)\\)", "$1")
            + "\":\"CrossSubnet\"}}' -- if the fabric lets addresses of pods through (sund doctor"
            + " --probe PEER tells)");
  }

  /** A range and what it is for. */
  private record Named(String name, AddressSpan span) {}

  /**
   * Ranges that lie over each other.
   *
   * @param read how many ranges
   * @param faults each pair
   */
  record Apart(int read, List<Finding> faults) {}

  private static Apart ranges(ClusterLines cluster) {
    List<Named> ranges = new ArrayList<>();
    List<Named> pools = new ArrayList<>();
    for (Line pool : cluster.about("pool")) {
      boolean balancer =
          !pool.text("kind").equals("calico") || !pool.list("uses").contains("Workload");
      for (AddressSpan span : AddressSpan.all(pool.list("ranges"))) {
        pools.add(
            new Named((balancer ? "load balancers' pool " : "IPPool ") + pool.text("pool"), span));
      }
    }
    for (Line line : cluster.about("range")) {
      boolean services = line.text("of").equals("services");
      // Of pods' ranges the pools are parts.
      if (services || pools.isEmpty()) {
        AddressSpan.parse(line.text("range"))
            .ifPresent(span -> ranges.add(new Named("the range of " + line.text("of"), span)));
      }
    }
    ranges.addAll(pools);
    List<Finding> faults = new ArrayList<>();
    for (int i = 0; i < ranges.size(); i++) {
      for (int k = i + 1; k < ranges.size(); k++) {
        if (ranges.get(i).span.overlaps(ranges.get(k).span)) {
          faults.add(over(ranges.get(i), ranges.get(k)));
        }
      }
    }
    List<Ip> nodes = cluster.nodeAddresses();
    for (Named range : ranges) {
      // A load balancer's pool over a node's address is another check's.
      nodes.stream()
          .filter(ip -> !range.name.startsWith("load") && range.span.contains(ip))
          .findFirst()
          .ifPresent(ip ->
              faults.add(
                  new Finding(
                      Severity.ERROR,
                      range.name,
                      "%s, %s, has the address %s of node %s in it."
                          .formatted(range.name, range.span.text(), ip, cluster.nodeOf(ip)),
                      "Packets to that node are taken for pods' or Services': they go into the tunnel"
                          + " that they should carry, or nowhere.",
                      "Choose a range in which no machine is; it takes new pods or a new cluster.")));
    }
    if (ranges.stream().noneMatch(one -> one.name.equals("the range of services"))) {
      inPools(cluster, pools).ifPresent(faults::add);
    }
    return new Apart(ranges.size(), faults);
  }

  private static Finding over(Named one, Named other) {
    return new Finding(
        Severity.ERROR,
        one.name,
        "%s, %s, and %s, %s, have addresses in common."
            .formatted(one.name, one.span.text(), other.name, other.span.text()),
        "The same address is given twice: connections reach the one or the other, by chance of"
            + " who was first.",
        "Take ranges apart: disable one of the two (spec.disabled: true), move its pods, delete it.");
  }

  /** Where nobody tells the range of Services: an address of one in a pool says enough. */
  private static Optional<Finding> inPools(ClusterLines cluster, List<Named> pools) {
    for (Line service : cluster.about("service")) {
      for (String text : service.list("addresses")) {
        Optional<Ip> ip = Ip.tryParse(text);
        for (Named pool : pools) {
          if (ip.isPresent() && pool.span.contains(ip.get())) {
            return Optional.of(
                new Finding(
                    Severity.ERROR,
                    pool.name,
                    "%s, %s, has the address %s of Service %s in it."
                        .formatted(pool.name, pool.span.text(), ip.get(), service.text("service")),
                    "A pod gets the address of a Service one day, and is not reached by it.",
                    "Make a pool beside the range of Services, and disable this one."));
          }
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Nodes' own ranges.
   *
   * @param nodes how many
   * @param with how many have one
   * @param faults what is wrong
   */
  record NodeRanges(int nodes, int with, List<Finding> faults) {}

  private static NodeRanges nodeRanges(ClusterLines cluster) throws UnreadException {
    List<Line> nodes = cluster.about("node");
    List<Finding> faults = new ArrayList<>();
    List<String> without = new ArrayList<>();
    List<Named> ranges = new ArrayList<>();
    int with = 0;
    for (Line node : nodes) {
      String name = node.text("node");
      List<AddressSpan> own = AddressSpan.all(node.list("ranges"));
      if (own.isEmpty()) {
        without.add(name);
        continue;
      }
      with++;
      for (AddressSpan span : own) {
        for (Named other : ranges) {
          if (other.span.overlaps(span)) {
            faults.add(over(new Named("node " + name, span), other));
          }
        }
        ranges.add(new Named("node " + name, span));
        long room = span.size().min(BigInteger.valueOf(1L << 40)).longValue() - 3;
        if (room < node.number("pods")) {
          faults.add(
              new Finding(
                  Severity.WARNING,
                  "node " + name,
                  "Node %s may have %,d pods, and its range %s has addresses for %,d."
                      .formatted(name, node.number("pods"), span.text(), Math.max(0, room)),
                  "The pods beyond get no address: they stay in ContainerCreating.",
                  "Set maxPods in the kubelet's configuration to "
                      + Math.max(0, room)
                      + ", or give nodes larger ranges (--node-cidr-mask-size)."));
        }
        cluster.nodeAddresses().stream()
            .filter(span::contains)
            .findFirst()
            .ifPresent(ip ->
                faults.add(
                    new Finding(
                        Severity.ERROR,
                        "node " + name,
                        "The range %s of node %s has the address %s of node %s in it."
                            .formatted(span.text(), name, ip, cluster.nodeOf(ip)),
                        "Packets to that node are sent to " + name + " as if it were a pod there.",
                        "Choose a --cluster-cidr in which no machine is.")));
      }
    }
    // With Calico's own IPAM, Cilium's or a cloud's no node has one.
    if (with > 0 && !without.isEmpty()) {
      faults.add(
          new Finding(
              Severity.ERROR,
              ClusterLines.named(without),
              "%d of %d nodes have no podCIDR, such as %s."
                  .formatted(without.size(), nodes.size(), without.getFirst()),
              "Plugins that take pods' addresses from it (flannel, kubenet) start no pod there.",
              "kube-controller-manager --allocate-node-cidrs=true with a --cluster-cidr that has"
                  + " ranges left; its log says CIDRNotAvailable when it has none"));
    }
    return new NodeRanges(nodes.size(), with, faults);
  }

  private static Verdict each(NodeRanges is) {
    return is.nodes == 0 || (is.with == 0 && is.faults.isEmpty())
        ? new Verdict.NotHere("no node has a podCIDR; addresses come from elsewhere")
        : Verdict.of(is.faults, is.with + " nodes with a podCIDR each");
  }
}

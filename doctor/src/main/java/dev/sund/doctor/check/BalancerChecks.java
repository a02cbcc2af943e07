package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Services that are to be reached from outside: who gives them addresses, and which. */
public final class BalancerChecks {
  private BalancerChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "load-balancer",
            "whether Services of type LoadBalancer get addresses",
            host -> waiting(ClusterLines.of(host, "services", "pods", "nodes")),
            BalancerChecks::pending),
        new Check<>(
            "balancer-pools",
            "whether load balancers' addresses can be reached",
            BalancerChecks::pools,
            BalancerChecks::reachable));
  }

  /**
   * Services that wait for an address.
   *
   * @param all Services of type LoadBalancer
   * @param pending those without an address, with why; of one reason each
   * @param givers who gives addresses here
   */
  record Waiting(int all, Map<String, List<String>> pending, List<String> givers) {}

  private static final String NOBODY = "nobody";
  private static final String NO_CLASS = "class ";
  private static final String NO_POOL = "pool";
  private static final String LATE = "late";

  private static Waiting waiting(ClusterLines cluster) {
    List<Line> givers = cluster.about("giver");
    Map<String, List<String>> pending = new LinkedHashMap<>();
    int all = 0;
    for (Line service : cluster.about("service")) {
      if (!service.text("type").equals("LoadBalancer")) {
        continue;
      }
      all++;
      if (service.is("pending")) {
        pending
            .computeIfAbsent(why(service, givers, cluster), _ -> new ArrayList<>())
            .add(service.text("service"));
      }
    }
    return new Waiting(all, pending, givers.stream().map(one -> one.text("giver")).toList());
  }

  private static String why(Line service, List<Line> givers, ClusterLines cluster) {
    String wanted = service.text("class");
    if (wanted.isEmpty()) {
      List<Line> open = givers.stream().filter(one -> !one.is("only")).toList();
      if (open.isEmpty()) {
        return NOBODY;
      }
      boolean metallb = open.stream().allMatch(one -> one.text("giver").equals("metallb"));
      boolean pool =
          cluster.about("pool").stream()
              .anyMatch(one -> one.text("kind").equals("metallb") && one.is("automatic"));
      return metallb && !pool ? NO_POOL : LATE;
    }
    boolean served =
        givers.stream()
            .anyMatch(one ->
                one.list("classes").contains(wanted)
                    || one.text("giver").startsWith("cloud ")
                    || one.text("giver").startsWith("cloud_"));
    return served ? LATE : NO_CLASS + wanted;
  }

  private static Verdict pending(Waiting is) {
    if (is.all == 0) {
      return new Verdict.NotHere("no Service is of type LoadBalancer");
    }
    List<Finding> findings = new ArrayList<>();
    is.pending.forEach((why, services) -> findings.add(finding(why, services, is)));
    return Verdict.of(findings, is.all + " Services of type LoadBalancer, all with an address");
  }

  private static Finding finding(String why, List<String> services, Waiting is) {
    String head =
        "%d of %d Services of type LoadBalancer have no address".formatted(services.size(), is.all);
    String hurts =
        "Nobody outside reaches them by an address of their own; kubectl shows <pending> for ever.";
    String object = ClusterLines.named(services);
    return switch (why) {
      case NOBODY ->
          new Finding(
              Severity.ERROR,
              object,
              head
                  + ", and nothing in this cluster hands out any: no MetalLB, no kube-vip, no cloud.",
              hurts,
              "Install one that does (MetalLB with an IPAddressPool and an L2Advertisement), or make"
                  + " the Service a NodePort: kubectl patch service -n "
                  + services.getFirst().replaceFirst("/", " ")
                  + " -p '{\"spec\":{\"type\":\"NodePort\"}}'");
      case NO_POOL ->
          new Finding(
              Severity.ERROR,
              object,
              head + ": MetalLB is there, and has no IPAddressPool that it may give from unasked.",
              hurts,
              "Make an IPAddressPool in MetalLB's namespace, or set autoAssign: true in one, and an"
                  + " L2Advertisement beside it.");
      case LATE ->
          new Finding(
              Severity.WARNING,
              object,
              head + " though " + String.join(", ", is.givers) + " should give one.",
              "Its pool is used up, or it refuses: nobody outside reaches them until then.",
              "kubectl describe service -n "
                  + services.getFirst().replaceFirst("/", " ")
                  + " shows its events");
      default -> {
        String wanted = why.substring(NO_CLASS.length());
        yield new Finding(
            Severity.ERROR,
            object,
            head
                + ": they ask for loadBalancerClass "
                + wanted
                + ", which nobody here serves"
                + (is.givers.isEmpty() ? "." : " (there is " + String.join(", ", is.givers) + ")."),
            hurts + " The field cannot be changed once it is set.",
            "Install what serves "
                + wanted
                + ", or make the Service anew without spec.loadBalancerClass.");
      }
    };
  }

  /**
   * Pools of load balancers.
   *
   * @param all how many
   * @param faults what is wrong with them
   * @param links what nodes' links are known; none when that is not known
   */
  record Pools(int all, List<Finding> faults, List<String> links) {}

  private static Pools pools(Host host) throws UnreadException {
    ClusterLines cluster = ClusterLines.of(host, "nodes", "ipaddresspools", "l2advertisements");
    List<AddressSpan> links = cluster.links(host);
    Optional<Ip> gateway = cluster.isNode(host) ? gateway(host) : Optional.empty();
    List<Finding> faults = new ArrayList<>();
    int all = 0;
    for (Line pool : cluster.about("pool")) {
      if (!pool.text("kind").matches("metallb|cilium") || pool.is("disabled")) {
        continue;
      }
      all++;
      String name = "pool " + pool.text("pool");
      if (pool.text("kind").equals("metallb") && pool.list("announced").isEmpty()) {
        faults.add(
            new Finding(
                Severity.ERROR,
                name,
                name + " is in no L2Advertisement and in no BGPAdvertisement.",
                "Services get addresses of it, and nobody ever tells the network where they are.",
                "Make an L2Advertisement with spec.ipAddressPools: ["
                    + pool.text("pool").replaceFirst(".*/", "")
                    + "]"));
      }
      for (AddressSpan span : AddressSpan.all(pool.list("ranges"))) {
        for (Ip address : new TreeSet<>(cluster.nodeAddresses())) {
          if (span.contains(address)) {
            faults.add(holds(name, span, address, "node " + cluster.nodeOf(address)));
          }
        }
        gateway
            .filter(span::contains)
            .ifPresent(one -> faults.add(holds(name, span, one, "this node's default gateway")));
        boolean l2 = pool.list("announced").contains("l2");
        if (l2
            && links.stream().anyMatch(link -> link.first().family() == span.first().family())
            && links.stream().noneMatch(link -> link.contains(span))) {
          faults.add(
              new Finding(
                  Severity.WARNING,
                  name,
                  name
                      + " has "
                      + span.text()
                      + ", which is on no link that nodes are known to have.",
                  "In mode L2 a node answers ARP for the address; who is on another subnet never"
                      + " asks, and its router sends the packets elsewhere.",
                  "Take addresses of the nodes' own subnet ("
                      + links.getFirst().text()
                      + ") that nothing else has, or announce the pool by BGP."));
        }
      }
    }
    return new Pools(all, faults, links.stream().map(AddressSpan::text).toList());
  }

  private static Finding holds(String name, AddressSpan span, Ip address, String whose) {
    return new Finding(
        Severity.ERROR,
        name,
        name + " has " + span.text() + ", in which is " + address + " of " + whose + ".",
        "A Service gets that address one day: two machines answer for it, and the node, or the way"
            + " out of all of them, is lost to its neighbours.",
        "Take " + address + " out of the pool.");
  }

  /** The gateway of this node's default route of IPv4, as /proc/net/route has it. */
  private static Optional<Ip> gateway(Host host) throws UnreadException {
    for (String line : host.text("proc/net/route").lines().skip(1).toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length > 7
          && words[1].equals("00000000")
          && words[7].equals("00000000")
          && words[2].matches("[0-9A-F]{8}")
          && !words[2].equals("00000000")) {
        byte[] bytes = HexFormat.of().parseHex(words[2]);
        // In the machine's own byte order, which is little-endian on all that we run on.
        return Optional.of(Ip.of(new byte[] {bytes[3], bytes[2], bytes[1], bytes[0]}));
      }
    }
    return Optional.empty();
  }

  private static Verdict reachable(Pools is) {
    return is.all == 0
        ? new Verdict.NotHere("there is no pool of load balancers")
        : Verdict.of(is.faults, is.all + " pools; nodes' links " + is.links);
  }
}

package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Counters;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Setting;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Whether the node forwards at all: sysctls, routes, neighbours. kernel:
 * Documentation/networking/ip-sysctl.rst.
 */
public final class NodeChecks {
  private static final String IPV4 = "proc/sys/net/ipv4/conf";
  private static final String FORWARD4 = "proc/sys/net/ipv4/ip_forward";
  private static final String FORWARD6 = "proc/sys/net/ipv6/conf/all/forwarding";
  private static final String ADDRESSES6 = "proc/net/if_inet6";
  private static final String ROUTES4 = "proc/net/route";
  private static final String ROUTES6 = "proc/net/ipv6_route";
  private static final String DEVICES = "sys/class/net";
  private static final String NEIGHBOURS4 = "proc/net/stat/arp_cache";
  private static final String NEIGHBOURS6 = "proc/net/stat/ndisc_cache";

  private NodeChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "forwarding-off",
            "whether the kernel forwards",
            NodeChecks::forwarding,
            NodeChecks::forwards),
        new Check<>(
            "reverse-path-filter",
            "whether answers that come another way are dropped",
            NodeChecks::filters,
            NodeChecks::strict),
        new Check<>(
            "bridge-netfilter",
            "whether packets between ports of a bridge meet rules",
            NodeChecks::bridges,
            NodeChecks::bridged),
        new Check<>("default-route", "a way out", NodeChecks::defaultRoutes, NodeChecks::wayOut),
        new Check<>(
            "neighbours-full",
            "room in the neighbour tables",
            List.of(NEIGHBOURS4, NEIGHBOURS6),
            NodeChecks::neighbours,
            NodeChecks::crowded));
  }

  /**
   * Forwarding.
   *
   * @param four {@code net.ipv4.ip_forward}
   * @param six {@code net.ipv6.conf.all.forwarding}; empty where the kernel has no IPv6
   * @param hasGlobalSix whether a device has a global IPv6 address
   * @param hasPods whether there is anybody to forward for
   * @param podsHaveSix whether a device of pods or a tunnel has a global IPv6 address
   * @param advised devices whose default route is from a router's advice, which the kernel forgets
   *     when it forwards and {@code accept_ra} is not 2
   */
  record Forwarding(
      boolean four,
      Optional<Boolean> six,
      boolean hasGlobalSix,
      boolean hasPods,
      boolean podsHaveSix,
      List<String> advised) {}

  /** Devices, configuration or a kubelet as only a node of a cluster has them. */
  private static boolean isForPods(Host host) throws UnreadException {
    for (String device : host.names(DEVICES)) {
      if (isOfPods(host, device)) {
        return true;
      }
    }
    return isOfACluster(host);
  }

  private static boolean isOfPods(Host host, String device) {
    return Tunnels.isTunnel(device)
        || device.matches("veth.*|cali.*|lxc.*|sund.*")
        || host.has(DEVICES + "/" + device + "/bridge");
  }

  private static boolean isOfACluster(Host host) {
    return host.has("etc/cni/net.d") || host.has("var/lib/kubelet") || host.has("var/lib/rancher");
  }

  private static Forwarding forwarding(Host host) throws UnreadException {
    Optional<String> six = host.textIfThere(FORWARD6);
    // The fourth column is the scope: 00 is global.
    List<String> global =
        host.textIfThere(ADDRESSES6)
            .orElse("")
            .lines()
            .map(line -> line.strip().split("\\s+"))
            .filter(words -> words.length > 4 && words[3].equals("00"))
            .map(words -> words[words.length - 1])
            .filter(device -> !device.equals("lo"))
            .toList();
    return new Forwarding(
        host.text(FORWARD4).equals("1"),
        six.map(text -> !text.equals("0")),
        !global.isEmpty(),
        isForPods(host),
        global.stream().anyMatch(device -> isOfPods(host, device)),
        advised(host));
  }

  /** The ninth column is the flags: 0x40000 is a router's advice. */
  private static List<String> advised(Host host) throws UnreadException {
    List<String> devices = new ArrayList<>();
    for (String line : host.textIfThere(ROUTES6).orElse("").lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length > 9
          && words[1].equals("00")
          && words[0].equals("0".repeat(32))
          && words[8].matches("[0-9a-fA-F]{8}")
          && (Integer.parseUnsignedInt(words[8], 16) & 0x40000) != 0
          && host.textIfThere("proc/sys/net/ipv6/conf/" + words[9] + "/accept_ra")
              .filter("1"::equals)
              .isPresent()) {
        devices.add(words[9]);
      }
    }
    return devices.stream().distinct().toList();
  }

  private static Verdict forwards(Forwarding is) {
    if (!is.hasPods) {
      return new Verdict.NotHere("there is nobody to forward for: no pod, no network plugin");
    }
    List<Finding> findings = new ArrayList<>();
    String why =
        "The node drops what is not for itself: pods reach nothing outside of it, and nothing"
            + " reaches them.";
    if (!is.four) {
      findings.add(
          Finding.set(
              Severity.ERROR,
              "net.ipv4.ip_forward",
              "IPv4 is not forwarded.",
              why,
              List.of(new Setting.Sysctl("net/ipv4/ip_forward", 1)),
              ", and a file in /etc/sysctl.d"));
    }
    if (is.six.isPresent() && !is.six.get() && is.hasGlobalSix) {
      findings.add(
          new Finding(
              Severity.WARNING,
              "net.ipv6.conf.all.forwarding",
              "The node has a global IPv6 address and does not forward IPv6.",
              why + " It is right where pods have IPv4 only.",
              "sysctl -w net.ipv6.conf.all.forwarding=1, and net.ipv6.conf.DEVICE.accept_ra=2 where"
                  + " the default route comes by router advertisement",
              is.podsHaveSix ? forwardSix(is.advised) : List.of()));
    }
    return Verdict.of(
        findings,
        "net.ipv4.ip_forward=1, net.ipv6.conf.all.forwarding="
            + is.six.map(on -> on ? "1" : "0, no global address").orElse("not there"));
  }

  /** Routers' advice first: the default route that came by it is gone otherwise. */
  private static List<Setting> forwardSix(List<String> advised) {
    List<Setting> settings = new ArrayList<>();
    advised.forEach(
        device -> settings.add(new Setting.Sysctl("net/ipv6/conf/" + device + "/accept_ra", 2)));
    settings.add(new Setting.Sysctl("net/ipv6/conf/all/forwarding", 1));
    return settings;
  }

  /**
   * The reverse path filter of each device: what the kernel uses is the larger of its and all's.
   */
  private static Map<String, Long> filters(Host host) throws UnreadException {
    Map<String, Long> filters = new TreeMap<>();
    long all = host.number(IPV4 + "/all/rp_filter");
    for (String device : host.names(IPV4)) {
      if (!device.equals("all") && !device.equals("default")) {
        filters.put(
            device,
            Math.max(all, host.numberIfThere(IPV4 + "/" + device + "/rp_filter").orElse(0)));
      }
    }
    return filters;
  }

  private static Verdict strict(Map<String, Long> filters) {
    List<Finding> findings = new ArrayList<>();
    for (String device : filters.keySet()) {
      if (filters.get(device) == 1 && Tunnels.isTunnel(device)) {
        findings.add(
            Finding.set(
                Severity.WARNING,
                "net.ipv4.conf." + device + ".rp_filter",
                "The tunnel "
                    + device
                    + " drops what comes from addresses that are routed another"
                    + " way (strict reverse path filter).",
                "Answers of nodes and of node ports come by the tunnel and leave by another device,"
                    + " and vanish without a counter but Ip.IPReversePathFilter.",
                List.of(new Setting.Sysctl("net/ipv4/conf/" + device + "/rp_filter", 2)),
                ", loose: the larger of this and net.ipv4.conf.all.rp_filter counts"));
      }
    }
    return Verdict.of(findings, filters.size() + " devices, no tunnel is strict");
  }

  /**
   * Bridges.
   *
   * @param bridges their names
   * @param calls {@code net.bridge.bridge-nf-call-iptables}; empty where br_netfilter is not loaded
   * @param cluster whether there is a cluster whose pods may be on them
   */
  record Bridges(List<String> bridges, Optional<Boolean> calls, boolean cluster) {}

  private static Bridges bridges(Host host) throws UnreadException {
    List<String> bridges = new ArrayList<>();
    for (String device : host.names(DEVICES)) {
      if (host.has(DEVICES + "/" + device + "/bridge")) {
        bridges.add(device);
      }
    }
    return new Bridges(
        bridges,
        host.textIfThere("proc/sys/net/bridge/bridge-nf-call-iptables")
            .map(text -> text.equals("1")),
        isOfACluster(host));
  }

  private static Verdict bridged(Bridges is) {
    if (is.bridges.isEmpty()) {
      return new Verdict.NotHere("there is no bridge");
    }
    if (is.calls.isPresent() && is.calls.get()) {
      return new Verdict.Right("bridge-nf-call-iptables=1, bridges " + is.bridges);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "net.bridge.bridge-nf-call-iptables",
                (is.calls.isPresent()
                        ? "Packets between two ports of a bridge meet no rules"
                        : "The module br_netfilter is not loaded, so that packets between two ports"
                            + " of a bridge meet no rules")
                    + "; bridges here: "
                    + String.join(", ", is.bridges)
                    + ".",
                "Two pods of one node on such a bridge are not kept apart by policies, and the"
                    + " answer of a Service's pod beside its client is not translated back.",
                "modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1"
                    + " net.bridge.bridge-nf-call-ip6tables=1; not needed where the plugin says so",
                is.cluster
                    ? List.of(
                        new Setting.Module("br_netfilter"),
                        new Setting.Sysctl("net/bridge/bridge-nf-call-iptables", 1),
                        new Setting.Sysctl("net/bridge/bridge-nf-call-ip6tables", 1))
                    : List.of())));
  }

  /** The devices of default routes. */
  private static List<String> defaultRoutes(Host host) throws UnreadException {
    List<String> devices = new ArrayList<>();
    host.text(ROUTES4)
        .lines()
        .skip(1)
        .map(line -> line.strip().split("\\s+"))
        .filter(words -> words.length > 7 && words[1].equals("00000000"))
        .filter(words -> words[7].equals("00000000"))
        .forEach(words -> devices.add(words[0]));
    host.textIfThere(ROUTES6)
        .orElse("")
        .lines()
        .map(line -> line.strip().split("\\s+"))
        .filter(words -> words.length > 9 && words[1].equals("00"))
        .filter(words -> words[0].equals("0".repeat(32)) && !words[9].equals("lo"))
        .forEach(words -> devices.add(words[9]));
    return devices;
  }

  private static Verdict wayOut(List<String> devices) {
    return devices.isEmpty()
        ? new Verdict.Wrong(
            List.of(
                new Finding(
                    Severity.ERROR,
                    "default route",
                    "The node has no default route.",
                    "Pods reach nothing outside of the cluster, and programs that look for the"
                        + " node's own address by it find none.",
                    "ip route add default via GATEWAY dev DEVICE")))
        : new Verdict.Right("by " + String.join(", ", devices.stream().distinct().toList()));
  }

  /**
   * A neighbour table.
   *
   * @param limit {@code gc_thresh3}
   */
  record Neighbours(String family, long limit, Sampled stat) {}

  private static List<Neighbours> neighbours(Host host) throws UnreadException {
    List<Neighbours> tables = new ArrayList<>();
    for (String family : List.of("ipv4", "ipv6")) {
      String stat = family.equals("ipv4") ? NEIGHBOURS4 : NEIGHBOURS6;
      // The limits are the machine's: another network namespace does not show them.
      String limit = "proc/sys/net/" + family + "/neigh/default/gc_thresh3";
      if (host.has(stat) && host.has(limit)) {
        tables.add(
            new Neighbours(
                family,
                host.number(limit),
                new Sampled(
                    Counters.ofProcessors(stat, host.before(stat)),
                    Counters.ofProcessors(stat, host.text(stat)),
                    host.seconds(),
                    Machine.uptime(host))));
      }
    }
    return tables;
  }

  private static Verdict crowded(List<Neighbours> tables) {
    if (tables.isEmpty()) {
      return new Verdict.NotHere(
          "the tables' limits are not shown here, as in a network namespace that is not the first");
    }
    List<Finding> findings = new ArrayList<>();
    List<String> read = new ArrayList<>();
    for (Neighbours table : tables) {
      long entries = table.stat.now().get("entries");
      String full = "table_fulls";
      String said =
          "%s %,d of %,d, full %s"
              .formatted(table.family, entries, table.limit, table.stat.said(full));
      read.add(said);
      boolean overflows = table.stat.grew(full) > 0;
      boolean crowded = overflows || entries >= table.limit * 8 / 10;
      if (crowded || table.stat.hourly(full) >= 1) {
        // What was full once, and has been given more room since, needs no more of it.
        long three = crowded ? Math.max(table.limit * 4, 16_384) : Math.max(table.limit, 16_384);
        findings.add(
            Finding.set(
                overflows || entries >= table.limit
                    ? Severity.ERROR
                    : crowded ? Severity.WARNING : Severity.NOTE,
                "net." + table.family + ".neigh.default.gc_thresh3",
                "The table of neighbours is full or nearly so: " + said + ".",
                "Packets to a neighbour without an entry are dropped, at the most distant pods"
                    + " first: 'neighbour table overflow' in the kernel's log.",
                Machine.neighbours(table.family, three),
                ""));
      }
    }
    return Verdict.of(findings, String.join("; ", read));
  }
}

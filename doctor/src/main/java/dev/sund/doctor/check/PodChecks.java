package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** How pods are joined to their node: devices, bridges, routes, and what stands in their way. */
public final class PodChecks {
  private static final String NONE = "there is no pod";

  /** NUD_INCOMPLETE and NUD_FAILED: nobody answered. */
  private static final Set<String> SILENT = Set.of("1", "32");

  /** Chains that let pods' packets through, and whose. */
  private static final Set<String> LETTING_THROUGH =
      Set.of(
          "FLANNEL-FWD",
          "cali-FORWARD",
          "CILIUM_FORWARD",
          "CNI-FORWARD",
          "KUBE-ROUTER-FORWARD",
          "WEAVE-NPC",
          "NETAVARK_FORWARD",
          "ANTREA-FORWARD");

  private static final List<String> NETWORKD =
      List.of(
          "usr/lib/systemd/networkd.conf.d",
          "usr/local/lib/systemd/networkd.conf.d",
          "run/systemd/networkd.conf.d",
          "etc/systemd/networkd.conf.d");

  private static final int MAIN = 254;
  private static final int LAST_OF_USERS = 32_765;

  private PodChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "pod-route", "whether pods have a way out", PodChecks::routes, PodChecks::wayOut),
        new Check<>(
            "pod-device",
            "whether pods' devices have their other end",
            PodChecks::ends,
            PodChecks::joined),
        new Check<>(
            "bridge-hairpin",
            "whether a pod reaches itself by its Service: bridges",
            PodChecks::ports,
            PodChecks::hairpin),
        new Check<>(
            "forward-policy",
            "whether rules drop what is forwarded",
            PodChecks::forward,
            PodChecks::dropped),
        new Check<>(
            "foreign-rules",
            "whether others' rules come before the cluster's",
            PodChecks::foreign,
            PodChecks::shadowed),
        new Check<>(
            "networkd-routes",
            "whether systemd-networkd removes the plugin's routes",
            PodChecks::networkd,
            PodChecks::removes));
  }

  /**
   * A pod's way out.
   *
   * @param pod its namespace
   * @param family {@code ipv4} or {@code ipv6}
   * @param fault what is wrong with it; empty when nothing is
   */
  record Way(String pod, String family, String fault) {}

  private static List<Way> routes(Host host) throws UnreadException {
    Map<String, Set<String>> has = new LinkedHashMap<>();
    Map<String, Line> defaults = new HashMap<>();
    Map<String, Line> devices = new HashMap<>();
    Set<String> below = below(host);
    for (Line line : host.lines(Facts.PODS)) {
      String pod = line.text("pod");
      if (below.contains(line.text("id"))) {
        continue;
      }
      if (line.has("default")) {
        defaults.putIfAbsent(pod + " " + line.text("default"), line);
      } else if (line.has("device")) {
        devices.put(pod + " " + line.text("device"), line);
        for (String address : line.list("addresses")) {
          if (!address.startsWith("fe80:")) {
            has.computeIfAbsent(pod, _ -> new java.util.TreeSet<>())
                .add(address.contains(":") ? "ipv6" : "ipv4");
          }
        }
      }
    }
    Set<String> node = addresses(host);
    Map<String, Line> links = links(host);
    List<Way> ways = new ArrayList<>();
    for (Map.Entry<String, Set<String>> pod : has.entrySet()) {
      for (String family : pod.getValue()) {
        Line route = defaults.get(pod.getKey() + " " + family);
        ways.add(new Way(pod.getKey(), family, fault(route, pod.getKey(), devices, node, links)));
      }
    }
    return ways;
  }

  /** The namespaces that the node's own way out leads to, as where it is a container itself. */
  private static Set<String> below(Host host) throws UnreadException {
    Set<String> devices = new HashSet<>();
    for (String line : host.text("proc/net/route").lines().skip(1).toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length > 7 && words[1].equals("00000000") && words[7].equals("00000000")) {
        devices.add(words[0]);
      }
    }
    Set<String> ids = new HashSet<>();
    for (Line line : host.lines(Facts.LINKS)) {
      if (devices.contains(line.text("link")) && line.has("peer-namespace")) {
        ids.add(line.text("peer-namespace"));
      }
    }
    return ids;
  }

  private static String fault(
      @org.jspecify.annotations.Nullable Line route,
      String pod,
      Map<String, Line> devices,
      Set<String> node,
      Map<String, Line> links) {
    if (route == null) {
      return "no default route";
    }
    String gateway = route.text("gateway");
    Line device = devices.get(pod + " " + route.text("device"));
    if (route.is("dead") || (device != null && !device.is("up"))) {
      return "a default route by " + route.text("device") + ", which is down";
    }
    if (SILENT.contains(route.text("neighbour"))) {
      return "a default route via " + gateway + ", which does not answer";
    }
    // On a bridge of the node the gateway is mostly the bridge itself; else somebody answered.
    boolean known = route.has("neighbour") && !route.text("neighbour").equals("0");
    if (device != null && !gateway.isEmpty() && !known && !node.contains(gateway)) {
      Line end = links.get("#" + device.text("peer"));
      Line bridge = end == null ? null : links.get(end.text("master"));
      if (bridge != null && !bridge.list("addresses").isEmpty()) {
        return "a default route via "
            + gateway
            + ", which neither "
            + bridge.text("link")
            + " nor another device of the node has";
      }
    }
    return "";
  }

  /** The node's devices, by name and by number. */
  private static Map<String, Line> links(Host host) throws UnreadException {
    Map<String, Line> links = new LinkedHashMap<>();
    for (Line line : host.lines(Facts.LINKS)) {
      links.put(line.text("link"), line);
      links.put("#" + line.text("index"), line);
    }
    return links;
  }

  private static Set<String> addresses(Host host) throws UnreadException {
    Set<String> addresses = new HashSet<>();
    for (Line line : host.lines(Facts.LINKS)) {
      line.list("addresses").forEach(one -> addresses.add(one.replaceFirst("/.*", "")));
    }
    return addresses;
  }

  private static Verdict wayOut(List<Way> ways) {
    if (ways.isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    List<Way> wrong = ways.stream().filter(way -> !way.fault.isEmpty()).toList();
    if (wrong.isEmpty()) {
      return new Verdict.Right(ways.size() + " default routes of pods, all with a gateway that is");
    }
    Way first = wrong.getFirst();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                first.pod + (wrong.size() == 1 ? "" : " and " + (wrong.size() - 1) + " more"),
                "%d of %d ways out of pods are wrong; %s (%s) has %s."
                    .formatted(wrong.size(), ways.size(), first.pod, first.family, first.fault),
                "Such a pod reaches its own subnet and nothing else: no Service, no DNS, no other"
                    + " node. The plugin failed half-way, or the bridge was made anew without its"
                    + " address.",
                "Make the pod anew (kubectl delete pod); when all of a node have it, restart the"
                    + " plugin's pod first. To look: ip netns exec "
                    + first.pod
                    + " ip route")));
  }

  /**
   * A pair of which one end is the node's.
   *
   * @param device the node's end
   * @param fault what is wrong with it; empty when nothing is
   * @param severity how bad that is
   */
  record End(String device, String fault, Severity severity) {}

  private static List<End> ends(Host host) throws UnreadException {
    Set<String> namespaces = new HashSet<>();
    for (Line line : host.lines(Facts.PODS)) {
      namespaces.add(line.text("id"));
    }
    List<End> ends = new ArrayList<>();
    for (Line line : host.lines(Facts.LINKS)) {
      if (!line.text("kind").equals("veth") || !line.has("peer-namespace")) {
        continue;
      }
      String device = line.text("link");
      if (!namespaces.contains(line.text("peer-namespace"))) {
        ends.add(
            new End(
                device,
                "its other end is in a namespace without a name and without a process",
                Severity.WARNING));
      } else if (!line.is("up")) {
        ends.add(new End(device, "it is down", Severity.ERROR));
      } else if (!line.is("carrier")) {
        ends.add(new End(device, "its other end is down", Severity.ERROR));
      } else {
        ends.add(new End(device, "", Severity.NOTE));
      }
    }
    return ends;
  }

  private static Verdict joined(List<End> ends) {
    List<End> wrong =
        ends.stream()
            .filter(end -> !end.fault.isEmpty())
            .sorted(java.util.Comparator.comparing(End::severity))
            .toList();
    if (wrong.isEmpty()) {
      return ends.isEmpty()
          ? new Verdict.NotHere(NONE)
          : new Verdict.Right(ends.size() + " device pairs, both ends up");
    }
    End first = wrong.getFirst();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                first.severity,
                first.device + (wrong.size() == 1 ? "" : " and " + (wrong.size() - 1) + " more"),
                "%d of %d device pairs of pods are broken; %s: %s."
                    .formatted(wrong.size(), ends.size(), first.device, first.fault),
                first.severity == Severity.ERROR
                    ? "The pod is cut off: it neither sends nor receives."
                    : "It was left by a pod that is gone; its address and its routes may be, too, and"
                        + " the next pod with that address is not reached.",
                first.fault.equals("it is down")
                    ? "ip link set " + first.device + " up, or make the pod anew"
                    : "Make the pod anew; when no pod has it: ip link delete " + first.device)));
  }

  /**
   * Ports of bridges.
   *
   * @param services whether Services are translated here
   * @param all how many lead to pods
   * @param without those that send nothing back where it came from
   */
  record Ports(boolean services, int all, List<String> without) {}

  private static Ports ports(Host host) throws UnreadException {
    Map<String, Line> links = links(host);
    int all = 0;
    List<String> without = new ArrayList<>();
    for (Line line : host.lines(Facts.LINKS)) {
      Line bridge = links.get(line.text("master"));
      // Docker, libvirt and LXC have bridges of their own, whose containers have no Services.
      if (line.text("kind").equals("veth")
          && line.has("hairpin")
          && bridge != null
          && !bridge.text("link").matches("docker.*|br-[0-9a-f]{12}|virbr.*|lxc.*|podman.*")) {
        all++;
        if (!line.is("hairpin") && !bridge.is("promiscuous")) {
          without.add(line.text("link"));
        }
      }
    }
    Proxies proxies = Proxies.of(host);
    return new Ports(!proxies.shown().isEmpty() || proxies.sund(), all, without);
  }

  private static Verdict hairpin(Ports ports) {
    if (ports.all == 0 || !ports.services) {
      return new Verdict.NotHere(
          ports.all == 0 ? "no pod is at a bridge" : "no Services are translated here");
    }
    if (ports.without.isEmpty()) {
      return new Verdict.Right(ports.all + " ports of bridges, all in hairpin mode");
    }
    String first = ports.without.getFirst();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                first
                    + (ports.without.size() == 1
                        ? ""
                        : " and " + (ports.without.size() - 1) + " more"),
                "%d of %d ports of bridges send nothing back by the port that it came from."
                    .formatted(ports.without.size(), ports.all),
                "A pod that asks a Service and is chosen itself gets no answer: a timeout, one time"
                    + " in as many as the Service has endpoints.",
                "bridge link set dev "
                    + first
                    + " hairpin on for each; for pods to come: hairpinMode in the plugin's"
                    + " configuration, see cni-hairpin")));
  }

  /**
   * Who drops what is forwarded.
   *
   * @param pods whether there is something to forward
   * @param dropping chains that drop what nobody accepted, without a rule that accepts pods'
   * @param read how many chains there are at that hook
   */
  record Forward(boolean pods, List<Rules.Chain> dropping, long read) {}

  private static Forward forward(Host host) throws UnreadException {
    Rules rules = Rules.of(host);
    boolean pods = !host.lines(Facts.PODS).isEmpty() || Cni.of(host).used().isPresent();
    List<Rules.Chain> chains = rules.where(one -> one.hook().equals("forward")).toList();
    // Sund's agent sees to others' chains itself.
    boolean sund = rules.has(one -> one.table().equals("sund"));
    return new Forward(
        pods, sund ? List.of() : chains.stream().filter(PodChecks::drops).toList(), chains.size());
  }

  private static boolean drops(Rules.Chain chain) {
    if (chain.family().equals("bridge") || chain.family().equals("arp")) {
      return false;
    }
    for (String act : chain.acts()) {
      if (act.equals("accept!")) {
        return false;
      }
      if (act.startsWith("jump:")
          && LETTING_THROUGH.contains(act.substring("jump:".length()).replace("!", ""))) {
        return false;
      }
      if (act.equals("drop!") || act.equals("reject!")) {
        return true;
      }
    }
    return chain.drops();
  }

  private static Verdict dropped(Forward is) {
    if (!is.pods) {
      return new Verdict.NotHere("there is no pod, and no network plugin");
    }
    if (is.dropping.isEmpty()) {
      return new Verdict.Right(is.read + " chains see what is forwarded, none drops pods' packets");
    }
    List<Finding> findings = new ArrayList<>();
    for (Rules.Chain chain : is.dropping) {
      boolean iptables = chain.isIptables();
      findings.add(
          new Finding(
              Severity.ERROR,
              chain.place() + " " + chain.name(),
              "The "
                  + chain.said()
                  + " drops what is forwarded, and no rule in it lets a network plugin's pods"
                  + " through.",
              "Pods do not reach other nodes, nor anything outside: Docker and firewalls set this"
                  + " policy, and a chain in another table that accepts does not undo it.",
              iptables
                  ? (chain.family().equals("ip6") ? "ip6tables" : "iptables")
                      + (chain.tool().equals("legacy") ? "-legacy" : "")
                      + " -I FORWARD -s POD-RANGE -j ACCEPT and -d POD-RANGE -j ACCEPT, or -P"
                      + " FORWARD ACCEPT"
                  : "nft add rule "
                      + chain.family()
                      + " "
                      + chain.table()
                      + " "
                      + chain.name()
                      + " ip saddr POD-RANGE accept, and ip daddr; firewalld: add the plugin's"
                      + " devices to the zone trusted"));
    }
    return Verdict.of(findings, "");
  }

  /**
   * What comes before the cluster's own rules.
   *
   * @param translations chains in which another rule takes all packets before kube-proxy's
   * @param tables rules that choose another routing table, or none, for all packets
   * @param read how many rules choose a table
   */
  record Foreign(List<Rules.Chain> translations, List<Line> tables, int read) {}

  private static Foreign foreign(Host host) throws UnreadException {
    List<Rules.Chain> translations =
        Rules.of(host).where(one -> one.type().equals("nat") && hides(one.acts())).toList();
    List<Line> all = host.lines(Facts.ROUTING);
    List<Line> tables = new ArrayList<>();
    for (Line line : all) {
      boolean everything =
          !line.has("from") && !line.has("to") && !line.has("in") && !line.has("out");
      // A rule about packets without a mark is about all that nobody marked: a VPN's.
      boolean unmarked = !line.has("mark") || line.is("inverted");
      long table = line.number("table");
      long priority = line.number("rule");
      if (everything
          && unmarked
          && priority > 0
          && priority <= LAST_OF_USERS
          && (line.number("action") != 1 || (table != MAIN && table > 0 && table != 255))) {
        tables.add(line);
      }
    }
    return new Foreign(translations, tables, all.size());
  }

  private static boolean hides(List<String> acts) {
    int services = acts.indexOf("jump:KUBE-SERVICES!");
    services = services < 0 ? acts.indexOf("jump:KUBE-SERVICES") : services;
    for (int i = 0; i < services; i++) {
      if (Set.of("accept!", "drop!", "dnat!", "redirect!", "return!").contains(acts.get(i))) {
        return true;
      }
    }
    return false;
  }

  private static Verdict shadowed(Foreign is) {
    List<Finding> findings = new ArrayList<>();
    for (Rules.Chain chain : is.translations) {
      findings.add(
          new Finding(
              Severity.ERROR,
              chain.place() + " " + chain.name(),
              "In the " + chain.said() + " a rule for all packets stands before KUBE-SERVICES.",
              "Packets to Services end there and are not translated.",
              "iptables -t nat -S "
                  + chain.name()
                  + "; remove the rule or put it behind KUBE-SERVICES"));
    }
    for (Line line : is.tables) {
      boolean dead = !line.text("action").equals("1");
      findings.add(
          new Finding(
              Severity.WARNING,
              "ip rule " + line.text("rule"),
              "%s, the rule %s %s."
                  .formatted(
                      line.text("family").equals("ipv6") ? "For IPv6" : "For IPv4",
                      line.text("rule"),
                      dead
                          ? "ends all packets"
                          : "sends all packets to the routing table "
                              + line.text("table")
                              + " before the main one"),
              "The routes to pods and to other nodes' pods are in the main table: what the other"
                  + " table takes, a VPN's default route mostly, never comes to them.",
              "ip rule show; give the cluster's ranges a rule before it: ip rule add to POD-RANGE"
                  + " lookup main priority N, with N below "
                  + line.text("rule")));
    }
    return Verdict.of(findings, is.read + " rules choose a routing table, none for all packets");
  }

  /**
   * systemd-networkd.
   *
   * @param runs whether it does
   * @param plugin whether there is a network plugin whose routes it could remove
   * @param routes {@code ManageForeignRoutes}
   * @param rules {@code ManageForeignRoutingPolicyRules}
   */
  record Networkd(boolean runs, boolean plugin, boolean routes, boolean rules) {}

  private static Networkd networkd(Host host) throws UnreadException {
    boolean runs = host.has("run/systemd/netif/links");
    boolean plugin = Cni.of(host).used().isPresent();
    boolean routes = true;
    boolean rules = true;
    List<String> files = new ArrayList<>(List.of("etc/systemd/networkd.conf"));
    Map<String, String> dropIns = new java.util.TreeMap<>(); // by name; later folders win
    for (String folder : NETWORKD) {
      for (String name : host.names(folder)) {
        dropIns.put(name, folder + "/" + name);
      }
    }
    files.addAll(dropIns.values());
    for (String file : files) {
      for (String line : host.textIfThere(file).orElse("").lines().toList()) {
        Optional<Boolean> said = said(line, "ManageForeignRoutes");
        routes = said.orElse(routes);
        rules = said(line, "ManageForeignRoutingPolicyRules").orElse(rules);
      }
    }
    return new Networkd(runs, plugin, routes, rules);
  }

  private static Optional<Boolean> said(String line, String key) {
    String[] parts = line.strip().split("\\s*=\\s*", 2);
    return parts.length == 2 && parts[0].equals(key)
        ? Optional.of(!Set.of("no", "false", "0", "off").contains(parts[1]))
        : Optional.empty();
  }

  private static Verdict removes(Networkd is) {
    if (!is.runs || !is.plugin) {
      return new Verdict.NotHere(
          is.runs ? "no CNI configuration" : "systemd-networkd does not run");
    }
    String read =
        "ManageForeignRoutes=%s ManageForeignRoutingPolicyRules=%s"
            .formatted(is.routes ? "yes" : "no", is.rules ? "yes" : "no");
    if (!is.routes && !is.rules) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "systemd-networkd",
                "systemd-networkd removes routes and rules that it did not make: " + read + ".",
                "When it starts anew, as at an upgrade of the system, or when a device comes back,"
                    + " it removes the plugin's routes and rules: pods of this node are not reached"
                    + " until the plugin looks again.",
                "mkdir -p /etc/systemd/networkd.conf.d && printf"
                    + " '[Network]\\nManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no\\n'"
                    + " > /etc/systemd/networkd.conf.d/kubernetes.conf; systemctl restart"
                    + " systemd-networkd")));
  }
}

package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The network plugin's configuration. CNI: SPEC.md, and the pages of the reference plugins. */
public final class CniChecks {
  private static final String NONE = "there is no CNI configuration";

  /** Those that make a pod's device; the others work on what one of these made. */
  private static final Set<String> MAIN =
      Set.of(
          "bridge",
          "ptp",
          "macvlan",
          "ipvlan",
          "host-device",
          "vlan",
          "flannel",
          "calico",
          "cilium-cni",
          "sund-cni",
          "kindnet",
          "antrea",
          "ovn-k8s-cni-overlay",
          "weave-net",
          "kube-router",
          "aws-cni",
          "azure-vnet",
          "multus",
          "loopback",
          "dummy",
          "tap");

  private static final Set<String> CHAINED =
      Set.of("portmap", "bandwidth", "tuning", "firewall", "sbr", "vrf", "dnsname");

  private static final Set<String> VERSIONS =
      Set.of("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0");

  /** So many addresses may belong to pods that are made or removed just now. */
  private static final int IN_FLUX = 3;

  private CniChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "cni-config",
            "whether the plugin's configuration can be used",
            Cni::of,
            CniChecks::configuration),
        new Check<>("cni-plugins", "whether its plugins are there", Cni::of, CniChecks::plugins),
        new Check<>("cni-two", "whether two networks are configured", Cni::of, CniChecks::two),
        new Check<>(
            "cni-hairpin",
            "whether a pod reaches itself by its Service: configuration",
            Cni::of,
            CniChecks::hairpin),
        new Check<>(
            "cni-masquerade",
            "whether pods' packets leave with the node's address",
            CniChecks::leaving,
            CniChecks::masquerade),
        new Check<>(
            "cni-addresses",
            "room in host-local's range, and addresses of pods that are gone",
            CniChecks::reserved,
            CniChecks::addresses));
  }

  private static Verdict configuration(Cni cni) {
    if (cni.networks().isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    List<Finding> findings = new ArrayList<>();
    for (Cni.Network network : cni.networks()) {
      network.broken().ifPresent(why -> findings.add(finding(cni, network, why, Severity.ERROR)));
      if (network.broken().isPresent()) {
        continue;
      }
      if (network.version().isEmpty()) {
        findings.add(
            finding(
                cni,
                network,
                "it has no cniVersion, which means 0.1.0: no list of plugins",
                Severity.WARNING));
      } else if (!VERSIONS.contains(network.version())) {
        findings.add(
            finding(
                cni,
                network,
                "cniVersion " + network.version() + " is none that there is",
                Severity.ERROR));
      }
      Cni.Plugin first = network.plugins().getFirst();
      if (CHAINED.contains(first.type())) {
        findings.add(
            finding(
                cni,
                network,
                first.type() + " is first, and needs the device that another plugin made",
                Severity.ERROR));
      }
      for (Cni.Plugin plugin : network.plugins().subList(1, network.plugins().size())) {
        // Cilium may be chained behind another, and says so.
        if (MAIN.contains(plugin.type()) && !plugin.type().equals("cilium-cni")) {
          findings.add(
              finding(
                  cni,
                  network,
                  plugin.type() + " comes after " + first.type() + ", and both make a device",
                  Severity.WARNING));
        }
        boolean mapped =
            plugin
                .settings()
                .mapping("capabilities")
                .flatMap(asked -> asked.text("portMappings"))
                .filter("true"::equals)
                .isPresent();
        if (plugin.type().equals("portmap") && !mapped) {
          findings.add(
              finding(
                  cni,
                  network,
                  "portmap lacks capabilities: {portMappings: true}, so that no host port is given"
                      + " to it",
                  Severity.WARNING));
        }
      }
    }
    return Verdict.of(
        findings,
        cni.used().map(network -> "/" + cni.folder() + "/" + network.file()).orElse("loopback")
            + ": "
            + cni.used()
                .map(network ->
                    network.name()
                        + ", "
                        + String.join(
                            " > ", network.plugins().stream().map(Cni.Plugin::type).toList()))
                .orElse("only"));
  }

  private static Finding finding(Cni cni, Cni.Network network, String what, Severity severity) {
    return new Finding(
        severity,
        network.file(),
        "/" + cni.folder() + "/" + network.file() + ": " + what + ".",
        "The runtime refuses the file or what pods ask of it; without another one the node is not"
            + " ready and no pod starts.",
        "Mend the file, or install the plugin anew, which writes it; the runtime reads it at once");
  }

  private static Verdict plugins(Cni cni) {
    if (cni.used().isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    Cni.Network network = cni.used().get();
    Set<String> needed = new java.util.TreeSet<>();
    for (Cni.Plugin plugin : network.plugins()) {
      needed.add(plugin.type());
      plugin.settings().mapping("ipam").flatMap(ipam -> ipam.text("type")).ifPresent(needed::add);
      if (plugin.type().equals("flannel")) {
        needed.add("bridge");
        needed.add("host-local");
      }
    }
    List<String> missing = needed.stream().filter(one -> !cni.binaries().contains(one)).toList();
    String where = cni.folders().isEmpty() ? "no folder of plugins" : cni.folders().toString();
    if (missing.isEmpty()) {
      return new Verdict.Right(String.join(", ", needed) + " in " + where);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                String.join(", ", missing),
                "/%s/%s needs plugins that are not there (%s): %s."
                    .formatted(cni.folder(), network.file(), where, String.join(", ", missing)),
                "Each pod of this node fails with 'failed to find plugin' and is tried again for"
                    + " ever.",
                "Install them where the runtime looks (bin_dir): Debian's"
                    + " containernetworking-plugins puts them into /usr/lib/cni, kubeadm's"
                    + " kubernetes-cni into /opt/cni/bin")));
  }

  private static Verdict two(Cni cni) {
    List<Cni.Network> whole =
        cni.networks().stream().filter(one -> one.broken().isEmpty() && !one.isLoopback()).toList();
    if (whole.isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    Cni.Network first = whole.getFirst();
    boolean delegates = first.plugins().stream().anyMatch(one -> one.type().equals("multus"));
    if (whole.size() == 1 || delegates) {
      return new Verdict.Right(
          "/" + cni.folder() + "/" + first.file() + (delegates ? ", which calls others" : ""));
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                cni.folder(),
                "%d networks are configured in /%s: %s."
                    .formatted(
                        whole.size(),
                        cni.folder(),
                        String.join(", ", whole.stream().map(Cni.Network::file).toList())),
                "The runtime takes the first by name, "
                    + first.file()
                    + ". Before the cluster's plugin has written its file, or after it took it away,"
                    + " pods get the other network: they run, and nobody reaches them.",
                "Remove those that are not the cluster's, or give them to their program by another"
                    + " folder; then make the pods anew that have an address of the wrong range")));
  }

  private static Verdict hairpin(Cni cni) {
    if (cni.used().isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    Cni.Network network = cni.used().get();
    for (Cni.Plugin plugin : network.plugins()) {
      Optional<Tree.Mapping> settings =
          switch (plugin.type()) {
            case "bridge" -> Optional.of(plugin.settings());
            case "flannel" ->
                Optional.of(
                    plugin
                        .settings()
                        .mapping("delegate")
                        .orElse(Tree.Mapping.of(java.util.Map.of())));
            default -> Optional.empty();
          };
      if (settings.isEmpty()) {
        continue;
      }
      Cni.Plugin made = new Cni.Plugin(plugin.type(), settings.get());
      if (!made.is("hairpinMode") && !made.is("promiscMode")) {
        return new Verdict.Wrong(
            List.of(
                new Finding(
                    Severity.WARNING,
                    network.file(),
                    "/%s/%s: the plugin %s has no hairpinMode."
                        .formatted(cni.folder(), network.file(), plugin.type()),
                    "A bridge sends no frame back by the port that it came from: a pod that asks its"
                        + " own Service waits for ever when the answer is itself, so one time in as"
                        + " many as there are endpoints.",
                    "\"hairpinMode\": true in "
                        + (plugin.type().equals("flannel") ? "flannel's delegate" : "the plugin")
                        + ", and make the pods anew; at once: bridge link set dev VETH hairpin on")));
      }
      return new Verdict.Right(
          network.file() + ": " + (made.is("hairpinMode") ? "hairpinMode" : "promiscMode"));
    }
    return new Verdict.NotHere("the network has no bridge");
  }

  /**
   * Who changes the source of what leaves.
   *
   * @param others rules that masquerade, without kube-proxy's
   */
  record Leaving(Cni cni, long others) {}

  private static Leaving leaving(Host host) throws UnreadException {
    Cni cni = Cni.of(host);
    long others =
        Rules.of(host)
            .where(one -> !one.name().startsWith("KUBE-"))
            .mapToLong(Rules.Chain::masquerades)
            .sum();
    return new Leaving(cni, others);
  }

  private static Verdict masquerade(Leaving is) {
    Optional<Cni.Plugin> plugin =
        is.cni.used().stream()
            .flatMap(network -> network.plugins().stream())
            .filter(one -> one.type().equals("bridge") || one.type().equals("ptp"))
            .findFirst();
    if (plugin.isEmpty()) {
      return new Verdict.NotHere(
          is.cni.used().isEmpty() ? NONE : "the network's plugin decides by itself");
    }
    if (plugin.get().is("ipMasq")) {
      return new Verdict.Right(plugin.get().type() + " with ipMasq");
    }
    if (is.others > 0) {
      return new Verdict.Right("no ipMasq, and " + is.others + " rules of others masquerade");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                is.cni.used().orElseThrow().file(),
                "The plugin "
                    + plugin.get().type()
                    + " has no ipMasq, and no other rule changes the source of what leaves.",
                "Pods' packets leave with pods' addresses. Where the network does not route those"
                    + " back, pods reach nothing outside of the cluster.",
                "\"ipMasq\": true; or ip-masq-agent; right as it is where routers know pods'"
                    + " addresses")));
  }

  /**
   * What host-local has given.
   *
   * @param network its name; empty where it is not used
   * @param folder of its files
   * @param given addresses
   * @param room how many there are in its ranges; 0 when not known
   * @param gone those of them that no pod has
   */
  record Reserved(String network, String folder, int given, long room, List<String> gone) {}

  private static Reserved reserved(Host host) throws UnreadException {
    Cni cni = Cni.of(host);
    for (Cni.Network network : cni.used().stream().toList()) {
      for (Cni.Plugin plugin : network.plugins()) {
        Optional<Tree.Mapping> ipam = plugin.settings().mapping("ipam");
        boolean local =
            ipam.flatMap(one -> one.text("type")).filter("host-local"::equals).isPresent();
        if (!local && !plugin.type().equals("flannel")) {
          continue;
        }
        String folder =
            ipam.flatMap(one -> one.text("dataDir")).orElse("/var/lib/cni/networks")
                + "/"
                + network.name();
        folder = folder.replaceFirst("^/+", "");
        Set<String> held = new HashSet<>();
        for (Line line : host.lines(Facts.PODS)) {
          line.list("addresses").forEach(one -> held.add(one.replaceFirst("/.*", "")));
        }
        int given = 0;
        List<String> gone = new ArrayList<>();
        for (String name : host.names(folder)) {
          // Other files: lock, last_reserved_ip.0
          Optional<Ip> address = Ip.tryParse(name);
          if (address.isPresent()) {
            given++;
            if (!held.contains(address.get().toString())) {
              gone.add(name);
            }
          }
        }
        long room =
            plugin.type().equals("flannel")
                ? Ranges.flannel(host.textIfThere("run/flannel/subnet.env").orElse(""))
                : Ranges.of(ipam.orElseThrow());
        boolean joined = !Set.of("macvlan", "ipvlan", "host-device").contains(plugin.type());
        return new Reserved(network.name(), "/" + folder, given, room, joined ? gone : List.of());
      }
    }
    return new Reserved("", "", 0, 0, List.of());
  }

  private static Verdict addresses(Reserved is) {
    if (is.network.isEmpty()) {
      return new Verdict.NotHere("host-local gives no addresses here");
    }
    String read =
        "%,d of %s addresses given, %,d of them to pods that are gone"
            .formatted(is.given, is.room == 0 ? "?" : "%,d".formatted(is.room), is.gone.size());
    boolean full = is.room > 0 && is.given >= is.room;
    boolean nearly = is.room > 0 && is.given >= is.room * 9 / 10;
    if (!nearly && is.gone.size() < IN_FLUX) {
      return new Verdict.Right(read);
    }
    String some = String.join(" ", is.gone.stream().limit(5).toList());
    return new Verdict.Wrong(
        List.of(
            new Finding(
                full ? Severity.ERROR : Severity.WARNING,
                is.folder,
                "The network " + is.network + ": " + read + ".",
                "Without a free address no pod starts: 'no IP addresses available in range set'."
                    + " Addresses of pods that are gone were lost when the runtime or the node ended"
                    + " without removing them.",
                is.gone.isEmpty()
                    ? "A larger range for this node, or fewer pods (kubelet's maxPods)"
                    : "cd "
                        + is.folder
                        + " && rm "
                        + some
                        + (is.gone.size() > 5 ? " ..." : "")
                        + " after looking that no pod has them: crictl pods, ip -n NAME address")));
  }
}

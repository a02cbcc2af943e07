package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Setting;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import dev.sund.doctor.check.Proxies.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** kube-proxy: which mode it is in, what that costs here, and what others left. */
public final class ProxyChecks {
  private static final String ARP = "proc/sys/net/ipv4/conf/all/";

  /** From so many Services on the walk through their rules is felt. */
  private static final long MANY = 1_000;

  /** What comparing a packet with one rule takes, in nanoseconds: an order of magnitude. */
  private static final long RULE_NANOS = 20;

  private ProxyChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "proxy-mode", "whether kube-proxy is what it says", Proxies::of, ProxyChecks::mode),
        new Check<>(
            "proxy-two", "whether two proxies translate at once", Proxies::of, ProxyChecks::two),
        new Check<>(
            "proxy-stale", "rules of a proxy that is gone", Proxies::of, ProxyChecks::stale),
        new Check<>(
            "proxy-rules", "how many rules a new connection walks", Proxies::of, ProxyChecks::walk),
        new Check<>(
            "proxy-ipvs", "the modules of mode ipvs", ProxyChecks::ipvs, ProxyChecks::modules),
        new Check<>(
            "proxy-strict-arp",
            "whether the node answers for all Services' addresses",
            ProxyChecks::arp,
            ProxyChecks::strict),
        new Check<>(
            "iptables-both",
            "whether rules are in both of iptables' interfaces",
            Rules::of,
            ProxyChecks::both));
  }

  private static Verdict mode(Proxies is) {
    if (!is.runs()) {
      return new Verdict.NotHere("no kube-proxy runs");
    }
    List<Finding> findings = new ArrayList<>();
    if (is.claims().values().stream().distinct().count() > 1) {
      List<String> said = new ArrayList<>();
      is.claims().forEach((where, mode) -> said.add(where + " says " + mode.said()));
      findings.add(
          new Finding(
              Severity.ERROR,
              "kube-proxy",
              "kube-proxy's mode is contradicted: " + String.join(", ", said) + ".",
              "It runs in another mode than it is configured for: it was not restarted, or it could"
                  + " not and fell back.",
              "kubectl -n kube-system rollout restart daemonset kube-proxy, then read its log"));
    }
    Optional<Mode> agreed = is.agreed();
    if (agreed.isPresent() && !is.shown().contains(agreed.get())) {
      findings.add(
          new Finding(
              Severity.ERROR,
              "kube-proxy",
              "kube-proxy says that it is in mode "
                  + agreed.get().said()
                  + ", and the kernel has "
                  + (is.shown().isEmpty()
                      ? "no rules of it"
                      : "rules of mode " + Proxies.said(is.shown()) + " only")
                  + ".",
              "Services are not translated as they should be: it cannot write its rules, or somebody"
                  + " removed them.",
              "Read kube-proxy's log; kubectl -n kube-system rollout restart daemonset kube-proxy"));
    }
    if (is.health() != 0 && is.health() != 200) {
      findings.add(
          new Finding(
              Severity.ERROR,
              "kube-proxy healthz",
              "kube-proxy's health port answers %d.".formatted(is.health()),
              "It has not written its rules for a while: Services' endpoints on this node are old,"
                  + " and load balancers leave it out.",
              "Read kube-proxy's log: xtables lock, a full disk, or no way to the API server"));
    }
    return Verdict.of(
        findings,
        "%s; %s; the kernel has %s"
            .formatted(
                is.programs().isEmpty() ? "kube-proxy" : String.join(", ", is.programs()),
                is.claims().isEmpty() ? "nothing says its mode" : is.claims().toString(),
                is.shown().isEmpty() ? "no rules" : Proxies.said(is.shown())));
  }

  private static Verdict two(Proxies is) {
    List<String> who = new ArrayList<>();
    is.shown().forEach(mode -> who.add("kube-proxy's mode " + mode.said()));
    if (is.sund()) {
      who.add("Sund");
    }
    if (who.size() < 2) {
      return who.isEmpty()
          ? new Verdict.NotHere("no rules translate Services")
          : new Verdict.Right(who.getFirst() + " alone");
    }
    Optional<Mode> agreed = is.agreed();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                "Services",
                "Rules of %s are in the kernel at once%s."
                    .formatted(
                        String.join(" and of ", who),
                        agreed.map(mode -> "; kube-proxy runs in mode " + mode.said()).orElse("")),
                "Whichever comes first translates a packet: those that nobody renews send it to"
                    + " endpoints that are gone.",
                is.sund()
                    ? "End kube-proxy everywhere it runs, then: sund takeover"
                    : "kube-proxy --cleanup on this node, then restart kube-proxy; or restart the"
                        + " node")));
  }

  private static Verdict stale(Proxies is) {
    if (is.shown().isEmpty()) {
      return new Verdict.NotHere("kube-proxy has no rules here");
    }
    if (is.runs()) {
      return new Verdict.Right(
          "rules of mode "
              + Proxies.said(is.shown())
              + ", and "
              + (is.programs().isEmpty() ? "kube-proxy answers" : is.programs() + " runs"));
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "kube-proxy",
                "kube-proxy's rules (mode %s) are in the kernel, and no kube-proxy runs."
                    .formatted(Proxies.said(is.shown())),
                "Nobody renews them: they go on translating to the endpoints that there were.",
                is.sund() ? "sund takeover" : "kube-proxy --cleanup, or restart the node")));
  }

  /** Rules of mode iptables. */
  private static Verdict walk(Proxies is) {
    if (!is.shown().contains(Mode.IPTABLES)) {
      return new Verdict.NotHere("kube-proxy's mode iptables has no rules here");
    }
    Map<String, Long> services = new TreeMap<>();
    Map<String, Long> whole = new TreeMap<>();
    long chains = 0;
    for (Rules.Chain chain : is.rules().chains()) {
      if (chain.isIptables() && chain.table().equals("nat")) {
        whole.merge(chain.family(), chain.rules(), Long::sum);
        chains += chain.count();
        if (chain.name().equals("KUBE-SERVICES")) {
          services.merge(chain.family(), chain.rules(), Long::sum);
        }
      }
    }
    long walked = services.values().stream().mapToLong(Long::longValue).max().orElse(0);
    String read =
        "%,d rules in %,d chains of nat; a new connection walks up to %,d, about %,d µs"
            .formatted(
                whole.values().stream().mapToLong(Long::longValue).sum(),
                chains,
                walked,
                walked * RULE_NANOS / 1_000);
    if (walked < MANY) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "KUBE-SERVICES",
                "kube-proxy's mode iptables has many Services: " + read + ".",
                "The first packet of each connection is compared with one rule after another, and"
                    + " each change of a Service makes iptables-restore read and write them all.",
                "A proxy that looks addresses up in a map: Sund, kube-proxy's mode nftables (kernel"
                    + " 5.13 and later), or ipvs")));
  }

  /**
   * What mode ipvs needs.
   *
   * @param wanted whether kube-proxy is in it, or was told to
   * @param modules that it needs
   * @param missing of these, not there
   */
  record Ipvs(boolean wanted, List<String> modules, List<String> missing) {}

  private static Ipvs ipvs(Host host) throws UnreadException {
    Proxies proxies = Proxies.of(host);
    boolean wanted =
        proxies.shown().contains(Mode.IPVS) || proxies.claims().containsValue(Mode.IPVS);
    List<String> modules = List.of("ip_vs", "ip_vs_" + proxies.scheduler(), "nf_conntrack");
    List<String> missing = new ArrayList<>();
    if (wanted) {
      for (String module : modules) {
        if (!Modules.isThere(host, module)) {
          missing.add(module);
        }
      }
    }
    return new Ipvs(wanted, modules, missing);
  }

  private static Verdict modules(Ipvs is) {
    if (!is.wanted) {
      return new Verdict.NotHere("nobody asks for mode ipvs");
    }
    if (is.missing.isEmpty()) {
      return new Verdict.Right(String.join(", ", is.modules) + " are there");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                String.join(", ", is.missing),
                "kube-proxy's mode ipvs needs modules that the kernel has not loaded: "
                    + String.join(", ", is.missing)
                    + ".",
                "kube-proxy then ends, or falls back to iptables without telling anybody but its"
                    + " log.",
                "modprobe -a "
                    + String.join(" ", is.modules)
                    + ", and the same in /etc/modules-load.d/ipvs.conf",
                is.missing.stream().<Setting>map(Setting.Module::new).toList())));
  }

  /**
   * ARP beside mode ipvs.
   *
   * @param device whether its device is there
   * @param ignore {@code net.ipv4.conf.all.arp_ignore}
   * @param announce {@code net.ipv4.conf.all.arp_announce}
   * @param told what kube-proxy was told of strictARP
   */
  record Arp(boolean device, long ignore, long announce, Optional<Boolean> told) {}

  private static Arp arp(Host host) throws UnreadException {
    boolean device = false;
    for (Line line : host.lines(Facts.LINKS)) {
      device |= line.text("link").equals(Proxies.IPVS_DEVICE);
    }
    return device
        ? new Arp(
            true,
            host.number(ARP + "arp_ignore"),
            host.number(ARP + "arp_announce"),
            Proxies.of(host).strictArp())
        : new Arp(false, 0, 0, Optional.empty());
  }

  private static Verdict strict(Arp is) {
    if (!is.device) {
      return new Verdict.NotHere("kube-proxy's mode ipvs has no device here");
    }
    String read = "arp_ignore=%d arp_announce=%d".formatted(is.ignore, is.announce);
    if (is.ignore >= 1 && is.announce >= 2) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "strictARP",
                "Mode ipvs has all Services' addresses on a device of the node, and the node answers"
                    + " ARP for them: "
                    + read
                    + is.told.map(told -> ", strictARP: " + told).orElse("")
                    + ".",
                "Every node answers for a load balancer's address, so that MetalLB's and others'"
                    + " announcements do not hold: traffic comes by another node than announced, and"
                    + " connections break when the switch learns anew.",
                "ipvs: {strictARP: true} in kube-proxy's ConfigMap; at once: sysctl -w"
                    + " net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")));
  }

  private static Verdict both(Rules rules) {
    long legacy =
        rules.where(one -> one.tool().equals("legacy")).mapToLong(Rules.Chain::rules).sum();
    long modern =
        rules
            .where(one -> one.tool().equals("nft") && one.isIptables())
            .mapToLong(Rules.Chain::rules)
            .sum();
    String read = "%,d rules by iptables-legacy, %,d by iptables-nft".formatted(legacy, modern);
    if (legacy == 0 || modern == 0) {
      return legacy + modern == 0
          ? new Verdict.NotHere("iptables has no rules")
          : new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "iptables",
                "Programs of this node use both of iptables' interfaces: " + read + ".",
                "Each sees its own rules only: a packet that one accepts is dropped by the other, and"
                    + " whoever lists the rules sees half of them.",
                "update-alternatives --config iptables: one for the node; pods' images bring their"
                    + " own, which should choose by what the node has")));
  }
}

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether the kernel has what the programs of this node need, and what lists ask of it. */
public final class KernelChecks {
  /** Scripts that load modules, as guides from before 4.19 have them. */
  private static final String SCRIPTS = "etc/sysconfig/modules";

  /** {@code nf_conntrack_ipv4} as a word, maybe behind {@code modprobe --}; not in a remark. */
  private static final Pattern GONE =
      Pattern.compile("^(?:[^#;]*\\s)?(nf_conntrack_ipv[46])(?:\\s.*)?$");

  private KernelChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "kernel-needs",
            "whether the kernel has what is needed",
            KernelChecks::needs,
            KernelChecks::has),
        new Check<>(
            "module-lists",
            "modules that lists name and that are gone",
            KernelChecks::lists,
            KernelChecks::gone));
  }

  /**
   * What one program needs.
   *
   * @param major the kernel's least version, with {@code minor}
   * @param options names behind {@code CONFIG_}
   */
  private record Need(int major, int minor, List<String> options) {}

  private static final Need NFTABLES =
      new Need(5, 13, List.of("NF_TABLES", "NF_TABLES_INET", "NFT_NAT", "NFT_MASQ", "NFT_FIB"));
  private static final Need IPTABLES =
      new Need(
          4,
          19,
          List.of(
              "NETFILTER_XT_MATCH_STATISTIC",
              "NETFILTER_XT_MATCH_COMMENT",
              "NETFILTER_XT_MATCH_ADDRTYPE"));
  private static final Need IPVS =
      new Need(4, 19, List.of("IP_VS", "IP_VS_RR", "IP_VS_NFCT", "IP_SET"));
  private static final Need EBPF =
      new Need(
          5,
          10,
          List.of(
              "BPF_SYSCALL",
              "BPF_JIT",
              "NET_CLS_BPF",
              "NET_CLS_ACT",
              "NET_SCH_INGRESS",
              "CGROUP_BPF",
              "PERF_EVENTS"));

  /**
   * The kernel against who is here.
   *
   * @param release its version
   * @param who looked at
   * @param old who needs a newer one
   * @param missing of each the options that are off
   * @param configured whether the kernel's configuration could be read
   */
  record Needs(
      Release release,
      List<String> who,
      List<String> old,
      Map<String, List<String>> missing,
      boolean configured) {}

  private static Needs needs(Host host) throws UnreadException {
    Release release = Release.of(host);
    Map<String, Need> needs = new LinkedHashMap<>();
    Proxies proxies = Proxies.of(host);
    for (Proxies.Mode mode : Proxies.Mode.values()) {
      if (proxies.shown().contains(mode) || proxies.claims().containsValue(mode)) {
        needs.put(
            "kube-proxy's mode " + mode.said(),
            switch (mode) {
              case IPTABLES -> IPTABLES;
              case IPVS -> IPVS;
              case NFTABLES -> NFTABLES;
            });
      }
    }
    if (proxies.rules().has(one -> one.table().equals("sund"))) {
      needs.put("Sund", new Need(5, 10, NFTABLES.options()));
    }
    for (Line line : host.lines(Facts.LINKS)) {
      if (line.text("link").equals("cilium_host")) {
        needs.put("Cilium", EBPF);
      }
    }
    String config = config(host, release).orElse("");
    List<String> old = new ArrayList<>();
    Map<String, List<String>> missing = new LinkedHashMap<>();
    needs.forEach((who, need) -> {
      if (!release.isAtLeast(need.major, need.minor)) {
        old.add("%s from %d.%d on".formatted(who, need.major, need.minor));
      }
      for (String option : need.options) {
        if (config.contains("# CONFIG_" + option + " is not set")) {
          missing.computeIfAbsent(who, _ -> new ArrayList<>()).add("CONFIG_" + option);
        }
      }
    });
    return new Needs(release, List.copyOf(needs.keySet()), old, missing, !config.isEmpty());
  }

  /** How the kernel was built: where distributions put it, or what it says itself. */
  private static Optional<String> config(Host host, Release release) throws UnreadException {
    for (String file :
        List.of(
            "boot/config-" + release.text(),
            "lib/modules/" + release.text() + "/config",
            "usr/lib/modules/" + release.text() + "/config")) {
      Optional<String> text = host.textIfThere(file);
      if (text.isPresent()) {
        return text;
      }
    }
    return host.unzippedIfThere("proc/config.gz"); // CONFIG_IKCONFIG_PROC
  }

  private static Verdict has(Needs is) {
    List<Finding> findings = new ArrayList<>();
    if (!is.old.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              "kernel",
              "The kernel is "
                  + is.release.text()
                  + "; needed by "
                  + String.join(", ", is.old)
                  + ".",
              "What it lacks is refused when the program asks for it, or left out silently.",
              "A newer kernel: Debian's backports, Ubuntu's HWE"));
    }
    is.missing.forEach((who, options) ->
        findings.add(
            new Finding(
                Severity.ERROR,
                "kernel",
                "The kernel "
                    + is.release.text()
                    + " was built without what "
                    + who
                    + " needs: "
                    + String.join(", ", options)
                    + ".",
                "No module brings it: the kernel answers 'operation not supported'.",
                "The distribution's own kernel, or one with these options")));
    return Verdict.of(
        findings,
        is.release.text()
            + (is.who.isEmpty() ? ", nobody asks for more" : " for " + String.join(", ", is.who))
            + (is.configured
                ? ""
                : "; its configuration is neither in /boot nor in /proc/config.gz"));
  }

  /**
   * Modules in lists.
   *
   * @param files how many lists there are
   * @param gone lines that name a module that is gone, as {@code FILE: MODULE}
   */
  record Lists(Release release, int files, List<String> gone) {}

  private static Lists lists(Host host) throws UnreadException {
    Release release = Release.of(host);
    Map<String, List<String>> lists = new LinkedHashMap<>(Modules.lists(host));
    List<String> scripts = new ArrayList<>(List.of("etc/rc.local"));
    for (String name : host.names(SCRIPTS)) {
      if (name.endsWith(".modules")) {
        scripts.add(SCRIPTS + "/" + name);
      }
    }
    for (String script : scripts) {
      lists.put(script, host.textIfThere(script).orElse("").lines().toList());
    }
    List<String> gone = new ArrayList<>();
    lists.forEach((file, lines) -> {
      for (String line : lines) {
        Matcher named = GONE.matcher(line.strip());
        if (named.matches()) {
          gone.add("/" + file + ": " + named.group(1));
        }
      }
    });
    return new Lists(release, lists.size(), release.isAtLeast(4, 19) ? gone : List.of());
  }

  private static Verdict gone(Lists is) {
    if (is.gone.isEmpty()) {
      return new Verdict.Right(is.files + " lists of modules");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                is.gone.getFirst(),
                "A list names modules that the kernel %s does not have: %s."
                    .formatted(is.release.text(), String.join(", ", is.gone)),
                "They became part of nf_conntrack in Linux 4.19. systemd-modules-load fails at each"
                    + " start, and scripts that go on only when it does not stop there.",
                "Write nf_conntrack instead")));
  }
}

package dev.sund.doctor.check;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.UnreadException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who translates Services on a node.
 *
 * @param programs the proxies that run, by name
 * @param claims which mode each source says: a configuration, a command line, an answer, a log
 * @param health what kube-proxy's health port answers; 0 when nobody does
 * @param shown the modes whose rules are in the kernel
 * @param sund whether Sund's rules translate Services
 * @param rules of the node
 * @param strictArp what kube-proxy was told
 * @param scheduler of mode ipvs, {@code rr} unless it was told another
 */
record Proxies(
    List<String> programs,
    Map<String, Mode> claims,
    long health,
    Set<Mode> shown,
    boolean sund,
    Rules rules,
    Optional<Boolean> strictArp,
    String scheduler) {
  /** A mode of kube-proxy. */
  enum Mode {
    IPTABLES,
    IPVS,
    NFTABLES;

    static Optional<Mode> of(String word) {
      for (Mode mode : values()) {
        if (mode.said().equals(word.toLowerCase(Locale.ROOT))) {
          return Optional.of(mode);
        }
      }
      return Optional.empty();
    }

    String said() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The device that mode ipvs gives the Services' addresses. */
  static final String IPVS_DEVICE = "kube-ipvs0";

  private static final Set<String> PROGRAMS =
      Set.of(
          "kube-proxy",
          "kube-router",
          "hyperkube",
          "kubelite", // MicroK8s
          "k3s",
          "k3s-server",
          "k3s-agent");

  private static final String LOGS = "var/log/pods";
  private static final Pattern LOGGED =
      Pattern.compile("Using (iptables|ipvs|nftables) [Pp]roxier");
  private static final Pattern MODE =
      Pattern.compile("(?m)^mode:[ \\t]*[\"']?(\\w*)[\"']?[ \\t]*(#.*)?$");
  private static final Pattern STRICT = Pattern.compile("(?m)^\\s+strictARP:\\s*(true|false)");

  private static final Pattern SCHEDULER =
      Pattern.compile("(?m)^\\s+scheduler:[ \\t]*[\"']?([a-z]{1,12})[\"']?[ \\t]*(#.*)?$");

  static Proxies of(Host host) throws UnreadException {
    return host.once(Proxies.class, Proxies::read);
  }

  private static Proxies read(Host host) throws UnreadException {
    Map<String, Mode> claims = new TreeMap<>();
    Optional<Boolean> strict = Optional.empty();
    String scheduler = "rr";
    List<Processes.One> running = Processes.named(host, PROGRAMS);
    for (Processes.One one : running) {
      Optional<String> option = one.option("--proxy-mode");
      option.flatMap(Mode::of).ifPresent(mode -> claims.put("its command line", mode));
      Optional<String> arp = one.option("--ipvs-strict-arp");
      strict = arp.isPresent() ? arp.map(Boolean::parseBoolean) : strict;
      scheduler = one.option("--ipvs-scheduler").filter(name -> !name.isEmpty()).orElse(scheduler);
      Optional<String> file = one.option("--config");
      if (file.isPresent() && one.name().equals("kube-proxy")) {
        // With a configuration file kube-proxy takes the mode from it alone.
        Optional<String> text = host.textIfThere("proc/" + one.number() + "/root" + file.get());
        text = text.isPresent() ? text : host.textIfThere(file.get().replaceFirst("^/+", ""));
        if (text.isPresent()) {
          claims.remove("its command line");
          claims.put(file.get(), configured(text.get()));
          Matcher said = SCHEDULER.matcher(text.get());
          scheduler = said.find() ? said.group(1) : "rr";
          Matcher arpIn = STRICT.matcher(text.get());
          strict = arpIn.find() ? Optional.of(arpIn.group(1).equals("true")) : strict;
        }
      }
    }
    long health = 0;
    for (Line line : host.lines(Facts.PROXY)) {
      if (line.text("asked").equals("proxyMode")) {
        Mode.of(line.text("mode")).ifPresent(mode -> claims.put("/proxyMode", mode));
      } else if (line.text("asked").equals("healthz")) {
        health = line.number("status");
      }
    }
    boolean isKubeProxy = running.stream().anyMatch(one -> one.name().equals("kube-proxy"));
    if (isKubeProxy) {
      logged(host).ifPresent(mode -> claims.put("its log", mode));
    }
    Rules rules = Rules.of(host);
    boolean sund =
        rules.has(one ->
            one.family().equals("inet")
                && one.table().equals("sund")
                && one.name().equals("dispatch"));
    return new Proxies(
        running.stream().<String>map(Processes.One::name).distinct().toList(),
        claims,
        health,
        shown(host, rules),
        sund,
        rules,
        strict,
        scheduler);
  }

  /** The mode that a KubeProxyConfiguration says; on Linux none means iptables. */
  private static Mode configured(String text) {
    Matcher mode = MODE.matcher(text);
    return mode.find() ? Mode.of(mode.group(1)).orElse(Mode.IPTABLES) : Mode.IPTABLES;
  }

  private static Optional<Mode> logged(Host host) throws UnreadException {
    Optional<Mode> last = Optional.empty();
    for (String pod : host.names(LOGS)) {
      if (pod.startsWith("kube-system_kube-proxy-")) {
        for (String file : host.names(LOGS + "/" + pod + "/kube-proxy")) {
          if (file.endsWith(".log")) {
            Matcher line =
                LOGGED.matcher(
                    host.textIfThere(LOGS + "/" + pod + "/kube-proxy/" + file).orElse(""));
            while (line.find()) {
              last = Mode.of(line.group(1));
            }
          }
        }
      }
    }
    return last;
  }

  private static Set<Mode> shown(Host host, Rules rules) throws UnreadException {
    Set<Mode> shown = EnumSet.noneOf(Mode.class);
    boolean ipvs = false;
    for (Line line : host.lines(Facts.LINKS)) {
      ipvs |= line.text("link").equals(IPVS_DEVICE);
    }
    if (ipvs) {
      shown.add(Mode.IPVS);
    }
    if (rules.has(
        one ->
            one.table().equals("kube-proxy")
                && (one.family().equals("ip") || one.family().equals("ip6")))) {
      shown.add(Mode.NFTABLES);
    }
    // Mode ipvs has the chain KUBE-SERVICES, too, but none for a single Service.
    if (rules.hasIptables("nat", "KUBE-SVC-")
        || rules.hasIptables("nat", "KUBE-SEP-")
        || (!ipvs && rules.hasIptables("nat", "KUBE-SERVICES"))) {
      shown.add(Mode.IPTABLES);
    }
    return shown;
  }

  /** What it says it is; empty when nobody says anything or they contradict each other. */
  Optional<Mode> agreed() {
    List<Mode> modes = claims.values().stream().distinct().toList();
    return modes.size() == 1 ? Optional.of(modes.getFirst()) : Optional.empty();
  }

  /** Whether some proxy runs. */
  boolean runs() {
    return !programs.isEmpty() || claims.containsKey("/proxyMode");
  }

  /** Modes for people. */
  static String said(Iterable<Mode> modes) {
    StringBuilder text = new StringBuilder();
    for (Mode mode : modes) {
      text.append(text.isEmpty() ? "" : " and ").append(mode.said());
    }
    return text.toString();
  }
}

package dev.sund.doctor.tune;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Host;
import dev.sund.doctor.Result;
import dev.sund.doctor.Setting;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.check.Modules;
import dev.sund.doctor.check.SysctlFiles;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes a {@link TunePlan} of what the checks find: in the machine as it runs, and as its files
 * would have it after the next start. After each look it is asked again what would be found if the
 * settings held, until nothing new comes: applying it twice changes nothing.
 */
public final class TunePlanner {
  private static final String SYS = "proc/sys/";
  private static final String FORWARD = "net/ipv4/ip_forward";
  private static final String CONF = "net/ipv4/conf";
  private static final int ROUNDS = 5;

  /** The checks whose findings can have settings. */
  private static final List<String> CHECKS =
      List.of(
          "forwarding-off",
          "reverse-path-filter",
          "bridge-netfilter",
          "proxy-ipvs",
          "neighbours-full",
          "conntrack-full",
          "conntrack-size",
          "conntrack-buckets",
          "conntrack-timeouts",
          "sysctl-values",
          "sysctl-devices",
          "sysctl-ipvs",
          "listen-overflows",
          "softnet-drops");

  /** What lists on the web tell to set. Why it is left: docs/doctor/sysctl-values.md. */
  private static final Map<String, String> LEFT = new LinkedHashMap<>();

  static {
    LEFT.put(
        "vm/swappiness", "without swap it says nothing, and 0 does not switch swap off either");
    LEFT.put(
        "net/ipv4/tcp_tw_reuse",
        "2 (for loopback) is the kernel's own; 1 is harmless and seldom helps a node, which opens"
            + " few connections itself");
    LEFT.put(
        "net/ipv4/tcp_keepalive_time",
        "only sockets that ask for it use it, and pods have their own");
    LEFT.put("net/core/somaxconn", "4096 is enough for the node's own programs; pods have theirs");
    LEFT.put("net/ipv4/tcp_max_syn_backlog", "with SYN cookies the queue's length matters little");
    LEFT.put(
        "net/ipv4/neigh/default/gc_thresh3",
        "there is room; a routed network needs less of it than one link with thousands of pods");
    LEFT.put("net/netfilter/nf_conntrack_max", "it suits this machine's processors and memory");
  }

  private final Host host;
  private final Map<String, Wanted> keys = new LinkedHashMap<>();
  private final Map<String, String> modules = new LinkedHashMap<>();
  private List<Result> unread = List.of();

  /** A value and the reason for it. */
  private record Wanted(String value, String why) {}

  private TunePlanner(Host host) {
    this.host = host;
  }

  /**
   * Plans.
   *
   * @throws UnreadException when the files that set keys cannot be read
   * @throws NotTunedException when a file of our name is not ours
   * @throws InterruptedException when the wait for what changes is broken off
   */
  public static TunePlan of(Host host)
      throws UnreadException, NotTunedException, InterruptedException {
    return new TunePlanner(host).plan();
  }

  private TunePlan plan() throws UnreadException, NotTunedException, InterruptedException {
    List<Check<?>> checks = new ArrayList<>();
    CHECKS.forEach(id -> checks.add(Catalogue.named(id).orElseThrow()));
    SysctlFiles files = SysctlFiles.of(host);
    TuneFile ours = file(SysctlFiles.OURS);
    TuneFile listed = file(Modules.OURS);

    Examination found = Examination.of(host, checks);
    unread = found.unread();
    settle(found, Map.of(), checks);
    Map<String, String> start = atStart(files);
    settle(Examination.now(host.assuming(start), checks), start, checks);

    keep(ours);
    dropWhatTheKernelHasNot();
    List<TunePlan.Key> planned = new ArrayList<>();
    for (Map.Entry<String, Wanted> entry : keys.entrySet()) {
      planned.add(key(entry.getKey(), entry.getValue(), files));
    }
    Map<String, String> needed = needed(listed);
    List<TunePlan.Module> loads = new ArrayList<>();
    for (Map.Entry<String, String> module : needed.entrySet()) {
      loads.add(
          new TunePlan.Module(
              module.getKey(), Modules.isThere(host, module.getKey()), module.getValue()));
    }
    return new TunePlan(planned, loads, left(), unread, files(needed));
  }

  private TuneFile file(String path) throws UnreadException, NotTunedException {
    return TuneFile.of(path, host.textIfThere(path).orElse(""));
  }

  /** Asks again, as if what was found had been mended, until there is nothing new. */
  private void settle(Examination first, Map<String, String> start, List<Check<?>> checks)
      throws UnreadException {
    Examination found = first;
    for (int round = 0; round < ROUNDS && collect(found); round++) {
      Map<String, String> wanted = new LinkedHashMap<>();
      keys.forEach((key, one) -> wanted.put(key, one.value()));
      Map<String, String> assumed = new HashMap<>(start);
      assumed.putAll(assumed(wanted));
      found = Examination.now(host.assuming(assumed), checks);
    }
  }

  /** Whether there was something new. */
  private boolean collect(Examination found) {
    int before = keys.size() + modules.size();
    for (Examination.Found one : found.findings()) {
      for (Setting setting : one.finding().settings()) {
        switch (setting) {
          case Setting.Sysctl(var key, var value) ->
              keys.putIfAbsent(key, new Wanted(value, one.finding().why()));
          case Setting.Module(var name) -> modules.putIfAbsent(name, one.finding().why());
        }
      }
    }
    return keys.size() + modules.size() > before;
  }

  /**
   * The files of these keys. The kernel writes each device's forwarding when that of all is
   * written.
   */
  private Map<String, String> assumed(Map<String, String> values) throws UnreadException {
    Map<String, String> assumed = new HashMap<>();
    String forward = values.get(FORWARD);
    if (forward != null) {
      for (String device : host.names(SYS + CONF)) {
        assumed.put(SYS + CONF + "/" + device + "/forwarding", forward);
      }
    }
    values.forEach((key, value) -> assumed.put(SYS + key, value));
    return assumed;
  }

  /** What holds after the next start if we did nothing: what other files set. */
  private Map<String, String> atStart(SysctlFiles files) throws UnreadException {
    Map<String, String> values = new LinkedHashMap<>();
    files
        .values()
        .forEach((key, all) -> {
          for (SysctlFiles.Assignment one : all) {
            if (!one.file().equals(SysctlFiles.OURS) && host.has(SYS + key)) {
              values.put(key, one.value());
            }
          }
        });
    return assumed(values);
  }

  /** What an earlier run wrote and what is right since then stays, with its reason. */
  private void keep(TuneFile ours) {
    Map<String, Wanted> all = new LinkedHashMap<>();
    ours.lines()
        .forEach((key, line) -> {
          Wanted found = keys.get(key);
          boolean stays = found == null || found.value().equals(line.value());
          all.put(key, stays ? new Wanted(line.value(), line.why()) : found);
        });
    keys.forEach(all::putIfAbsent);
    keys.clear();
    keys.putAll(all);
  }

  private void dropWhatTheKernelHasNot() {
    keys.keySet().removeIf(key -> moduleOf(key).isEmpty() && !host.has(SYS + key));
  }

  /** The module that brings a key; nothing for what every kernel has. */
  private static Optional<String> moduleOf(String key) {
    if (key.startsWith("net/netfilter/nf_conntrack_")) {
      return Optional.of("nf_conntrack");
    }
    if (key.startsWith("net/bridge/")) {
      return Optional.of("br_netfilter");
    }
    return key.startsWith("net/ipv4/vs/") ? Optional.of("ip_vs") : Optional.empty();
  }

  private TunePlan.Key key(String key, Wanted wanted, SysctlFiles files) throws UnreadException {
    String setBy = "";
    Optional<String> overridden = Optional.empty();
    for (SysctlFiles.Assignment one : files.values().getOrDefault(key, List.of())) {
      if (!one.file().equals(SysctlFiles.OURS)) {
        setBy = one.file();
        if (isReadAfterOurs(one.file())) {
          overridden =
              one.value().equals(wanted.value()) ? Optional.empty() : Optional.of(one.file());
        }
      }
    }
    return new TunePlan.Key(
        key,
        host.textIfThere(SYS + key).map(SysctlFiles::normal),
        setBy,
        wanted.value(),
        wanted.why(),
        overridden,
        setByProxy(key)
            ? "kube-proxy sets it each time it starts: conntrack in its configuration, too"
            : "");
  }

  private static boolean isReadAfterOurs(String file) {
    String name = file.substring(file.lastIndexOf('/') + 1);
    String ours = SysctlFiles.OURS.substring(SysctlFiles.OURS.lastIndexOf('/') + 1);
    return file.equals("etc/sysctl.conf") || name.compareTo(ours) > 0;
  }

  private boolean setByProxy(String key) throws UnreadException {
    if (!key.equals("net/netfilter/nf_conntrack_max")
        && !key.equals("net/netfilter/nf_conntrack_tcp_timeout_established")) {
      return false;
    }
    for (String entry : host.names("proc")) {
      if (Character.isDigit(entry.charAt(0))
          && host.textIfThere("proc/" + entry + "/comm").filter("kube-proxy"::equals).isPresent()) {
        return true;
      }
    }
    return false;
  }

  /** The modules that our keys and the findings need, unless another list names them. */
  private Map<String, String> needed(TuneFile listed) throws UnreadException {
    Map<String, String> needed = new LinkedHashMap<>(modules);
    for (String key : keys.keySet()) {
      Optional<String> module = moduleOf(key);
      if (module.isPresent()) {
        needed.putIfAbsent(module.get(), "the key " + Setting.Sysctl.written(key));
      }
    }
    listed.lines().forEach((module, line) -> needed.put(module, line.why()));
    Map<String, List<String>> lists = new HashMap<>(Modules.lists(host));
    lists.remove(Modules.OURS);
    for (String module : List.copyOf(needed.keySet())) {
      boolean elsewhere = lists.values().stream().anyMatch(lines -> lines.contains(module));
      if (Modules.isBuiltIn(host, module)
          || (elsewhere && Modules.isThere(host, module) && !listed.lines().containsKey(module))) {
        needed.remove(module);
      }
    }
    return needed;
  }

  private List<TunePlan.Left> left() throws UnreadException {
    List<TunePlan.Left> left = new ArrayList<>();
    for (Map.Entry<String, String> entry : LEFT.entrySet()) {
      Optional<String> now = host.textIfThere(SYS + entry.getKey());
      if (now.isPresent() && !keys.containsKey(entry.getKey())) {
        left.add(new TunePlan.Left(entry.getKey(), now.get(), entry.getValue()));
      }
    }
    return left;
  }

  private List<TunePlan.File> files(Map<String, String> needed) throws UnreadException {
    TuneFile settings = new TuneFile(SysctlFiles.OURS, new LinkedHashMap<>());
    keys.forEach((key, wanted) -> settings.put(key, wanted.value(), wanted.why()));
    TuneFile list = new TuneFile(Modules.OURS, new LinkedHashMap<>());
    needed.forEach((module, why) -> list.put(module, "", why));
    List<TunePlan.File> files = new ArrayList<>();
    for (TuneFile file : List.of(settings, list)) {
      if (!file.lines().isEmpty()) {
        Optional<String> now = host.textIfThere(file.path()); // without blanks at its ends
        boolean differs = !now.equals(Optional.of(file.text().strip()));
        files.add(new TunePlan.File(file.path(), file.text(), differs));
      }
    }
    return files;
  }
}

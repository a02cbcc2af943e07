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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The kernel's settings: what files say against what holds, and values that do not suit this
 * machine. What lists on the web tell, and what is right as it is, stands in the checks' pages.
 */
public final class SysctlChecks {
  private static final String SYS = "proc/sys/";
  private static final String SWAPS = "proc/swaps";

  /** Resolvers ask again after five seconds, and once more. */
  private static final long SHORTEST_QUESTION = 10;

  /** The kernel's own for a connection that one end has closed. */
  private static final long SHORTEST_HALF = 60;

  private static final int FIRST_NODE_PORT = 30_000;
  private static final int LAST_NODE_PORT = 32_767;

  private SysctlChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "sysctl-files",
            "whether what files set is what holds",
            SysctlChecks::persisted,
            SysctlChecks::kept),
        new Check<>(
            "sysctl-values",
            "values that do not suit this machine",
            SysctlChecks::values,
            SysctlChecks::suited),
        new Check<>(
            "sysctl-ipvs", "what mode ipvs needs set", SysctlChecks::ipvs, SysctlChecks::balanced),
        new Check<>(
            "sysctl-pods",
            "settings that pods do not have from their node",
            SysctlChecks::inherited,
            SysctlChecks::own),
        new Check<>(
            "swap", "whether memory is swapped", SysctlChecks::swaps, SysctlChecks::swapped));
  }

  /**
   * A key that files set.
   *
   * @param key with dots
   * @param all its assignments, the last one counts
   * @param running what holds; empty when the kernel has no such key
   */
  record Persisted(String key, List<SysctlFiles.Assignment> all, Optional<String> running) {}

  private static List<Persisted> persisted(Host host) throws UnreadException {
    List<Persisted> keys = new ArrayList<>();
    for (Map.Entry<String, List<SysctlFiles.Assignment>> entry :
        SysctlFiles.of(host).values().entrySet()) {
      String path = entry.getKey();
      if (path.startsWith("net/") || path.startsWith("vm/swap")) {
        keys.add(
            new Persisted(
                path.replace('/', '.'),
                entry.getValue(),
                host.textIfThere(SYS + path).map(SysctlFiles::normal)));
      }
    }
    return keys;
  }

  private static Verdict kept(List<Persisted> keys) {
    if (keys.isEmpty()) {
      return new Verdict.NotHere("no file sets anything of the network");
    }
    List<Finding> findings = new ArrayList<>();
    for (Persisted key : keys) {
      SysctlFiles.Assignment last = key.all.getLast();
      List<SysctlFiles.Assignment> admins =
          key.all.stream().filter(one -> one.file().startsWith("etc/")).toList();
      if (key.running.isEmpty()) {
        findings.add(
            new Finding(
                Severity.WARNING,
                key.key,
                "/%s sets %s, which this kernel does not have.".formatted(last.file(), key.key),
                key.key.equals("net.ipv4.tcp_tw_recycle")
                    ? "It is gone since Linux 4.12; before, it lost connections of clients behind"
                        + " one address."
                    : "It was never set: the key is gone, or its module was not loaded when the"
                        + " files were read (nf_conntrack, br_netfilter), and is not set later.",
                key.key.equals("net.ipv4.tcp_tw_recycle")
                    ? "Remove the line"
                    : "Name the module in /etc/modules-load.d, or remove the line"));
      } else if (!key.running.get().equals(last.value())) {
        boolean proxy = key.key.startsWith("net.netfilter.nf_conntrack_");
        findings.add(
            new Finding(
                Severity.WARNING,
                key.key,
                "%s is %s, and /%s sets %s."
                    .formatted(key.key, key.running.get(), last.file(), last.value()),
                proxy
                    ? "kube-proxy sets it each time it starts, by the number of processors: the file"
                        + " holds until then only."
                    : "After the next start of the node the other value holds: something changes"
                        + " then that nobody changed.",
                proxy
                    ? "conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s} in kube-proxy's"
                        + " configuration leaves the file's value; or set it there"
                    : "sysctl -p /" + last.file() + ", or write what holds into the file"));
      } else if (admins.size() > 1 && !last.file().equals(SysctlFiles.OURS)) {
        findings.add(
            new Finding(
                Severity.NOTE,
                key.key,
                "%s is set to %s by /%s and to %s by /%s, which wins."
                    .formatted(
                        key.key,
                        admins.getFirst().value(),
                        admins.getFirst().file(),
                        last.value(),
                        last.file()),
                "Files are read in the order of their names, whichever folder they are in: who"
                    + " changes the first wonders.",
                "Remove the line that does not count"));
      }
    }
    return Verdict.of(findings, keys.size() + " keys of the network are set by files, all hold");
  }

  /**
   * Values that hold.
   *
   * @param numbers by key; those that the kernel has
   * @param ports the first and the last port of outgoing connections; empty when not read
   * @param reserved {@code ip_local_reserved_ports}
   * @param memory in bytes
   * @param cores processors
   */
  record Values(Map<String, Long> numbers, long[] ports, String reserved, long memory, long cores) {
    long of(String key, long absent) {
      return numbers.getOrDefault(key, absent);
    }
  }

  private static final List<String> NUMBERS =
      List.of(
          "net/core/somaxconn",
          "net/ipv4/tcp_max_syn_backlog",
          "net/ipv4/tcp_syncookies",
          "net/ipv4/tcp_tw_reuse",
          "net/ipv4/tcp_keepalive_time",
          "net/ipv4/neigh/default/gc_thresh1",
          "net/ipv4/neigh/default/gc_thresh2",
          "net/ipv4/neigh/default/gc_thresh3",
          "net/ipv6/neigh/default/gc_thresh1",
          "net/ipv6/neigh/default/gc_thresh2",
          "net/ipv6/neigh/default/gc_thresh3",
          "net/netfilter/nf_conntrack_tcp_timeout_established",
          "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
          "net/netfilter/nf_conntrack_tcp_be_liberal",
          "net/netfilter/nf_conntrack_udp_timeout",
          "net/netfilter/nf_conntrack_udp_timeout_stream",
          "net/core/netdev_max_backlog",
          "vm/swappiness");

  private static Values values(Host host) throws UnreadException {
    Map<String, Long> numbers = new TreeMap<>();
    for (String key : NUMBERS) {
      OptionalLong value = host.numberIfThere(SYS + key);
      if (value.isPresent()) {
        numbers.put(key.replace('/', '.'), value.getAsLong());
      }
    }
    String[] range = host.text(SYS + "net/ipv4/ip_local_port_range").split("\\s+");
    long[] ports = new long[0];
    if (range.length == 2 && range[0].matches("\\d{1,5}") && range[1].matches("\\d{1,5}")) {
      ports = new long[] {Long.parseLong(range[0]), Long.parseLong(range[1])};
    }
    return new Values(
        numbers,
        ports,
        host.textIfThere(SYS + "net/ipv4/ip_local_reserved_ports").orElse(""),
        Machine.memory(host),
        Machine.cores(host));
  }

  private static Verdict suited(Values is) {
    List<Finding> findings = new ArrayList<>();
    long queue = is.of("net.core.somaxconn", 4_096);
    if (queue < 1_024) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              "net.core.somaxconn",
              "At most %,d connections wait to be accepted by a program of the node."
                  .formatted(queue),
              "A burst of clients is refused although the program would take them.",
              List.of(new Setting.Sysctl("net/core/somaxconn", 4_096)),
              ", the kernel's own since 5.4; pods have theirs"));
    }
    if (is.of("net.ipv4.tcp_syncookies", 1) == 0
        && is.of("net.ipv4.tcp_max_syn_backlog", 8_192) < 8_192) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              "net.ipv4.tcp_syncookies",
              "SYN cookies are off, and only %,d half-open connections are kept."
                  .formatted(is.of("net.ipv4.tcp_max_syn_backlog", 0)),
              "A burst of clients, or an attack, fills the queue, and others' SYN are dropped.",
              List.of(
                  new Setting.Sysctl("net/ipv4/tcp_syncookies", 1),
                  new Setting.Sysctl("net/ipv4/tcp_max_syn_backlog", 8_192)),
              ""));
    }
    for (String family : List.of("ipv4", "ipv6")) {
      String key = "net." + family + ".neigh.default.gc_thresh";
      long one = is.of(key + 1, 0);
      long two = is.of(key + 2, one);
      long three = is.of(key + 3, two);
      if (one > two || two > three) {
        findings.add(
            Finding.set(
                Severity.WARNING,
                key + "3",
                "%s1, 2 and 3 are %,d, %,d and %,d: not one above the other."
                    .formatted(key, one, two, three),
                "The table of neighbours is full before its cleaner begins.",
                Machine.neighbours(family, Math.max(one, 1_024) * 4),
                ""));
      }
    }
    long keepalive = is.of("net.ipv4.tcp_keepalive_time", 7_200);
    long established = is.of("net.netfilter.nf_conntrack_tcp_timeout_established", Long.MAX_VALUE);
    if (established <= keepalive) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              "net.netfilter.nf_conntrack_tcp_timeout_established",
              "Idle connections are forgotten after %,d s, and kept alive after %,d s only."
                  .formatted(established, keepalive),
              "A connection to a Service that says nothing for that long is translated no more: its"
                  + " next packet is answered by a reset, or by nobody.",
              List.of(
                  new Setting.Sysctl(
                      "net/netfilter/nf_conntrack_tcp_timeout_established",
                      Math.max(86_400, keepalive * 2))),
              ""));
    }
    addForgotten(is, findings);
    if (is.ports.length == 2) {
      boolean overlaps = is.ports[0] <= LAST_NODE_PORT && is.ports[1] >= FIRST_NODE_PORT;
      if (overlaps && !is.reserved.contains("30000-32767")) {
        findings.add(
            Finding.set(
                Severity.WARNING,
                "net.ipv4.ip_local_port_range",
                "Outgoing connections of the node take ports from %d to %d, and so do node ports"
                        .formatted(is.ports[0], is.ports[1])
                    + " (30000 to 32767).",
                "The answers of such a connection come to a port that is a Service's.",
                List.of(
                    new Setting.Sysctl(
                        "net/ipv4/ip_local_reserved_ports",
                        (is.reserved.isEmpty() ? "" : is.reserved + ",") + "30000-32767")),
                ""));
      }
      if (is.ports[1] - is.ports[0] < 10_000) {
        findings.add(
            Finding.set(
                Severity.WARNING,
                "net.ipv4.ip_local_port_range",
                "Only %,d ports are there for outgoing connections."
                    .formatted(Math.max(0, is.ports[1] - is.ports[0] + 1)),
                "So many connections to one address and port at once, and no more: 'cannot assign"
                    + " requested address'.",
                List.of(new Setting.Sysctl("net/ipv4/ip_local_port_range", "32768 60999")),
                ""));
      }
    }
    return Verdict.of(
        findings,
        "somaxconn %,d; tcp_tw_reuse %d, swappiness %d, keepalive %,d s: leave them"
            .formatted(
                queue, is.of("net.ipv4.tcp_tw_reuse", 2), is.of("vm.swappiness", 60), keepalive));
  }

  /** Connections that the kernel forgets while their ends still use them. */
  private static void addForgotten(Values is, List<Finding> findings) {
    String table = "net.netfilter.nf_conntrack_";
    long question = is.of(table + "udp_timeout", SHORTEST_QUESTION);
    if (question < SHORTEST_QUESTION) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              table + "udp_timeout",
              "A UDP question is forgotten after %,d s.".formatted(question),
              "An answer that comes later is not translated back: a name server that asks others"
                  + " takes up to five seconds, and is asked again.",
              List.of(new Setting.Sysctl("net/netfilter/nf_conntrack_udp_timeout", 30)),
              ", the kernel's own"));
    }
    long stream = is.of(table + "udp_timeout_stream", Long.MAX_VALUE);
    if (stream < question) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              table + "udp_timeout_stream",
              "UDP that was answered is forgotten after %,d s, a single question after %,d s."
                  .formatted(stream, question),
              "QUIC and tunnels through a Service break when they rest, and come to another"
                  + " endpoint.",
              List.of(new Setting.Sysctl("net/netfilter/nf_conntrack_udp_timeout_stream", 120)),
              ", the kernel's own"));
    }
    long half = is.of(table + "tcp_timeout_close_wait", SHORTEST_HALF);
    if (half < SHORTEST_HALF) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              table + "tcp_timeout_close_wait",
              "A connection that one end has closed is forgotten after %,d s.".formatted(half),
              "What the other end still sends is translated no more: answers are cut off.",
              List.of(new Setting.Sysctl("net/netfilter/nf_conntrack_tcp_timeout_close_wait", 60)),
              ", the kernel's own; kube-proxy sets 3600"));
    }
  }

  /**
   * IPVS.
   *
   * @param device whether kube-proxy's is there
   * @param track {@code net.ipv4.vs.conntrack}
   * @param reuse {@code net.ipv4.vs.conn_reuse_mode}
   * @param expire {@code net.ipv4.vs.expire_nodest_conn}
   * @param kernel its version
   */
  record Ipvs(
      boolean device,
      OptionalLong track,
      OptionalLong reuse,
      OptionalLong expire,
      Release kernel) {}

  private static Ipvs ipvs(Host host) throws UnreadException {
    boolean device = false;
    for (Line line : host.lines(Facts.LINKS)) {
      device |= line.text("link").equals(Proxies.IPVS_DEVICE);
    }
    return new Ipvs(
        device,
        host.numberIfThere(SYS + "net/ipv4/vs/conntrack"),
        host.numberIfThere(SYS + "net/ipv4/vs/conn_reuse_mode"),
        host.numberIfThere(SYS + "net/ipv4/vs/expire_nodest_conn"),
        Release.of(host));
  }

  private static Verdict balanced(Ipvs is) {
    if (!is.device || is.track.isEmpty()) {
      return new Verdict.NotHere("kube-proxy's mode ipvs is not here");
    }
    List<Finding> findings = new ArrayList<>();
    if (is.track.getAsLong() == 0) {
      findings.add(
          Finding.set(
              Severity.ERROR,
              "net.ipv4.vs.conntrack",
              "IPVS tells nothing to the table of connections.",
              "What it forwards is not masqueraded: answers go past the node, and are not"
                  + " understood.",
              List.of(new Setting.Sysctl("net/ipv4/vs/conntrack", 1)),
              ""));
    }
    if (is.reuse.orElse(0) == 1 && !is.kernel.isAtLeast(5, 9)) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              "net.ipv4.vs.conn_reuse_mode",
              "conn_reuse_mode is 1, and the kernel is " + is.kernel.text() + ".",
              "Before 5.9 a client's port that comes again within two minutes waits for a second.",
              List.of(new Setting.Sysctl("net/ipv4/vs/conn_reuse_mode", 0)),
              ", as kube-proxy does; or a kernel from 5.9"));
    }
    if (is.expire.orElse(1) == 0) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              "net.ipv4.vs.expire_nodest_conn",
              "IPVS keeps connections to endpoints that are gone.",
              "Their packets are dropped without a word until the client gives up: a rollout looks"
                  + " like an outage of minutes.",
              List.of(new Setting.Sysctl("net/ipv4/vs/expire_nodest_conn", 1)),
              ", as kube-proxy does"));
    }
    return Verdict.of(
        findings,
        "conntrack %d, conn_reuse_mode %d, expire_nodest_conn %d"
            .formatted(is.track.getAsLong(), is.reuse.orElse(-1), is.expire.orElse(-1)));
  }

  /**
   * A setting that each network namespace has for itself.
   *
   * @param file that sets it for the node; empty when none does
   * @param node the node's value
   * @param pods how many pods have another
   * @param theirs such a value
   */
  record Inherited(String key, String file, long node, int pods, long theirs) {}

  private static List<Inherited> inherited(Host host) throws UnreadException {
    Map<String, Map<Long, Integer>> counts = new TreeMap<>();
    for (Line line : host.lines(Facts.PODS)) {
      if (line.has("sysctl")) {
        counts
            .computeIfAbsent(line.text("sysctl"), _ -> new TreeMap<>())
            .merge(line.number("value"), 1, Integer::sum);
      }
    }
    SysctlFiles files = SysctlFiles.of(host);
    List<Inherited> all = new ArrayList<>();
    for (Map.Entry<String, Map<Long, Integer>> entry : counts.entrySet()) {
      String path = entry.getKey().replace('.', '/');
      OptionalLong node = host.numberIfThere(SYS + path);
      List<SysctlFiles.Assignment> set = files.values().getOrDefault(path, List.of());
      if (node.isEmpty()) {
        continue;
      }
      int others = 0;
      long theirs = node.getAsLong();
      for (Map.Entry<Long, Integer> value : entry.getValue().entrySet()) {
        if (value.getKey() != node.getAsLong()) {
          others += value.getValue();
          theirs = value.getKey();
        }
      }
      all.add(
          new Inherited(
              entry.getKey(),
              set.isEmpty() ? "" : set.getLast().file(),
              node.getAsLong(),
              others,
              theirs));
    }
    return all;
  }

  private static Verdict own(List<Inherited> keys) {
    if (keys.isEmpty()) {
      return new Verdict.NotHere("there is no pod");
    }
    List<Finding> findings = new ArrayList<>();
    for (Inherited key : keys) {
      if (key.pods > 0 && !key.file.isEmpty()) {
        findings.add(
            new Finding(
                Severity.NOTE,
                key.key,
                "/%s sets %s=%,d for the node, and %,d pods have another value, %,d."
                    .formatted(key.file, key.key, key.node, key.pods, key.theirs),
                "Each network namespace begins with the kernel's own value: what a file sets for the"
                    + " node is for the node's own programs, pods' are not changed by it.",
                "securityContext: {sysctls: [{name: %s, value: \"%d\"}]} in the pods that need it"
                    .formatted(key.key, key.node)));
      }
    }
    return Verdict.of(findings, keys.size() + " settings of namespaces looked at");
  }

  /**
   * Swap.
   *
   * @param areas how many there are
   * @param kubelet whether this is a node of a cluster
   * @param allowed whether the kubelet was told that it may be
   */
  record Swap(long areas, boolean kubelet, boolean allowed) {}

  private static Swap swaps(Host host) throws UnreadException {
    boolean kubelet = host.has("var/lib/kubelet/config.yaml") || host.has("var/lib/rancher");
    String config = host.textIfThere("var/lib/kubelet/config.yaml").orElse("");
    return new Swap(
        host.text(SWAPS).lines().skip(1).count(),
        kubelet,
        config.matches("(?s).*failSwapOn:\\s*false.*"));
  }

  private static Verdict swapped(Swap is) {
    if (is.areas == 0) {
      return new Verdict.Right("no swap; vm.swappiness says nothing then");
    }
    if (!is.kubelet || is.allowed) {
      return new Verdict.Right(
          is.areas + " areas, " + (is.kubelet ? "and the kubelet was told" : "and no kubelet"));
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "swap",
                "Memory is swapped to %d areas, and the kubelet was not told that it may be."
                    .formatted(is.areas),
                "The kubelet does not start with swap on; where it runs, swap was switched on later,"
                    + " and pods that wait for the disk answer late. vm.swappiness=0 does not switch"
                    + " it off.",
                "swapoff -a and remove it from /etc/fstab; or failSwapOn: false and"
                    + " memorySwap: {swapBehavior: LimitedSwap}")));
  }
}

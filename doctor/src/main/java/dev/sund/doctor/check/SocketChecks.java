package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Counters;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What sockets of the node lose and break off. kernel: Documentation/networking/snmp_counter.rst.
 */
public final class SocketChecks {
  private static final String SOCKETS = "proc/net/sockstat";
  private static final String LIMITS = "proc/sys/net/ipv4/tcp_mem";

  /** Resets a second, and of how many connections, that are no program's way to end. */
  private static final double RESETS = 10;

  private static final double OF_HUNDRED = 20;

  private SocketChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "resets",
            "connections that were broken off",
            List.of(Sampled.SNMP),
            host -> Sampled.pairs(host, Sampled.SNMP),
            SocketChecks::broken),
        new Check<>(
            "udp-buffers",
            "datagrams that programs took too late",
            List.of(Sampled.SNMP, Sampled.SNMP6),
            Sampled::bothFamilies,
            SocketChecks::late),
        new Check<>(
            "tcp-memory",
            "room for what TCP has not delivered yet",
            List.of(Sampled.NETSTAT),
            SocketChecks::memory,
            SocketChecks::tight));
  }

  private static Verdict broken(Sampled stat) {
    long opened = stat.grew("Tcp.ActiveOpens") + stat.grew("Tcp.PassiveOpens");
    long reset = stat.grew("Tcp.EstabResets");
    long refused = stat.grew("Tcp.OutRsts");
    String read =
        "%,d reset and %,d opened in %.1f s; %,d resets sent; %,d reset since the start"
            .formatted(reset, opened, stat.seconds(), refused, stat.now().get("Tcp.EstabResets"));
    double seconds = Math.max(stat.seconds(), 0.1);
    if (reset / seconds >= RESETS && reset * 100.0 >= OF_HUNDRED * Math.max(1, opened)) {
      return new Verdict.Wrong(
          List.of(
              new Finding(
                  Severity.WARNING,
                  "Tcp.EstabResets",
                  "Connections of the node end by reset: " + read + ".",
                  "Programs see 'connection reset by peer', mostly in the middle of an answer. Behind a"
                      + " Service it is a connection whose entry the table lost, or an endpoint that"
                      + " is gone.",
                  "Look at conntrack-full and conntrack-losses first; nstat -z | grep -i abort says"
                      + " whether the node's own programs do it")));
    }
    if (refused / seconds >= RESETS * 10) {
      return new Verdict.Wrong(
          List.of(
              new Finding(
                  Severity.WARNING,
                  "Tcp.OutRsts",
                  "The node refuses connections: " + read + ".",
                  "Somebody asks at ports where nobody listens, or goes on with connections that"
                      + " this node does not know: it may be a Service without endpoints, or a scan.",
                  "sund capture -- 'tcp[tcpflags] & tcp-rst != 0' on the node's device names both"
                      + " ends")));
    }
    return new Verdict.Right(read);
  }

  private static Verdict late(Sampled stat) {
    List<Finding> findings = new ArrayList<>();
    List<String> read = new ArrayList<>();
    for (String name : List.of("Udp.RcvbufErrors", "Udp6RcvbufErrors", "Udp.SndbufErrors")) {
      read.add(name + " " + stat.said(name));
      Optional<Severity> severity = stat.severity(name, 60);
      if (severity.isEmpty()) {
        continue;
      }
      boolean received = !name.contains("Sndbuf");
      findings.add(
          new Finding(
              stat.grew(name) == 0
                  ? severity.get()
                  : stat.grew(name) >= RESETS * stat.seconds() ? Severity.ERROR : Severity.WARNING,
              name,
              (received
                      ? "Programs took their datagrams too late: "
                      : "Datagrams found no room to wait for being sent: ")
                  + stat.said(name)
                  + ".",
              "They are gone, and nobody is told: questions to a DNS server on the node's own network"
                  + " are asked again after five seconds.",
              received
                  ? "ss -uanm shows whose (Recv-Q full, d in skmem); sysctl -w"
                      + " net.core.rmem_max=8388608 where the program asks for more, else more"
                      + " processor time for it"
                  : "sysctl -w net.core.wmem_max=8388608; look at queue-drops"));
    }
    return Verdict.of(findings, String.join("; ", read));
  }

  /**
   * TCP's memory.
   *
   * @param pages in use
   * @param pressure from so many on the kernel saves
   * @param most from so many on it refuses
   */
  record Memory(Sampled stat, long pages, long pressure, long most) {}

  private static Optional<Memory> memory(Host host) throws UnreadException {
    Optional<String> told = host.textIfThere(LIMITS);
    if (told.isEmpty()) {
      return Optional.empty();
    }
    String[] limits = told.get().split("\\s+");
    if (limits.length != 3 || !String.join("", limits).matches("\\d{3,57}")) {
      throw new UnreadException(
          "/" + LIMITS + " says '" + String.join(" ", limits) + "'", "Report it with the kernel.");
    }
    long pages = 0;
    for (String line : host.text(SOCKETS).lines().toList()) {
      String[] words = line.split("\\s+");
      for (int i = 1; words[0].equals("TCP:") && i + 1 < words.length; i++) {
        pages = words[i].equals("mem") ? Counters.number(SOCKETS, words[i + 1], 10) : pages;
      }
    }
    return Optional.of(
        new Memory(
            Sampled.pairs(host, Sampled.NETSTAT),
            pages,
            Counters.number(LIMITS, limits[1], 10),
            Counters.number(LIMITS, limits[2], 10)));
  }

  private static Verdict tight(Optional<Memory> found) {
    if (found.isEmpty()) {
      return new Verdict.NotHere(
          "the limits are the machine's, and a network namespace that is not the first does not"
              + " show them");
    }
    Memory is = found.get();
    String read =
        "%,d pages in use, saved from %,d on, refused from %,d on"
            .formatted(is.pages, is.pressure, is.most);
    List<Finding> findings = new ArrayList<>();
    if (is.pages >= is.pressure) {
      findings.add(
          new Finding(
              is.pages >= is.most ? Severity.ERROR : Severity.WARNING,
              "net.ipv4.tcp_mem",
              "TCP has more memory than it should: " + read + ".",
              "The kernel makes all connections' windows small, and ends some without a word"
                  + " ('TCP: out of memory' in its log).",
              "ss -tm sorted by what waits says whose; then sysctl -w net.ipv4.tcp_mem='"
                  + is.pressure
                  + " "
                  + is.most
                  + " "
                  + is.most * 2
                  + "'"));
    }
    for (String name : List.of("TcpExt.TCPAbortOnMemory", "TcpExt.TCPMemoryPressures")) {
      if (is.stat.grew(name) > 0) {
        findings.add(
            new Finding(
                Severity.ERROR,
                name,
                "TCP was short of memory just now: " + is.stat.said(name) + ".",
                "Connections were ended, or all of them slowed down.",
                "ss -tm says whose they are; more memory by net.ipv4.tcp_mem (pages)"));
      }
    }
    return Verdict.of(findings, read);
  }
}

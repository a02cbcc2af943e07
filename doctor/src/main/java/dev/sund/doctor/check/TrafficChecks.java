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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Packets that the kernel's own counters say were lost, sent twice or cut to pieces. kernel:
 * Documentation/networking/snmp_counter.rst.
 */
public final class TrafficChecks {
  private static final String SNMP = "proc/net/snmp";
  private static final String NETSTAT = "proc/net/netstat";
  private static final String SOFTNET = "proc/net/softnet_stat";
  private static final String DEVICES = "proc/net/dev";

  /** So many devices are named one by one. */
  private static final int MOST_DEVICES = 5;

  private TrafficChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "listen-overflows",
            "connections that a full listen queue refused",
            List.of(NETSTAT),
            host -> pairs(host, NETSTAT),
            TrafficChecks::overflows),
        new Check<>(
            "retransmits",
            "segments sent again",
            List.of(SNMP),
            host -> pairs(host, SNMP),
            TrafficChecks::retransmits),
        new Check<>(
            "fragments",
            "packets cut to pieces",
            List.of(SNMP),
            host -> pairs(host, SNMP),
            TrafficChecks::fragments),
        new Check<>(
            "softnet-drops",
            "packets that no processor had time for",
            List.of(SOFTNET),
            TrafficChecks::softnet,
            TrafficChecks::backlog),
        new Check<>(
            "interface-drops",
            "packets that devices lost",
            List.of(DEVICES),
            TrafficChecks::devices,
            TrafficChecks::dropped));
  }

  private static Sampled pairs(Host host, String path) throws UnreadException {
    return new Sampled(
        Counters.ofPairs(path, host.before(path)),
        Counters.ofPairs(path, host.text(path)),
        host.seconds(),
        Machine.uptime(host));
  }

  private static Verdict overflows(Sampled stat) {
    List<Finding> findings = new ArrayList<>();
    String overflows = "TcpExt.ListenOverflows";
    stat.severity(overflows, 10)
        .ifPresent(severity ->
            findings.add(
                new Finding(
                    severity,
                    overflows,
                    "A program did not accept its connections in time: "
                        + stat.said(overflows)
                        + ".",
                    "The kernel drops the last packet of the handshake: the client believes that it is"
                        + " connected and waits.",
                    "Find it by ss -ltn (Recv-Q above Send-Q); raise its backlog and net.core.somaxconn,"
                        + " or give it more processor time")));
    String requests = "TcpExt.TCPReqQFullDrop";
    stat.severity(requests, 10)
        .ifPresent(severity ->
            findings.add(
                Finding.set(
                    severity,
                    requests,
                    "SYN packets were dropped for want of room: " + stat.said(requests) + ".",
                    "Clients try again after a second, three, seven.",
                    List.of(
                        new Setting.Sysctl("net/ipv4/tcp_max_syn_backlog", 8_192),
                        new Setting.Sysctl("net/ipv4/tcp_syncookies", 1)),
                    "")));
    return Verdict.of(findings, overflows + " " + stat.said(overflows));
  }

  private static Verdict retransmits(Sampled stat) {
    long sent = stat.grew("Tcp.OutSegs");
    long again = stat.grew("Tcp.RetransSegs");
    double percent = sent == 0 ? 0 : 100.0 * again / sent;
    String read =
        "%,d of %,d segments in %.1f s, %.2f %%".formatted(again, sent, stat.seconds(), percent);
    if (sent < 100 || percent < 2) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                percent >= 5 ? Severity.ERROR : Severity.WARNING,
                "Tcp.RetransSegs",
                "TCP sends again what was lost: " + read + ".",
                "Each loss costs at least a round trip, and 200 ms when it was the last packet.",
                "ss -ti shows which connections; then look at interface-drops, softnet-drops and"
                    + " the way to the peers they name")));
  }

  private static Verdict fragments(Sampled stat) {
    List<Finding> findings = new ArrayList<>();
    String failed = "Ip.FragFails";
    String created = "Ip.FragCreates";
    String unfinished = "Ip.ReasmFails";
    if (stat.grew(failed) > 0) {
      findings.add(
          new Finding(
              Severity.ERROR,
              failed,
              "Packets are larger than the way they take: " + stat.said(failed) + ".",
              "They may not be cut, so they are dropped: small answers come, large ones never.",
              "Look at tunnel-mtu; lower the pods' MTU to what the smallest link carries"));
    }
    if (stat.grew(created) > 0) {
      findings.add(
          new Finding(
              Severity.WARNING,
              created,
              "Packets are cut to pieces: " + stat.said(created) + ".",
              "Each costs twice the work, and the loss of one piece loses all.",
              "Look at tunnel-mtu; lower the pods' MTU to what the smallest link carries"));
    }
    if (stat.grew(unfinished) > 0) {
      findings.add(
          new Finding(
              Severity.WARNING,
              unfinished,
              "Packets came in pieces that were never whole: " + stat.said(unfinished) + ".",
              "What somebody sent in pieces was lost on its way or came too late.",
              "Find who sends them: tcpdump -ni any 'ip[6:2] & 0x3fff != 0'"));
    }
    return Verdict.of(
        findings,
        created + " " + stat.said(created) + "; " + failed + " " + stat.now().get(failed));
  }

  /** Columns of {@code /proc/net/softnet_stat}, which has no names. */
  private static Sampled softnet(Host host) throws UnreadException {
    String names = "packets dropped squeezed";
    return new Sampled(
        Counters.ofProcessors(SOFTNET, names + three(host.before(SOFTNET))),
        Counters.ofProcessors(SOFTNET, names + three(host.text(SOFTNET))),
        host.seconds(),
        Machine.uptime(host));
  }

  private static String three(String text) {
    StringBuilder lines = new StringBuilder();
    text.lines()
        .map(line -> line.strip().split("\\s+"))
        .filter(words -> words.length >= 3)
        .forEach(
            words -> lines.append('\n').append(String.join(" ", words[0], words[1], words[2])));
    return lines.toString();
  }

  private static Verdict backlog(Sampled stat) {
    List<Finding> findings = new ArrayList<>();
    stat.severity("dropped", 10)
        .ifPresent(severity ->
            findings.add(
                Finding.set(
                    severity,
                    "softnet dropped",
                    "A processor's queue of received packets was full: "
                        + stat.said("dropped")
                        + ".",
                    "The packets are gone before any rule sees them; tunnels and veths go through this"
                        + " queue once more.",
                    List.of(new Setting.Sysctl("net/core/netdev_max_backlog", 16_384)),
                    "; spread the device's queues over processors; look at cpu-steal")));
    long squeezed = stat.grew("squeezed");
    if (squeezed > 100 * stat.seconds()) {
      findings.add(
          Finding.set(
              Severity.WARNING,
              "softnet squeezed",
              "Receiving was broken off with packets left: " + stat.said("squeezed") + ".",
              "Packets wait until the next round, which adds latency.",
              List.of(
                  new Setting.Sysctl("net/core/netdev_budget", 600),
                  new Setting.Sysctl("net/core/netdev_budget_usecs", 8_000)),
              ""));
    }
    return Verdict.of(findings, "dropped " + stat.said("dropped") + "; squeezed " + squeezed);
  }

  /** Losses of each device, named {@code DEVICE COUNTER}. */
  private static Sampled devices(Host host) throws UnreadException {
    return new Sampled(
        perDevice(host.before(DEVICES)),
        perDevice(host.text(DEVICES)),
        host.seconds(),
        Machine.uptime(host));
  }

  private static Counters perDevice(String text) throws UnreadException {
    Map<String, Long> values = new LinkedHashMap<>();
    for (String line : text.lines().skip(2).toList()) {
      int colon = line.indexOf(':');
      String[] words = line.substring(colon + 1).strip().split("\\s+");
      if (colon < 0 || words.length < 16 || !String.join("", words).matches("[0-9]+")) {
        throw new UnreadException(
            "/" + DEVICES + " has the line '" + line + "', which is not understood",
            "Report it with the kernel's version.");
      }
      String device = line.substring(0, colon).strip();
      // Receive: bytes packets errs drop fifo frame ...; transmit the same, from the ninth on.
      String[] names = {"rx errors", "rx drops", "rx overruns", "tx errors", "tx drops"};
      int[] columns = {2, 3, 4, 10, 11};
      for (int i = 0; i < names.length; i++) {
        values.put(device + " " + names[i], Long.parseLong(words[columns[i]]));
      }
    }
    return new Counters(values);
  }

  private static Verdict dropped(Sampled stat) {
    List<Finding> findings = new ArrayList<>();
    for (String name : stat.now().values().keySet().stream().sorted().toList()) {
      double rate = stat.grew(name) / stat.seconds();
      // A device drops what nobody listens to as well: a few a second are no fault.
      if (rate >= (name.endsWith("rx drops") ? 10 : 1)) {
        findings.add(
            new Finding(
                Severity.WARNING,
                name.substring(0, name.indexOf(' ')),
                "The device counts "
                    + name.substring(name.indexOf(' ') + 1)
                    + ": "
                    + stat.said(name)
                    + ".",
                "Packets are lost at the device itself.",
                "ethtool -S "
                    + name.substring(0, name.indexOf(' '))
                    + " says where; overruns want larger rings (ethtool -G), errors another cable"
                    + " or driver"));
      }
    }
    if (findings.size() > MOST_DEVICES) {
      List<Finding> rest = findings.subList(MOST_DEVICES, findings.size());
      String more =
          "%,d devices more count losses, such as %s."
              .formatted(rest.size(), rest.getFirst().object());
      Finding one = rest.getFirst();
      rest.clear();
      findings.add(new Finding(one.severity(), "others", more, one.why(), one.remedy()));
    }
    return Verdict.of(
        findings, stat.now().values().size() / 5 + " devices, none loses more than it did");
  }
}

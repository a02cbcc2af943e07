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
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Packets that the kernel's own counters say were lost, sent twice or cut to pieces. kernel:
 * Documentation/networking/snmp_counter.rst.
 */
public final class TrafficChecks {
  private static final String SOFTNET = "proc/net/softnet_stat";
  private static final String DEVICES = "proc/net/dev";

  /** What is read of a device; behind its name in {@code /proc/net/dev}, see {@link #COLUMNS}. */
  static final List<String> COUNTERS =
      List.of(
          "rx packets",
          "rx errors",
          "rx drops",
          "rx overruns",
          "tx packets",
          "tx errors",
          "tx drops",
          "tx overruns");

  /** Received: bytes packets errs drop fifo frame ...; sent the same, from the ninth on. */
  private static final int[] COLUMNS = {1, 2, 3, 4, 9, 10, 11, 12};

  /** So many processors are named one by one. */
  private static final int MOST_PROCESSORS = 4;

  /** One packet lost of so many since a device is there is worth a word, from as many losses on. */
  private static final long PART = 1_000;

  /** So many devices are named one by one. */
  private static final int MOST_DEVICES = 5;

  private TrafficChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "listen-overflows",
            "connections that a full listen queue refused",
            List.of(Sampled.NETSTAT),
            host -> Sampled.pairs(host, Sampled.NETSTAT),
            TrafficChecks::overflows),
        new Check<>(
            "retransmits",
            "segments sent again",
            List.of(Sampled.SNMP),
            host -> Sampled.pairs(host, Sampled.SNMP),
            TrafficChecks::retransmits),
        new Check<>(
            "fragments",
            "packets cut to pieces",
            List.of(Sampled.SNMP, Sampled.SNMP6),
            Sampled::bothFamilies,
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
    for (String family : List.of("Ip.", "Ip6")) {
      fragments(stat, family, findings);
    }
    return Verdict.of(
        findings,
        "Ip.FragCreates %s; Ip.FragFails %,d; Ip6FragCreates %,d; Ip6FragFails %,d"
            .formatted(
                stat.said("Ip.FragCreates"),
                stat.now().get("Ip.FragFails"),
                stat.now().get("Ip6FragCreates"),
                stat.now().get("Ip6FragFails")));
  }

  private static void fragments(Sampled stat, String family, List<Finding> findings) {
    String failed = family + "FragFails";
    String created = family + "FragCreates";
    String unfinished = family + "ReasmFails";
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
              family.equals("Ip.")
                  ? "Find who sends them: tcpdump -ni any 'ip[6:2] & 0x3fff != 0'"
                  : "Find who sends them: tcpdump -ni any 'ip6[6] == 44'"));
    }
  }

  /** {@code /proc/net/softnet_stat}, which has no names: {@code dropped}, {@code dropped 0} ... */
  static Sampled softnet(Host host) throws UnreadException {
    return new Sampled(
        perProcessor(host.before(SOFTNET)),
        perProcessor(host.text(SOFTNET)),
        host.seconds(),
        Machine.uptime(host));
  }

  /** The columns are packets, dropped, squeezed; the thirteenth, since 5.14, is the processor. */
  private static Counters perProcessor(String text) throws UnreadException {
    Map<String, Long> values = new LinkedHashMap<>();
    String[] names = {"packets", "dropped", "squeezed"};
    int row = 0;
    for (String line : text.lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length < names.length) {
        continue;
      }
      long processor = words.length > 12 ? Counters.number(SOFTNET, words[12], 16) : row;
      row++;
      for (int i = 0; i < names.length; i++) {
        long value = Counters.number(SOFTNET, words[i], 16);
        values.merge(names[i], value, Long::sum);
        values.put(names[i] + " " + processor, value);
      }
    }
    return new Counters(values);
  }

  /**
   * Which processors counted, the most first: {@code , most on processor 1: 16 (all packets ...)}.
   */
  private static String processors(Sampled stat, String counter) {
    List<String> on =
        stat.now().values().keySet().stream()
            .filter(name -> name.startsWith(counter + " ") && stat.grew(name) > 0)
            .sorted(Comparator.comparingLong((String name) -> -stat.grew(name)))
            .limit(MOST_PROCESSORS)
            .toList();
    if (on.isEmpty()) {
      return "";
    }
    List<String> said = new ArrayList<>();
    for (String name : on) {
      String processor = name.substring(counter.length() + 1);
      said.add(
          "%s: %,d, with %,d of %,d packets"
              .formatted(
                  processor,
                  stat.grew(name),
                  stat.grew("packets " + processor),
                  stat.grew("packets")));
    }
    return "; by processor " + String.join("; ", said);
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
                        + processors(stat, "dropped")
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
              "Receiving was broken off with packets left: "
                  + stat.said("squeezed")
                  + processors(stat, "squeezed")
                  + ".",
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

  static Counters perDevice(String text) throws UnreadException {
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
      for (int i = 0; i < COUNTERS.size(); i++) {
        values.put(device + " " + COUNTERS.get(i), Long.parseLong(words[COLUMNS[i]]));
      }
    }
    return new Counters(values);
  }

  private static Verdict dropped(Sampled stat) {
    List<Finding> findings = new ArrayList<>();
    Set<String> names = new TreeSet<>(stat.now().values().keySet());
    names.removeIf(name -> name.endsWith(" packets"));
    for (String name : names) {
      String device = name.substring(0, name.indexOf(' '));
      String counter = name.substring(device.length() + 1);
      double rate = stat.grew(name) / Math.max(stat.seconds(), 0.1);
      // A device drops what nobody listens to as well: a few a second are no fault.
      boolean now = rate >= (counter.equals("rx drops") ? 10 : 1);
      long packets = stat.now().get(device + " " + counter.substring(0, 2) + " packets");
      long lost = stat.now().get(name);
      if (now || (lost >= PART && lost * PART >= packets + lost)) {
        findings.add(
            new Finding(
                now ? Severity.WARNING : Severity.NOTE,
                device,
                now
                    ? "The device counts %s: %s.".formatted(counter, stat.said(name))
                    : "The device has counted %s: %,d, beside %,d packets since it is there; none more just now."
                        .formatted(counter, lost, packets),
                "Packets are lost at the device itself.",
                "ethtool -S "
                    + device
                    + " says where; overruns want larger rings (ethtool -G), errors another cable"
                    + " or driver"));
      }
    }
    findings.sort(Comparator.comparing(Finding::severity));
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
        findings,
        stat.now().values().size() / COUNTERS.size() + " devices, none loses more than it did");
  }
}

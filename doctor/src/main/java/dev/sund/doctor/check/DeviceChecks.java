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
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Devices' drivers, rings and queues, and what they do for tunnels. */
public final class DeviceChecks {
  private static final String QUEUES = Host.FACTS + "/" + Facts.QUEUES;
  private static final String COUNTS = "proc/net/dev";
  private static final String NETSTAT = Sampled.NETSTAT;
  private static final String SEGMENTS = "tx-udp_tnl-segmentation";
  private static final String CHECKSUMS = "tx-checksum-ip-generic";

  /** In {@code /proc/net/dev}, counted from behind the colon: {@code fifo} of what is received. */
  private static final int RECEIVED_FIFO = 4;

  /** So many packets a second may a queue drop: it is how it slows a sender down. */
  private static final double USUAL_DROPS = 10;

  private DeviceChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "rings",
            "room for bursts in devices",
            List.of(COUNTS),
            DeviceChecks::rings,
            DeviceChecks::overrun),
        new Check<>(
            "queue-drops",
            "packets that queues dropped",
            List.of(QUEUES),
            DeviceChecks::queues,
            DeviceChecks::dropped),
        new Check<>(
            "syn-backlog",
            "connections that were begun faster than taken",
            List.of(NETSTAT),
            host -> Sampled.pairs(host, NETSTAT),
            DeviceChecks::cookies),
        new Check<>(
            "vxlan-checksum",
            "whether a tunnel's checksums arrive",
            DeviceChecks::tunnels,
            DeviceChecks::checksums),
        new Check<>(
            "tunnel-offload",
            "whether devices cut a tunnel's segments",
            DeviceChecks::tunnels,
            DeviceChecks::offloads));
  }

  /**
   * A device's ring.
   *
   * @param size packets that it holds
   * @param most as many as it could
   * @param overruns packets that found no room, in the window
   * @param before the same, since the device is there
   */
  record Ring(String device, long size, long most, long overruns, long before) {}

  private static List<Ring> rings(Host host) throws UnreadException {
    Map<String, Long> then = overruns(host.before(COUNTS));
    Map<String, Long> now = overruns(host.text(COUNTS));
    List<Ring> rings = new ArrayList<>();
    for (Line line : host.lines(Facts.DRIVERS)) {
      if (line.is("hardware") && line.has("rx")) {
        String device = line.text("device");
        long all = now.getOrDefault(device, 0L);
        rings.add(
            new Ring(
                device,
                line.number("rx"),
                line.number("rx-most"),
                Math.max(0, all - then.getOrDefault(device, 0L)),
                all));
      }
    }
    return rings;
  }

  private static Map<String, Long> overruns(String text) {
    Map<String, Long> overruns = new HashMap<>();
    for (String line : text.lines().toList()) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        String[] numbers = line.substring(colon + 1).strip().split("\\s+");
        if (numbers.length > RECEIVED_FIFO && numbers[RECEIVED_FIFO].matches("\\d{1,18}")) {
          overruns.put(line.substring(0, colon).strip(), Long.parseLong(numbers[RECEIVED_FIFO]));
        }
      }
    }
    return overruns;
  }

  private static Verdict overrun(List<Ring> rings) {
    if (rings.isEmpty()) {
      return new Verdict.NotHere("no device tells of its rings");
    }
    List<Finding> findings = new ArrayList<>();
    List<String> read = new ArrayList<>();
    for (Ring ring : rings) {
      read.add("%s %,d of %,d".formatted(ring.device, ring.size, ring.most));
      if (ring.overruns > 0 && ring.size < ring.most) {
        findings.add(
            new Finding(
                Severity.WARNING,
                ring.device,
                "%s had no room for %,d packets just now (%,d in all): its ring holds %,d and could hold %,d."
                    .formatted(ring.device, ring.overruns, ring.before, ring.size, ring.most),
                "The device lost them before the kernel saw them: no rule and no counter of a pod"
                    + " tells of it.",
                "ethtool -G %s rx %d".formatted(ring.device, ring.most)));
      }
    }
    return Verdict.of(findings, String.join(", ", read));
  }

  /**
   * A queue's drops.
   *
   * @param second how many a second in the window
   */
  record Queue(String device, String kind, long dropped, double second) {}

  private static List<Queue> queues(Host host) throws UnreadException {
    Map<String, Long> then = new HashMap<>();
    for (Line line : Line.of(Facts.QUEUES, host.before(QUEUES))) {
      then.merge(key(line), line.number("drops"), Long::sum);
    }
    List<Queue> queues = new ArrayList<>();
    for (Line line : host.lines(Facts.QUEUES)) {
      // A queue at the root counts what those below it drop.
      if (line.text("parent").equals("root")) {
        long grew = Math.max(0, line.number("drops") - then.getOrDefault(key(line), 0L));
        queues.add(
            new Queue(
                line.text("device"),
                line.text("kind"),
                grew,
                grew / Math.max(host.seconds(), 0.1)));
      }
    }
    return queues;
  }

  private static String key(Line line) {
    return line.text("device") + " " + line.text("parent") + " " + line.text("kind");
  }

  private static Verdict dropped(List<Queue> queues) {
    if (queues.isEmpty()) {
      return new Verdict.NotHere("no device has a queue that could drop");
    }
    List<Finding> findings = new ArrayList<>();
    for (Queue queue : queues) {
      if (queue.second >= USUAL_DROPS) {
        findings.add(
            new Finding(
                Severity.WARNING,
                queue.device,
                "The queue %s of %s drops %,.0f packets a second."
                    .formatted(queue.kind, queue.device, queue.second),
                "More is sent than the device carries, or than it was told to: senders slow down,"
                    + " and UDP's packets are lost.",
                "tc -s qdisc show dev %1$s; is its rate what was meant (a bandwidth limit, tbf)? Else"
                        .formatted(queue.device)
                    + " spread the load"));
      }
    }
    return Verdict.of(findings, queues.size() + " queues, none drops more than it should");
  }

  private static Verdict cookies(Sampled stat) {
    String full = "TcpExt.TCPReqQFullDoCookies";
    if (stat.severity(full, 60).isEmpty()) {
      return new Verdict.Right(full + " " + stat.said(full));
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                stat.grew(full) > 0 ? Severity.WARNING : Severity.NOTE,
                full,
                "A program's queue of begun connections was full: " + stat.said(full) + ".",
                "The kernel answers by cookies then: the connections come about without window"
                    + " scaling and selective acknowledgements, and are slow for all of their life. It"
                    + " is a burst, or an attack.",
                "sysctl -w net.core.somaxconn=32768 net.ipv4.tcp_max_syn_backlog=8192, and a larger"
                    + " backlog in the program")));
  }

  /**
   * Tunnels and what is below.
   *
   * @param tunnels VXLAN and Geneve devices, and whether checksums are left to the device below
   * @param hardware devices, and what they do
   * @param ports the tunnels' UDP ports
   */
  record TunnelDevices(
      Map<String, Boolean> tunnels, List<Hardware> hardware, Map<String, Long> ports) {}

  /** A device of hardware, or of a hypervisor. */
  record Hardware(String device, String driver, boolean segments) {}

  private static TunnelDevices tunnels(Host host) throws UnreadException {
    Map<String, Boolean> tunnels = new TreeMap<>();
    List<Hardware> hardware = new ArrayList<>();
    for (Line line : host.lines(Facts.DRIVERS)) {
      List<String> on = line.list("on");
      if (line.is("hardware")) {
        hardware.add(new Hardware(line.text("device"), line.text("driver"), on.contains(SEGMENTS)));
      } else {
        tunnels.put(line.text("device"), on.contains(CHECKSUMS));
      }
    }
    Map<String, Long> ports = new TreeMap<>();
    for (Line line : host.lines(Facts.LINKS)) {
      if (line.has("port")) {
        ports.put(line.text("link"), line.number("port"));
      }
    }
    return new TunnelDevices(tunnels, hardware, ports);
  }

  private static Verdict checksums(TunnelDevices is) {
    if (is.tunnels.isEmpty()) {
      return new Verdict.NotHere("there is no VXLAN or Geneve device");
    }
    List<Hardware> doubtful =
        is.hardware.stream().filter(one -> one.driver.equals("vmxnet3")).toList();
    List<Finding> findings = new ArrayList<>();
    is.tunnels.forEach((tunnel, leaves) -> {
      if (leaves && !doubtful.isEmpty()) {
        findings.add(
            new Finding(
                Severity.WARNING,
                tunnel,
                "%s (UDP %d) leaves its packets' checksums to %s (vmxnet3)."
                    .formatted(
                        tunnel, is.ports.getOrDefault(tunnel, 0L), doubtful.getFirst().device),
                "VMware's device fills them in wrongly for tunnels at other ports than it knows:"
                    + " other nodes drop such packets without a word. Pods' connections hang or take"
                    + " 63 seconds, ping works.",
                "ethtool -K %s tx-checksum-ip-generic off, on all nodes; Sund tries it on other nodes"
                        .formatted(tunnel)
                    + " and switches it off by itself"));
      }
    });
    return Verdict.of(
        findings,
        "%d tunnels, %d of them leave checksums to the device below: %s"
            .formatted(
                is.tunnels.size(),
                is.tunnels.values().stream().filter(left -> left).count(),
                is.hardware.isEmpty()
                    ? "none of hardware is seen"
                    : is.hardware.stream()
                        .map(Hardware::driver)
                        .distinct()
                        .collect(Collectors.joining(", "))));
  }

  private static Verdict offloads(TunnelDevices is) {
    if (is.tunnels.isEmpty() || is.hardware.isEmpty()) {
      return new Verdict.NotHere(
          is.tunnels.isEmpty()
              ? "there is no VXLAN or Geneve device"
              : "no device of hardware is seen here");
    }
    List<Hardware> without = is.hardware.stream().filter(one -> !one.segments).toList();
    if (without.isEmpty()) {
      return new Verdict.Right(is.hardware.size() + " devices cut tunnels' segments themselves");
    }
    List<String> names = without.stream().map(one -> one.device + " (" + one.driver + ")").toList();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.NOTE,
                without.getFirst().device,
                String.join(", ", names)
                    + (names.size() == 1 ? " does" : " do")
                    + " not cut a tunnel's segments: "
                    + SEGMENTS
                    + " is off.",
                "The kernel cuts them: each 64 kB that pods send over the tunnel cost some 45 packets"
                    + " of processor time instead of one.",
                "ethtool -K %s %s on where the driver can; else routes instead of a tunnel where nodes"
                        .formatted(without.getFirst().device, SEGMENTS)
                    + " share a subnet")));
  }
}

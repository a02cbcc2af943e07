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
import java.util.List;
import java.util.Map;

/** Packets that tunnels lose, and who takes the blame: what happened in the same window. */
public final class OverlayChecks {
  private static final String STAT = "proc/stat";
  private static final String SOFTNET = "proc/net/softnet_stat";
  private static final String DEVICES = "proc/net/dev";

  /** A tunnel loses a few by nature: what is for everybody, and for nodes that are not known. */
  private static final double LOST_PERCENT = 0.1;

  /** A tunnel without peers drops what the kernel itself sends to groups when it comes up. */
  private static final int FEW = 10;

  private OverlayChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "overlay-loss",
            "what the tunnels' losses come with",
            List.of(STAT, SOFTNET, DEVICES),
            OverlayChecks::window,
            OverlayChecks::blamed));
  }

  /**
   * One window.
   *
   * @param tunnels their names
   * @param packets that went through them
   * @param lost by the tunnels, by their name and counter; those that lost some
   * @param full packets that found a processor's queue full, of all devices
   * @param steal processor time that others had, in percent
   */
  record Window(
      List<String> tunnels,
      long packets,
      List<String> lost,
      long lostInAll,
      long full,
      double steal,
      double seconds) {}

  private static Window window(Host host) throws UnreadException {
    List<String> tunnels = new ArrayList<>();
    for (Line line : host.lines(Facts.LINKS)) {
      if (Tunnels.isKind(line.text("kind"))) {
        tunnels.add(line.text("link"));
      }
    }
    MachineChecks.Times times = MachineChecks.times(host);
    Map<String, Long> before = TrafficChecks.perDevice(host.before(DEVICES)).values();
    Map<String, Long> now = TrafficChecks.perDevice(host.text(DEVICES)).values();
    long packets = 0;
    long all = 0;
    List<String> lost = new ArrayList<>();
    for (String tunnel : tunnels) {
      for (String counter : TrafficChecks.COUNTERS) {
        String name = tunnel + " " + counter;
        long grew = Math.max(0, now.getOrDefault(name, 0L) - before.getOrDefault(name, 0L));
        if (counter.endsWith(" packets")) {
          packets += grew;
        } else if (grew > 0) {
          lost.add("%s %s %,d".formatted(tunnel, counter, grew));
          all += grew;
        }
      }
    }
    Sampled softnet = TrafficChecks.softnet(host);
    return new Window(
        tunnels,
        packets,
        lost,
        all,
        softnet.grew("dropped"),
        times.percent(),
        Math.max(host.seconds(), 0.1));
  }

  private static Verdict blamed(Window is) {
    if (is.tunnels.isEmpty()) {
      return new Verdict.NotHere("there is no tunnel");
    }
    String read =
        "in %.1f s tunnels lost %,d of %,d packets%s, processors' queues %,d; steal %.1f %%"
            .formatted(
                is.seconds,
                is.lostInAll,
                is.packets + is.lostInAll,
                is.lost.isEmpty() ? "" : " (" + String.join(", ", is.lost) + ")",
                is.full,
                is.steal);
    double percent = 100.0 * is.lostInAll / Math.max(1, is.packets + is.lostInAll);
    boolean loses = is.lostInAll >= FEW && percent >= LOST_PERCENT;
    if (!loses && is.full == 0) {
      return new Verdict.Right(read);
    }
    if (is.steal >= MachineChecks.STOLEN_PERCENT) {
      return wrong(
          "steal",
          "The tunnels' losses come with stolen processor time: " + read + ".",
          "While the hypervisor runs others nobody empties the queues. What a tunnel carries passes"
              + " them twice, so the overlay loses first; the machine's own tuning is not at fault.",
          "Ask the provider for dedicated processors, or move the node; larger queues only hide it"
              + " (net.core.netdev_max_backlog)");
    }
    if (is.full > 0) {
      return wrong(
          "softnet",
          "The tunnels' losses come with full queues of this node's processors: " + read + ".",
          "Nobody stole time: one processor has more packets to unwrap than it can, often since all"
              + " of a tunnel's come by one queue of the device.",
          "sysctl -w net.core.netdev_max_backlog=16384; spread the device's queues (ethtool -L, RPS);"
              + " softnet-drops says which processors");
    }
    return wrong(
        "tunnel",
        "The tunnels lose packets, and neither stolen time nor full queues come with it: "
            + read
            + ".",
        "It is the tunnel itself: no entry for the other node, packets that do not fit, or wrong"
            + " checksums.",
        "Look at tunnel-mtu, vxlan-checksum and the other node's entry: bridge fdb show dev DEVICE;"
            + " ip -s -s link show DEVICE");
  }

  private static Verdict wrong(String object, String text, String why, String remedy) {
    return new Verdict.Wrong(List.of(new Finding(Severity.ERROR, object, text, why, remedy)));
  }
}

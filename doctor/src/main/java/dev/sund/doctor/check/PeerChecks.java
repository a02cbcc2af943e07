package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Severity;
import dev.sund.doctor.Verdict;
import dev.sund.doctor.probe.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The way to a peer and back, as a probe has measured it: sizes, errors, time and loss. */
public final class PeerChecks {
  private PeerChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return Stream.concat(
            Stream.<Check<?>>of(
                new Check<>(
                    "probe-path-mtu",
                    "the largest packet to a peer and back",
                    Peer::of,
                    PeerChecks::sizes),
                new Check<>(
                    "probe-jumbo",
                    "whether both ends of a link have one MTU",
                    Peer::of,
                    PeerChecks::jumbo),
                new Check<>(
                    "probe-icmp", "whether ICMP errors come back", Peer::of, PeerChecks::errors),
                new Check<>(
                    "probe-latency",
                    "loss, round trips and jitter to a peer",
                    Peer::of,
                    PeerChecks::delays)),
            UnderlayChecks.all().stream())
        .toList();
  }

  private static String from(Peer peer, Peer.Way way) {
    return way == peer.there() ? "to " + peer.address() : "from " + peer.address();
  }

  private static Peer.End sender(Peer peer, Peer.Way way) {
    return way == peer.there() ? peer.here() : peer.far();
  }

  /** Whether a larger MTU at the sending end of a link is all that is wrong. */
  private static boolean isMismatch(Peer peer, Peer.Way way) {
    long least = Math.min(peer.here().mtu(), peer.far().mtu());
    return peer.onLink() && way.tried() > least && way.carries() == least;
  }

  private static Verdict sizes(Peer peer) {
    List<Finding> findings = new ArrayList<>();
    for (Peer.Way way : List.of(peer.there(), peer.back())) {
      Peer.End sender = sender(peer, way);
      boolean known = sender.routeMtu() > 0 && sender.routeMtu() <= way.carries();
      if (way.carries() < way.tried() && !isMismatch(peer, way) && !known) {
        findings.add(narrow(peer, way, sender));
      }
      boolean byRoute = sender.cachedMtu() == sender.routeMtu();
      if (sender.cachedMtu() > 0 && sender.cachedMtu() < way.carries() && !byRoute) {
        findings.add(
            new Finding(
                Severity.WARNING,
                "cached MTU " + from(peer, way),
                "The kernel %s remembers that packets %s may have %d bytes, and %d pass."
                    .formatted(
                        way == peer.there() ? "here" : "there",
                        from(peer, way),
                        sender.cachedMtu(),
                        way.carries()),
                "A router said so once, or somebody who pretended to be one; until the kernel"
                    + " forgets it (net.ipv4.route.mtu_expires, ten minutes) packets are small.",
                "ip route flush cache; if it comes again, ip route get "
                    + peer.address()
                    + " and the router that says so"));
      }
    }
    long there = peer.there().carries();
    long back = peer.back().carries();
    if (there != back && !isMismatch(peer, peer.there()) && !isMismatch(peer, peer.back())) {
      findings.add(
          new Finding(
              Severity.NOTE,
              "ways to " + peer.address(),
              "The way there carries %d bytes and the way back %d.".formatted(there, back),
              "Packets go and come by different routers or tunnels: what works in one direction"
                  + " says nothing of the other.",
              "Give both nodes the smaller MTU, " + Math.min(there, back)));
    }
    return Verdict.of(findings, there + " bytes to " + peer.address() + " and " + back + " back");
  }

  private static Finding narrow(Peer peer, Peer.Way way, Peer.End sender) {
    String object = "way " + from(peer, way);
    String remedy =
        "ip link set %s mtu %d on the sending node (and in its network's configuration), or a"
                .formatted(sender.device(), way.carries())
            + " wider way; pods below a tunnel need the tunnel's headers less";
    if (way.carries() == 0) {
      return new Finding(
          Severity.ERROR,
          object,
          "No packet of even %d bytes passes %s."
              .formatted(peer.isV6() ? 1_280 : 576, from(peer, way)),
          "Only small questions are answered; everything else stops.",
          "Find the tunnel or firewall between: tracepath -n " + peer.address());
    }
    String found =
        "%s has MTU %d, but %d bytes are the most that pass %s"
            .formatted(sender.device(), way.tried(), way.carries(), from(peer, way));
    if (way.said().isPresent()) {
      return new Finding(
          Severity.WARNING,
          object,
          found + ", and " + way.by() + " says so.",
          "Each new connection first learns it by a loss; tunnels and UDP programs that do not"
              + " listen to ICMP lose every large packet.",
          remedy);
    }
    return new Finding(
        Severity.ERROR,
        object,
        found + ": larger ones vanish, and no ICMP says so.",
        "A black hole: connections open, small answers come, and the first large one never does.",
        remedy + "; or let ICMP pass on the way (type 3 code 4, ICMPv6 type 2)");
  }

  private static Verdict jumbo(Peer peer) {
    long here = peer.here().mtu();
    long far = peer.far().mtu();
    String read =
        "%s here %d, %s there %d".formatted(peer.here().device(), here, peer.far().device(), far);
    if (!peer.onLink()) {
      return new Verdict.NotHere("a router is between this node and " + peer.address());
    }
    if (here == far) {
      return new Verdict.Right(read);
    }
    boolean lost = isMismatch(peer, here > far ? peer.there() : peer.back());
    return new Verdict.Wrong(
        List.of(
            new Finding(
                lost ? Severity.ERROR : Severity.WARNING,
                "link to " + peer.address(),
                "Both are on one link with different MTUs: " + read + ".",
                lost
                    ? "What the larger end sends above the smaller MTU is lost in the switch or the"
                        + " other end's device, and nobody says so."
                    : "The ends of a link must agree; which packets arrive is chance.",
                "One MTU on all nodes and switch ports of the link: ip link set DEVICE mtu "
                    + Math.min(here, far)
                    + ", or the larger one everywhere")));
  }

  private static Verdict errors(Peer peer) {
    List<Finding> findings = new ArrayList<>();
    List<String> silent = new ArrayList<>();
    for (Peer.Way way : List.of(peer.there(), peer.back())) {
      boolean narrow = way.carries() > 0 && way.carries() < way.tried();
      if (narrow && way.said().isEmpty() && !isMismatch(peer, way)) {
        findings.add(
            new Finding(
                Severity.WARNING,
                "ICMP " + from(peer, way),
                "Packets %s above %d bytes are lost, and no ICMP \"too large\" came back."
                    .formatted(from(peer, way), way.carries()),
                "The sender's kernel cannot learn the size, and sends what is too large again and"
                    + " again.",
                "Let ICMP type 3 code 4 and ICMPv6 type 2 pass on routers and firewalls between;"
                    + " sysctl -w net.ipv4.tcp_mtu_probing=1 helps TCP meanwhile"));
      }
      if (!way.refusal()) {
        silent.add(from(peer, way));
      }
    }
    if (!silent.isEmpty()) {
      findings.add(
          new Finding(
              Severity.NOTE,
              "ICMP refusals",
              "Packets %s to a UDP port where nobody listens were not refused."
                  .formatted(String.join(" and ", silent)),
              "A firewall drops them, or the ICMP that should come back: programs wait for a"
                  + " timeout instead of an error, and \"too large\" may be lost the same way.",
              "Let ICMP errors pass (nft: ct state related accept; icmp type"
                  + " destination-unreachable accept)"));
    }
    return Verdict.of(findings, "ports where nobody listens refuse, both ways");
  }

  private static Verdict delays(Peer peer) {
    Peer.Echoes echoes = peer.echoes();
    Limits limits = peer.limits();
    List<Finding> findings = new ArrayList<>();
    lost(findings, "to " + peer.address(), echoes.sent(), echoes.heard(), limits);
    lost(findings, "from " + peer.address(), echoes.heard(), echoes.back(), limits);
    long median = echoes.median();
    if (echoes.back() > 0 && median >= limits.rttNoteMicros()) {
      Severity severity = Severity.NOTE;
      long limit = limits.rttNoteMicros();
      String why = "Nodes of one site are nearer; each question of a pod pays it.";
      if (median >= limits.rttErrorMicros()) {
        severity = Severity.ERROR;
        limit = limits.rttErrorMicros();
        why =
            "This is another region: etcd's members lose their leader, and every query of a"
                + " database pays it.";
      } else if (median >= limits.rttWarningMicros()) {
        severity = Severity.WARNING;
        limit = limits.rttWarningMicros();
        why = "Databases that must agree (etcd, CockroachDB, Galera) commit at this speed.";
      }
      findings.add(
          new Finding(
              severity,
              "round trip to " + peer.address(),
              "A round trip takes %s ms (median), %s ms at most; the limit is %s ms."
                  .formatted(millis(median), millis(echoes.most()), millis(limit)),
              why,
              "Put the nodes nearer to each other, or raise the limit if this is meant (--rtt-note,"
                  + " --rtt-warning, --rtt-error)"));
    }
    jitter(findings, "to " + peer.address(), echoes.jitterThere(), limits);
    jitter(findings, "from " + peer.address(), echoes.jitterBack(), limits);
    return Verdict.of(
        findings,
        "%s ms to %s and back (%s at most), jitter %s and %s ms, none of %d lost in %d s"
            .formatted(
                millis(median),
                peer.address(),
                millis(echoes.most()),
                millis(echoes.jitterThere()),
                millis(echoes.jitterBack()),
                echoes.sent(),
                echoes.seconds()));
  }

  private static void lost(
      List<Finding> findings, String way, long sent, long arrived, Limits limits) {
    long lost = sent - arrived;
    if (lost <= 0) {
      return;
    }
    double thousandth = 1_000.0 * lost / sent;
    Severity severity =
        thousandth >= limits.lossError()
            ? Severity.ERROR
            : thousandth >= limits.lossWarning() ? Severity.WARNING : Severity.NOTE;
    findings.add(
        new Finding(
            severity,
            "loss " + way,
            "%d of %d small packets %s were lost (%.1f %%)."
                .formatted(lost, sent, way, thousandth / 10),
            "TCP halves its speed at each loss, and a lost DNS question costs five seconds.",
            "Look at both nodes' counters (sund netstat), then ask who runs what is between; cpu-steal"
                + " of either node looks the same"));
  }

  private static void jitter(List<Finding> findings, String way, long jitter, Limits limits) {
    if (jitter >= limits.jitterMicros()) {
      findings.add(
          new Finding(
              Severity.WARNING,
              "jitter " + way,
              "Packets %s take %s ms more or less than the one before; the limit is %s."
                  .formatted(way, millis(jitter), millis(limits.jitterMicros())),
              "Queues fill and empty on the way, or a hypervisor gives the processors to others:"
                  + " timeouts must allow for the slowest.",
              "Look at cpu-steal and softnet-drops on both nodes; ask the provider for dedicated"
                  + " processors"));
    }
  }

  /** With as many digits as are worth reading. */
  static String millis(long micros) {
    return micros < 10_000 ? "%.2f".formatted(micros / 1e3) : "%.0f".formatted(micros / 1e3);
  }
}

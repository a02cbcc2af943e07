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
import java.util.Set;
import java.util.TreeSet;

/** One pod, seen from inside: its way out, how large packets may be, and who does not answer it. */
public final class InsideChecks {
  /** NUD_INCOMPLETE and NUD_FAILED: nobody answered. */
  private static final Set<String> SILENT = Set.of("1", "32");

  private InsideChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "inside-route",
            "whether this pod has a way out",
            InsideChecks::routes,
            InsideChecks::wayOut),
        new Check<>(
            "inside-mtu",
            "whether this pod's packets fit the way",
            InsideChecks::sizes,
            InsideChecks::fit),
        new Check<>(
            "inside-policy",
            "whether policies let this pod ask for names",
            host -> host.lines(Facts.POD_POLICY),
            InsideChecks::allowed),
        new Check<>(
            "inside-waiting",
            "who does not answer this pod",
            InsideChecks::waits,
            InsideChecks::unanswered),
        new Check<>(
            "inside-listen",
            "whether this pod takes connections in time",
            InsideChecks::queues,
            InsideChecks::taken));
  }

  /**
   * Ways out.
   *
   * @param pod its name
   * @param faults by family what is wrong
   * @param ways those that are there, for people
   */
  record Routes(String pod, Map<String, String> faults, List<String> ways) {}

  private static Routes routes(Host host) throws UnreadException {
    List<Line> lines = host.lines(Facts.POD);
    Set<String> families = new TreeSet<>();
    Map<String, Line> devices = new HashMap<>();
    Map<String, Line> defaults = new HashMap<>();
    for (Line line : lines) {
      if (line.has("default")) {
        defaults.putIfAbsent(line.text("default"), line);
      } else if (line.has("device")) {
        devices.put(line.text("device"), line);
        for (String address : line.list("addresses")) {
          if (!address.startsWith("fe80:")) {
            families.add(address.contains(":") ? "ipv6" : "ipv4");
          }
        }
      }
    }
    Map<String, String> faults = new java.util.TreeMap<>();
    List<String> ways = new ArrayList<>();
    if (families.isEmpty()) {
      faults.put("any", "no address");
    }
    for (String family : families) {
      Line route = defaults.get(family);
      if (route == null) {
        faults.put(family, "no default route");
        continue;
      }
      Line device = devices.get(route.text("device"));
      if (route.is("dead") || (device != null && !device.is("up"))) {
        faults.put(family, "a default route by " + route.text("device") + ", which is down");
      } else if (device != null && !device.is("carrier")) {
        faults.put(
            family, "a default route by " + route.text("device") + ", whose other end is down");
      } else if (SILENT.contains(route.text("neighbour"))) {
        faults.put(
            family, "a default route via " + route.text("gateway") + ", which does not answer");
      }
      ways.add(
          family
              + (route.has("gateway") ? " via " + route.text("gateway") : "")
              + " by "
              + route.text("device"));
    }
    return new Routes(pod(lines), faults, ways);
  }

  private static String pod(List<Line> lines) {
    return lines.stream()
        .filter(line -> line.has("pod"))
        .findFirst()
        .map(one -> one.text("pod"))
        .orElse("the pod");
  }

  private static Verdict wayOut(Routes is) {
    List<Finding> findings = new ArrayList<>();
    is.faults.forEach((family, fault) ->
        findings.add(
            new Finding(
                Severity.ERROR,
                is.pod,
                "%s has %s (%s).".formatted(is.pod, fault, family),
                "It reaches its own subnet and nothing else: no Service, no DNS, no other node.",
                "Make the pod anew (kubectl delete pod); when all of a node have it, restart the"
                    + " network plugin's pod first.")));
    return Verdict.of(findings, "ways out: " + String.join(", ", is.ways));
  }

  /**
   * Sizes of packets.
   *
   * @param pod its name
   * @param faults what does not fit
   * @param read the MTUs
   */
  record Sizes(String pod, List<Finding> faults, List<String> read) {}

  private static Sizes sizes(Host host) throws UnreadException {
    List<Line> lines = host.lines(Facts.POD);
    String pod = pod(lines);
    List<Finding> faults = new ArrayList<>();
    List<String> read = new ArrayList<>();
    Line smallest = null;
    for (Line line : lines) {
      if (line.has("uplink") && (smallest == null || line.number("mtu") < smallest.number("mtu"))) {
        smallest = line;
      }
    }
    for (Line line : lines) {
      if (!line.has("device") || line.has("default") || !line.has("mtu")) {
        continue;
      }
      long mtu = line.number("mtu");
      String device = line.text("device");
      read.add(device + " " + mtu);
      if (line.has("end") && line.number("end-mtu") < mtu) {
        faults.add(
            tooLarge(
                Severity.ERROR,
                pod,
                "%s of %s has MTU %d, and the node's end of it, %s, %d."
                    .formatted(device, pod, mtu, line.text("end"), line.number("end-mtu")),
                "Larger packets are dropped between the two ends, and nobody is told: connections"
                    + " open, and hang at the first large answer.",
                "ip link set "
                    + line.text("end")
                    + " mtu "
                    + mtu
                    + " on the node, or make the pod anew"
                    + " once the plugin's MTU is right."));
      } else if (smallest != null && smallest.number("mtu") < mtu) {
        faults.add(
            tooLarge(
                Severity.WARNING,
                pod,
                "%s of %s has MTU %d, and the node's way out, %s, %d."
                    .formatted(device, pod, mtu, smallest.text("uplink"), smallest.number("mtu")),
                "The first large packet of a connection is lost and sent again smaller; where ICMP is"
                    + " filtered, all of them are lost.",
                "Set the plugin's MTU to "
                    + smallest.number("mtu")
                    + " less what its tunnel adds, and make the pod anew."));
      }
    }
    for (Line line : paths(host)) {
      read.add("to " + line.text("path") + " " + line.number("mtu"));
      if (line.number("mtu") < line.number("device-mtu") && faults.isEmpty()) {
        faults.add(
            tooLarge(
                Severity.WARNING,
                pod,
                "%s sends packets of %d bytes, and the way to %s takes %d."
                    .formatted(
                        pod, line.number("device-mtu"), line.text("path"), line.number("mtu")),
                "The first large packet of a connection is lost and sent again smaller; where ICMP is"
                    + " filtered, all of them are lost.",
                "Set the plugin's MTU to " + line.number("mtu") + ", and make the pod anew."));
      }
    }
    return new Sizes(pod, faults, read);
  }

  /** What was learned beside the names; nothing where those could not be asked. */
  private static List<Line> paths(Host host) {
    try {
      return host.lines(Facts.POD_DNS).stream().filter(line -> line.has("path")).toList();
    } catch (UnreadException _) {
      return List.of(); // said by the checks of names
    }
  }

  private static Finding tooLarge(
      Severity severity, String pod, String text, String why, String remedy) {
    return new Finding(severity, pod, text, why, remedy);
  }

  private static Verdict fit(Sizes is) {
    return Verdict.of(is.faults, "MTU " + String.join(", ", is.read));
  }

  private static Verdict allowed(List<Line> lines) {
    List<Finding> findings = new ArrayList<>();
    List<String> read = new ArrayList<>();
    String unknown = "nobody was asked";
    for (Line line : lines) {
      String why = line.text("why").replace('_', ' ');
      switch (line.text("verdict")) {
        case "denied" ->
            findings.add(
                new Finding(
                    Severity.ERROR,
                    line.text("pod"),
                    "%s may not send to %s: %s.".formatted(line.text("pod"), line.text("to"), why),
                    "No name is found: each connection by name waits for a timeout and fails.",
                    "Allow egress to the cluster's DNS, UDP and TCP 53, in a NetworkPolicy; sund"
                        + " trace "
                        + line.text("pod")
                        + " "
                        + line.text("to")
                        + " shows the rules and the smallest change"));
        case "allowed" -> read.add(line.text("to"));
        default -> unknown = why;
      }
    }
    return findings.isEmpty() && read.isEmpty()
        ? new Verdict.NotHere("not known: " + unknown)
        : Verdict.of(findings, "policies let it send to " + String.join(", ", read));
  }

  /**
   * Who does not answer.
   *
   * @param silent each with how many connections wait for it, and which Service it is
   */
  record Waits(String pod, List<String> silent, boolean empty) {}

  private static Waits waits(Host host) throws UnreadException {
    List<Line> lines = host.lines(Facts.POD);
    List<String> silent = new ArrayList<>();
    boolean empty = false;
    for (Line line : lines) {
      if (line.has("waiting-for")) {
        Line service = service(host, line.text("address"));
        boolean without = service != null && service.number("endpoints") == 0;
        empty |= without;
        silent.add(
            line.text("waiting-for")
                + (service == null
                    ? ""
                    : " (Service "
                        + service.text("service")
                        + (without ? ", without a ready endpoint)" : ")")));
      }
    }
    return new Waits(pod(lines), silent, empty);
  }

  private static @org.jspecify.annotations.Nullable Line service(Host host, String address) {
    try {
      return ClusterLines.of(host).about("service").stream()
          .filter(one -> one.list("addresses").contains(address))
          .findFirst()
          .orElse(null);
    } catch (UnreadException _) {
      return null; // no cluster is given: the address says enough
    }
  }

  private static Verdict unanswered(Waits is) {
    if (is.silent.isEmpty()) {
      return new Verdict.Right("no connection of it waits for a first answer");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                is.pod,
                "%s waits for %s: no answer to the first packet of a connection."
                    .formatted(is.pod, String.join(", ", is.silent)),
                "The program hangs until its timeout, and often ends: CrashLoopBackOff.",
                is.empty
                    ? "Make that Service's pods ready: kubectl describe pods"
                    : "sund doctor --only service-endpoints,inside-policy --kubeconfig FILE; sund"
                        + " trace from the pod to that address, or sund capture "
                        + is.pod
                        + " tcp")));
  }

  /**
   * Queues of sockets that listen.
   *
   * @param overflows connections that full queues refused since the pod began
   * @param taken connections that were taken
   * @param full the socket with most connections that wait, and how many
   */
  record Queues(String pod, long overflows, long taken, String full, long waiting) {}

  private static Queues queues(Host host) throws UnreadException {
    List<Line> lines = host.lines(Facts.POD);
    long overflows = 0;
    long taken = 0;
    String full = "";
    long waiting = 0;
    for (Line line : lines) {
      if (line.text("counter").equals("TcpExt.ListenOverflows")) {
        overflows = line.number("value");
      } else if (line.text("counter").equals("Tcp.PassiveOpens")) {
        taken = line.number("value");
      } else if (line.has("listens") && line.number("waiting") > waiting) {
        full = line.text("listens");
        waiting = line.number("waiting");
      }
    }
    return new Queues(pod(lines), overflows, taken, full, waiting);
  }

  private static Verdict taken(Queues is) {
    String read =
        "%,d connections taken, %,d refused by full queues; %s"
            .formatted(
                is.taken,
                is.overflows,
                is.waiting == 0 ? "none waits" : is.waiting + " wait at " + is.full);
    // One in a thousand is a burst at the start; a queue that is full now is not.
    if (is.overflows * 1_000 <= is.taken || is.overflows == 0) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                is.pod,
                "%s lets connections wait until its queue is full: %s.".formatted(is.pod, read),
                "Who asks it waits a second and more for the second try, though the network is well.",
                "Give the program more threads or a longer listen() queue, and the pod"
                    + " net.core.somaxconn (securityContext.sysctls).")));
  }
}

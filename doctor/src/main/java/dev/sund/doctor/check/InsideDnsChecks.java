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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** How names are found inside one pod. */
public final class InsideDnsChecks {
  /** A cluster's DNS answers from memory, on the same fabric. */
  private static final long SLOW_MICROS = 100_000;

  /** What all questions for one name may take together. */
  private static final long SLOW_NAME_MICROS = 500_000;

  /** C libraries know no more. */
  private static final int MOST_SERVERS = 3;

  private InsideDnsChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "inside-resolv",
            "whether this pod is told whom to ask for names",
            InsideDnsChecks::conf,
            InsideDnsChecks::told),
        new Check<>(
            "inside-dns",
            "whether this pod's DNS servers answer",
            InsideDnsChecks::servers,
            InsideDnsChecks::answering),
        new Check<>(
            "inside-dns-pair",
            "whether two questions at once are both answered",
            InsideDnsChecks::pairs,
            InsideDnsChecks::both),
        new Check<>(
            "inside-dns-tcp",
            "whether large answers arrive",
            InsideDnsChecks::tcp,
            InsideDnsChecks::large),
        new Check<>(
            "inside-names",
            "whether names are found, and by how many questions",
            InsideDnsChecks::names,
            InsideDnsChecks::found));
  }

  /**
   * What resolv.conf says.
   *
   * @param servers in their order
   * @param search in its order
   * @param domain the cluster's; empty when the pod is not told of it
   */
  record Conf(List<String> servers, List<String> search, long ndots, String domain) {}

  private static Conf conf(Host host) throws UnreadException {
    for (Line line : host.lines(Facts.POD_DNS)) {
      if (line.has("file")) {
        return new Conf(
            line.list("servers"), line.list("search"), line.number("ndots"), line.text("domain"));
      }
    }
    throw new UnreadException(
        "/" + Host.FACTS + "/" + Facts.POD_DNS + " says nothing of resolv.conf",
        "Record it again, with this release.");
  }

  private static Verdict told(Conf is) {
    List<Finding> findings = new ArrayList<>();
    String object = "/etc/resolv.conf of the pod";
    if (is.servers.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              object,
              "The pod's resolv.conf names no server.",
              "Programs ask 127.0.0.1, where nobody listens: no name is found.",
              "dnsPolicy: ClusterFirst in the pod; with dnsPolicy: None, dnsConfig.nameservers."));
    }
    for (String server : is.servers) {
      if (server.startsWith("127.") || server.equals("::1")) {
        findings.add(
            new Finding(
                Severity.ERROR,
                object,
                "The pod's resolv.conf names " + server + ", which is the pod itself.",
                "It is the node's own (systemd-resolved); in the pod nobody listens there.",
                "resolvConf: /run/systemd/resolve/resolv.conf in the kubelet's configuration"));
      }
    }
    if (is.servers.size() > MOST_SERVERS) {
      findings.add(
          new Finding(
              Severity.WARNING,
              object,
              "The pod's resolv.conf names %d servers.".formatted(is.servers.size()),
              "C libraries ask the first three and never the others.",
              "Take some out of dnsConfig.nameservers, or out of the node's resolv.conf."));
    }
    if (is.domain.isEmpty() && !is.servers.isEmpty()) {
      findings.add(
          new Finding(
              Severity.NOTE,
              object,
              "The pod's search list has no domain of a cluster: " + is.search + ".",
              "Services are found by their whole names alone, and only if the server knows them: the"
                  + " pod has dnsPolicy Default, or is on its node's network.",
              "dnsPolicy: ClusterFirst, on the node's network ClusterFirstWithHostNet"));
    }
    return Verdict.of(
        findings, "servers %s, search %s, ndots %d".formatted(is.servers, is.search, is.ndots));
  }

  /** What a server answered, by way: A, AAAA, pair, tcp. */
  private record Server(String name, Map<String, List<Line>> asked) {
    List<Line> by(String way) {
      return asked.getOrDefault(way, List.of());
    }

    boolean came(String way) {
      return by(way).stream().anyMatch(InsideDnsChecks::came);
    }

    boolean answers() {
      return came("A") || came("AAAA");
    }
  }

  private static boolean came(Line line) {
    return came(line.text("outcome"));
  }

  private static boolean came(String outcome) {
    return outcome.matches("[A-Z0-9]+");
  }

  private static List<Server> read(Host host) throws UnreadException {
    Map<String, Map<String, List<Line>>> servers = new LinkedHashMap<>();
    for (Line line : host.lines(Facts.POD_DNS)) {
      if (line.has("asked")) {
        servers
            .computeIfAbsent(line.text("server"), _ -> new LinkedHashMap<>())
            .computeIfAbsent(line.text("asked"), _ -> new ArrayList<>())
            .add(line);
      }
    }
    List<Server> all = new ArrayList<>();
    servers.forEach((name, asked) -> all.add(new Server(name, asked)));
    return all;
  }

  /**
   * How servers answer one question at a time.
   *
   * @param all how many
   * @param silent those that answer nothing, each with what came instead
   * @param half those that answer one type and are silent to the other
   * @param failing those that answer, and have an error to tell
   * @param usual what half of the answers took at most, in microseconds: the first one of a look
   *     may be slow for reasons of its own
   */
  record Servers(
      int all, List<String> silent, List<String> half, List<String> failing, long usual) {}

  private static Servers servers(Host host) throws UnreadException {
    List<Server> servers = read(host);
    List<String> silent = new ArrayList<>();
    List<String> half = new ArrayList<>();
    List<String> failing = new ArrayList<>();
    List<Long> micros = new ArrayList<>();
    for (Server server : servers) {
      if (!server.answers()) {
        Set<String> words = new TreeSet<>();
        server.by("A").forEach(line -> words.add(line.text("outcome")));
        silent.add(server.name + " (" + String.join(", ", words) + ")");
        continue;
      }
      for (String type : List.of("A", "AAAA")) {
        if (!server.came(type)) {
          half.add(server.name + " never answers questions for " + type);
        }
        for (Line line : server.by(type)) {
          if (came(line)) {
            micros.add(line.number("micros"));
          }
          if (line.text("outcome").matches("SERVFAIL|REFUSED|FORMERR|NOTIMP")) {
            failing.add(server.name + " says " + line.text("outcome") + " to " + type);
          }
        }
      }
    }
    for (Server server : servers) {
      for (Line line : server.by("pair")) {
        if (came(line)) {
          micros.add(line.number("micros"));
        }
      }
    }
    return new Servers(servers.size(), silent, half, failing, Latency.middle(micros));
  }

  private static Verdict answering(Servers is) {
    if (is.all == 0) {
      return new Verdict.NotHere("there is no server to ask");
    }
    List<Finding> findings = new ArrayList<>();
    if (!is.silent.isEmpty()) {
      boolean refused = is.silent.stream().allMatch(one -> one.contains("refused"));
      findings.add(
          new Finding(
              Severity.ERROR,
              is.silent.getFirst().replaceFirst(" .*", ""),
              "%d of %d DNS servers of the pod do not answer: %s."
                  .formatted(is.silent.size(), is.all, String.join(", ", is.silent)),
              is.silent.size() == is.all
                  ? "No name is found: programs that begin by looking one up end at once or after"
                      + " some timeouts, which looks like a crash."
                  : "Each name that is asked of it first costs 5 seconds.",
              refused
                  ? "Nobody listens there: kubectl -n kube-system get pods,endpointslices -l"
                      + " k8s-app=kube-dns"
                  : "kubectl -n kube-system get pods -l k8s-app=kube-dns; sund doctor on this node (is"
                      + " the Service translated, the tunnel up?); a policy that forbids egress to"
                      + " UDP 53"));
    }
    if (!is.half.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              is.half.getFirst().replaceFirst(" .*", ""),
              String.join("; ", is.half) + ".",
              "Programs ask for both types and wait for both: each name costs 5 seconds, then is"
                  + " found.",
              "Have the server, or who drops its answers, answer that there is none (CoreDNS: a"
                  + " template or rewrite that swallows AAAA, a forward to a server that is silent)"));
    }
    if (!is.failing.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              is.failing.getFirst().replaceFirst(" .*", ""),
              String.join("; ", is.failing) + ".",
              "The server is there and cannot answer: it lost its API server, or who it forwards to.",
              "kubectl -n kube-system logs -l k8s-app=kube-dns"));
    }
    if (is.usual > SLOW_MICROS) {
      findings.add(
          new Finding(
              Severity.WARNING,
              "DNS",
              "Half of the answers took more than %s.".formatted(millis(is.usual)),
              "Each name costs several questions, and each connection a name.",
              "kubectl -n kube-system top pods -l k8s-app=kube-dns; more replicas, a higher CPU limit,"
                  + " or a cache on each node (NodeLocal DNSCache)"));
    }
    return Verdict.of(
        findings, is.all + " servers answer A and AAAA, mostly within " + millis(is.usual));
  }

  private static String millis(long micros) {
    return "%.1f ms".formatted(micros / 1_000.0);
  }

  /**
   * Two questions by one socket.
   *
   * @param pairs how many were sent to servers that answer both types alone
   * @param lost pairs of which one answer or both did not come, as {@code SERVER TYPE}
   */
  record Pairs(int pairs, List<String> lost) {}

  private static Pairs pairs(Host host) throws UnreadException {
    int pairs = 0;
    List<String> lost = new ArrayList<>();
    for (Server server : read(host)) {
      if (!server.came("A") || !server.came("AAAA")) {
        continue; // the server's own fault, and another check's
      }
      for (Line line : server.by("pair")) {
        pairs++;
        if (!came(line)) {
          lost.add(server.name + " A");
        } else if (!came(line.text("outcome2"))) {
          lost.add(server.name + " AAAA");
        }
      }
    }
    return new Pairs(pairs, lost);
  }

  private static Verdict both(Pairs is) {
    if (is.pairs == 0) {
      return new Verdict.NotHere("no server answers both types when it is asked for one");
    }
    if (is.lost.isEmpty()) {
      return new Verdict.Right(is.pairs + " pairs of questions, all answered");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                is.lost.getFirst().replaceFirst(" .*", ""),
                "Of %d pairs of questions sent at once, %d lost an answer (%s); each alone is"
                        .formatted(is.pairs, is.lost.size(), String.join(", ", is.lost))
                    + " answered.",
                "Two packets of one socket race for one entry in the kernel's table of connections,"
                    + " and one is dropped: names take 5 seconds now and then.",
                "options single-request-reopen in dnsConfig (glibc), NodeLocal DNSCache, or a proxy"
                    + " without conntrack for DNS; conntrack-losses counts insert_failed")));
  }

  /**
   * Questions by TCP.
   *
   * @param servers how many answer by UDP
   * @param closed those that do not answer by TCP, each with what came instead
   * @param truncated whether some answer by UDP said that there is more
   */
  record Tcp(int servers, List<String> closed, boolean truncated) {}

  private static Tcp tcp(Host host) throws UnreadException {
    int servers = 0;
    List<String> closed = new ArrayList<>();
    boolean truncated = false;
    for (Server server : read(host)) {
      if (!server.answers()) {
        continue;
      }
      servers++;
      for (List<Line> lines : server.asked.values()) {
        truncated |= lines.stream().anyMatch(line -> line.is("truncated"));
      }
      for (Line line : server.by("tcp")) {
        if (!came(line)) {
          closed.add(server.name + " (" + line.text("outcome") + ")");
        }
      }
    }
    return new Tcp(servers, closed, truncated);
  }

  private static Verdict large(Tcp is) {
    if (is.servers == 0) {
      return new Verdict.NotHere("no server answers by UDP");
    }
    if (is.closed.isEmpty()) {
      return new Verdict.Right(is.servers + " servers answer by TCP, too");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                is.truncated ? Severity.ERROR : Severity.WARNING,
                is.closed.getFirst().replaceFirst(" .*", ""),
                is.truncated
                    ? "Answers are cut to fit UDP, and TCP, by which the rest comes, is not answered:"
                        + " %s.".formatted(String.join(", ", is.closed))
                    : "DNS servers do not answer by TCP: %s."
                        .formatted(String.join(", ", is.closed)),
                is.truncated
                    ? "Such names are not found at all, or half of their addresses are."
                    : "Names with many addresses (headless Services, large zones) are not found once"
                        + " their answer no longer fits a datagram.",
                "Allow TCP 53 beside UDP 53: in the policies for egress, in the kube-dns Service, in"
                    + " firewalls.")));
  }

  /** One of the names that a program's question becomes. */
  private record Asked(String as, String outcome, long answers, long micros) {}

  /**
   * Names.
   *
   * @param asked by name, what was asked in turn
   */
  record Names(Map<String, List<Line>> asked) {}

  private static Names names(Host host) throws UnreadException {
    Map<String, List<Line>> asked = new LinkedHashMap<>();
    for (Line line : host.lines(Facts.POD_DNS)) {
      if (line.has("as")) {
        line.number("answers");
        line.number("micros");
        asked.computeIfAbsent(line.text("name"), _ -> new ArrayList<>()).add(line);
      }
    }
    return new Names(asked);
  }

  private static Verdict found(Names is) {
    List<Finding> findings = new ArrayList<>();
    List<String> read = new ArrayList<>();
    boolean answered = false;
    for (Map.Entry<String, List<Line>> name : is.asked.entrySet()) {
      List<Asked> asked =
          name.getValue().stream()
              .map(line ->
                  new Asked(
                      line.text("as"),
                      line.text("outcome"),
                      Long.parseLong("0" + line.text("answers")),
                      Long.parseLong("0" + line.text("micros"))))
              .toList();
      if (asked.stream().noneMatch(one -> came(one.outcome))) {
        continue; // nobody answers at all: inside-dns
      }
      answered = true;
      finding(name.getKey(), asked, findings, read);
    }
    return answered
        ? Verdict.of(findings, String.join("; ", read))
        : new Verdict.NotHere("no server answers");
  }

  private static void finding(
      String name, List<Asked> asked, List<Finding> findings, List<String> read) {
    long micros = asked.stream().mapToLong(Asked::micros).sum();
    List<String> broken =
        asked.stream()
            .filter(one -> !one.outcome.matches("NOERROR|NXDOMAIN"))
            .map(one -> one.as + " (" + one.outcome + ")")
            .toList();
    Asked last = asked.getLast();
    if (last.answers == 0) {
      findings.add(
          new Finding(
              Severity.ERROR,
              name,
              "%s is not found: %s."
                  .formatted(
                      name,
                      String.join(
                          ", ", asked.stream().map(one -> one.as + " " + one.outcome).toList())),
              "A program that asks for it ends, or tries again for ever.",
              "Is the name right, its Service in that namespace (kubectl get service -A), and the"
                  + " cluster's domain the one in the search list?"));
    } else if (!broken.isEmpty()) {
      findings.add(
          new Finding(
              Severity.WARNING,
              name,
              "%s is found as %s, after %s failed."
                  .formatted(name, last.as, String.join(", ", broken)),
              "A domain of the search list is asked first, whose servers do not answer: each short"
                  + " name waits for it.",
              "Take that domain out of the node's resolv.conf (the kubelet passes it on), or write"
                  + " names with a dot at their end."));
    } else if (micros > SLOW_NAME_MICROS) {
      findings.add(
          new Finding(
              Severity.WARNING,
              name,
              "%s took %d questions and %s in all."
                  .formatted(name, asked.size() * 2, millis(micros)),
              "Each new connection by this name waits so long.",
              "Write the name with a dot at its end, or lower ndots in dnsConfig; look at CoreDNS."));
    } else {
      read.add(
          "%s is found as %s, by %d questions in %s"
              .formatted(name, last.as, asked.size() * 2, millis(micros)));
    }
  }
}

package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import dev.sund.doctor.dns.ResolvConf;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The cluster's DNS: who answers, how fast, and what makes it work more than it must. */
public final class ClusterDnsChecks {
  /** From the node, on the same fabric, answers from memory. */
  private static final long SLOW_MICROS = 50_000;

  private static final int MOST_SERVERS = 3;
  private static final String KUBELET = "var/lib/kubelet/config.yaml";
  private static final String RESOLV = "etc/resolv.conf";
  private static final Pattern RESOLV_CONF = Pattern.compile("(?m)^resolvConf:\\s*\"?([^\\s\"]+)");

  private ClusterDnsChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "dns-pods",
            "whether the cluster's DNS runs",
            host -> pods(ClusterLines.of(host, "services", "pods", "endpointslices")),
            ClusterDnsChecks::run),
        new Check<>(
            "dns-answers",
            "whether the cluster's DNS answers this node, and fast",
            ClusterDnsChecks::answers,
            ClusterDnsChecks::fast),
        new Check<>(
            "dns-settings",
            "whether names are asked for more often than they must",
            ClusterDnsChecks::settings,
            ClusterDnsChecks::sound));
  }

  /**
   * Who answers.
   *
   * @param pods how many there are
   * @param unready those that are not ready, with how often they began anew
   * @param services the Services, each with how many endpoints
   * @param empty the Services without one
   */
  record Pods(int pods, List<String> unready, List<String> services, List<String> empty) {}

  private static Pods pods(ClusterLines cluster) throws UnreadException {
    List<String> unready = new ArrayList<>();
    List<String> services = new ArrayList<>();
    List<String> empty = new ArrayList<>();
    List<Line> pods = cluster.about("dns-pod");
    for (Line pod : pods) {
      if (!pod.is("ready")) {
        unready.add(pod.text("dns-pod") + " (" + pod.text("restarts") + " restarts)");
      }
    }
    for (Line service : cluster.about("service")) {
      if (service.is("dns")) {
        services.add(service.text("service") + " with " + service.text("endpoints"));
        if (service.number("endpoints") == 0) {
          empty.add(service.text("service"));
        }
      }
    }
    return new Pods(pods.size(), unready, services, empty);
  }

  private static Verdict run(Pods is) {
    if (is.pods == 0 && is.services.isEmpty()) {
      return new Verdict.NotHere("no pod and no Service has the label k8s-app: kube-dns");
    }
    String remedy =
        "kubectl -n kube-system describe pods -l k8s-app=kube-dns; kubectl -n kube-system logs -l"
            + " k8s-app=kube-dns (a loop is named there: see dns-settings)";
    List<Finding> findings = new ArrayList<>();
    if (is.unready.size() == is.pods) {
      findings.add(
          new Finding(
              Severity.ERROR,
              "kube-dns",
              is.pods == 0
                  ? "There is a Service for the cluster's DNS, and no pod of it."
                  : "None of the %d pods of the cluster's DNS is ready: %s."
                      .formatted(is.pods, String.join(", ", is.unready)),
              "No name is found in the whole cluster; programs that begin by looking one up end.",
              remedy));
    } else if (!is.unready.isEmpty()) {
      findings.add(
          new Finding(
              Severity.WARNING,
              "kube-dns",
              "%d of %d pods of the cluster's DNS are not ready: %s."
                  .formatted(is.unready.size(), is.pods, String.join(", ", is.unready)),
              "The others carry all questions; when they end, no name is found.",
              remedy));
    } else if (!is.empty.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              is.empty.getFirst(),
              "Service %s has no endpoint, though %d pods are ready."
                  .formatted(is.empty.getFirst(), is.pods),
              "Questions are refused; no name is found in the whole cluster.",
              "Compare its selector with the pods' labels: kubectl -n kube-system get service,pods -l"
                  + " k8s-app=kube-dns --show-labels -o wide"));
    }
    return Verdict.of(findings, is.pods + " pods ready; " + String.join(", ", is.services));
  }

  /**
   * What it answers to the node.
   *
   * @param node whether this machine is one of the cluster's nodes
   * @param udp questions by UDP
   * @param lost those without an answer, as {@code SERVER OUTCOME}
   * @param closed servers without an answer by TCP
   * @param usual what half of the answers took at most, in microseconds
   */
  record Answers(boolean node, int udp, List<String> lost, List<String> closed, long usual) {}

  private static Answers answers(Host host) throws UnreadException {
    if (!ClusterLines.of(host, "nodes", "services").isNode(host)) {
      return new Answers(false, 0, List.of(), List.of(), 0);
    }
    int udp = 0;
    List<Long> micros = new ArrayList<>();
    List<String> lost = new ArrayList<>();
    List<String> closed = new ArrayList<>();
    for (Line line : host.lines(Facts.CLUSTER_DNS)) {
      boolean came = line.text("outcome").matches("[A-Z0-9]+");
      String said = line.text("server") + " (" + line.text("outcome") + ")";
      if (line.text("asked").equals("tcp")) {
        if (!came) {
          closed.add(said);
        }
        continue;
      }
      udp++;
      if (came) {
        micros.add(line.number("micros"));
      } else {
        lost.add(said);
      }
    }
    return new Answers(true, udp, lost, closed, Latency.middle(micros));
  }

  private static Verdict fast(Answers is) {
    if (!is.node || is.udp == 0) {
      return new Verdict.NotHere(
          is.node
              ? "there is no Service of the cluster's DNS to ask"
              : "this machine is no node of that cluster");
    }
    String slow = "%.1f ms".formatted(is.usual / 1_000.0);
    List<Finding> findings = new ArrayList<>();
    if (!is.lost.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              is.lost.getFirst().replaceFirst(" .*", ""),
              "%d of %d questions of this node to the cluster's DNS were not answered: %s."
                  .formatted(is.lost.size(), is.udp, String.join(", ", new TreeSet<>(is.lost))),
              "Pods here wait 5 seconds for each name whose question is lost.",
              "sund doctor here and on the nodes of the DNS pods: is the Service translated (proxy-*),"
                  + " the tunnel's MTU and port right, conntrack-losses?"));
    }
    if (!is.closed.isEmpty()) {
      findings.add(
          new Finding(
              Severity.WARNING,
              is.closed.getFirst().replaceFirst(" .*", ""),
              "The cluster's DNS does not answer by TCP: " + String.join(", ", is.closed) + ".",
              "Names whose answer does not fit a datagram are not found.",
              "Give the kube-dns Service a port 53 of TCP, and let policies and firewalls pass it."));
    }
    if (is.usual > SLOW_MICROS) {
      findings.add(
          new Finding(
              Severity.WARNING,
              "kube-dns",
              "Half of the answers of the cluster's DNS took more than " + slow + ".",
              "Each new connection by name waits so long, several times over (ndots).",
              "kubectl -n kube-system top pods -l k8s-app=kube-dns; more replicas, a higher CPU limit,"
                  + " or a cache on each node (NodeLocal DNSCache)"));
    }
    return Verdict.of(findings, is.udp + " questions, answered mostly within " + slow);
  }

  /**
   * What makes more questions.
   *
   * @param ndots pods that set it too high
   * @param search pods that search too many domains
   * @param conf the file that the kubelet gives to pods; empty when there is none
   * @param servers how many servers it names
   * @param loop one of them that is the node itself; empty when none is
   */
  record Settings(List<String> ndots, List<String> search, String conf, int servers, String loop) {}

  private static Settings settings(Host host) throws UnreadException {
    List<String> ndots = new ArrayList<>();
    List<String> search = new ArrayList<>();
    for (Line line : ClusterLines.of(host, "pods").about("dns-setting")) {
      (line.text("fault").equals("ndots") ? ndots : search)
          .add(line.text("dns-setting") + " (" + line.text("value") + ")");
    }
    Optional<String> kubelet = host.textIfThere(KUBELET);
    if (kubelet.isEmpty()) {
      return new Settings(ndots, search, "", 0, ""); // no node of a cluster
    }
    Matcher named = RESOLV_CONF.matcher(kubelet.get());
    String conf = named.find() ? named.group(1).replaceFirst("^/+", "") : RESOLV;
    List<Ip> servers = ResolvConf.parse(host.textIfThere(conf).orElse("")).servers();
    String loop = servers.stream().filter(Ip::isLoopback).findFirst().map(Ip::toString).orElse("");
    return new Settings(ndots, search, conf, servers.size(), loop);
  }

  private static Verdict sound(Settings is) {
    List<Finding> findings = new ArrayList<>();
    if (!is.loop.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              "/" + is.conf,
              "The kubelet gives pods /%s, which names %s: the node itself, or in a pod the pod."
                  .formatted(is.conf, is.loop),
              "CoreDNS forwards to itself, finds the loop and ends (CrashLoopBackOff); pods with"
                  + " dnsPolicy Default find no name.",
              "resolvConf: /run/systemd/resolve/resolv.conf in /"
                  + KUBELET
                  + ", systemctl restart kubelet, and make CoreDNS's pods anew"));
    }
    if (is.servers > MOST_SERVERS) {
      findings.add(
          new Finding(
              Severity.WARNING,
              "/" + is.conf,
              "/%s names %d servers.".formatted(is.conf, is.servers),
              "The kubelet gives pods the first three and warns of the others in events (DNSConfigForming).",
              "Take some out."));
    }
    if (!is.ndots.isEmpty()) {
      findings.add(
          new Finding(
              Severity.WARNING,
              ClusterLines.named(is.ndots),
              "Pods set ndots to more than 5: %s.".formatted(ClusterLines.named(is.ndots)),
              "Each name with fewer dots is first asked for with every domain of the search list, for"
                  + " both types.",
              "Take the option out of dnsConfig; for many names of the outside, ndots: 2"));
    }
    if (!is.search.isEmpty()) {
      findings.add(
          new Finding(
              Severity.WARNING,
              ClusterLines.named(is.search),
              "Pods search more than 6 domains: %s.".formatted(ClusterLines.named(is.search)),
              "Each name of the outside costs two questions for every domain; older C libraries look"
                  + " at six and no more.",
              "Take domains out of dnsConfig.searches"));
    }
    return Verdict.of(
        findings,
        "pods' ndots and search lists"
            + (is.conf.isEmpty() ? "" : "; /" + is.conf + " with " + is.servers + " servers"));
  }
}

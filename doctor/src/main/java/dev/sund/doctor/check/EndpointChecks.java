package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Whether somebody answers for Services, and whether policies say who may ask. */
public final class EndpointChecks {
  /** A watch and a proxy together are done within a second or two. */
  private static final int LATE_SECONDS = 10;

  private EndpointChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "service-endpoints",
            "whether Services have somebody who answers",
            host -> services(ClusterLines.of(host, "services", "pods", "endpointslices")),
            EndpointChecks::answered),
        new Check<>(
            "service-ports",
            "whether Services' ports are pods' ports",
            host -> ports(ClusterLines.of(host, "services", "pods")),
            EndpointChecks::named),
        new Check<>(
            "endpoint-lag",
            "whether endpoints follow the pods",
            host -> lag(ClusterLines.of(host, "services", "pods", "endpointslices")),
            EndpointChecks::late),
        new Check<>(
            "default-deny",
            "whether namespaces deny what nobody allowed",
            host -> open(ClusterLines.of(host, "namespaces", "pods", "networkpolicies")),
            EndpointChecks::denied));
  }

  /**
   * Services that select pods.
   *
   * @param all how many
   * @param none those whose selector matches no pod
   * @param unready those of whose pods none is ready, with how many there are
   */
  record Services(int all, List<String> none, List<String> unready) {}

  private static Services services(ClusterLines cluster) throws UnreadException {
    List<String> none = new ArrayList<>();
    List<String> unready = new ArrayList<>();
    int all = 0;
    for (Line service : cluster.about("service")) {
      if (service.is("selects")) {
        all++;
        if (service.number("pods") == 0) {
          none.add(service.text("service"));
        } else if (service.number("ready") == 0 && service.number("endpoints") == 0) {
          unready.add(service.text("service") + " (" + service.text("pods") + " pods)");
        }
      }
    }
    return new Services(all, none, unready);
  }

  private static Verdict answered(Services is) {
    if (is.all == 0) {
      return new Verdict.NotHere("no Service selects pods");
    }
    List<Finding> findings = new ArrayList<>();
    if (!is.unready.isEmpty()) {
      String first = is.unready.getFirst().replaceFirst(" .*", "");
      findings.add(
          new Finding(
              Severity.ERROR,
              ClusterLines.named(is.unready),
              "%d of %d Services have pods of which none is ready: %s."
                  .formatted(is.unready.size(), is.all, ClusterLines.named(is.unready)),
              "Who asks the Service is refused: its address is there, and nobody behind it.",
              "kubectl describe pods -n "
                  + first.replaceFirst("/.*", "")
                  + " -- what their readiness probes say, or what they wait for"));
    }
    if (!is.none.isEmpty()) {
      String first = is.none.getFirst();
      findings.add(
          new Finding(
              Severity.WARNING,
              ClusterLines.named(is.none),
              "%d of %d Services select no pod: %s."
                  .formatted(is.none.size(), is.all, ClusterLines.named(is.none)),
              "Who asks the Service is refused. The selector's labels are not those of the pods, or"
                  + " the pods are gone.",
              "kubectl get service,pods -n "
                  + first.replaceFirst("/.*", "")
                  + " --show-labels -o wide; compare, and mend the selector"));
    }
    return Verdict.of(findings, is.all + " Services that select pods, all with one that is ready");
  }

  /**
   * Ports that Services name.
   *
   * @param all how many Services there are
   * @param without as {@code SERVICE's PORT}
   */
  record Ports(int all, List<String> without) {}

  private static Ports ports(ClusterLines cluster) {
    List<String> without = new ArrayList<>();
    for (Line line : cluster.about("no-port")) {
      without.add(
          line.text("no-port") + "'s " + line.text("port") + " (" + line.text("pods") + " pods)");
    }
    return new Ports(cluster.about("service").size(), without);
  }

  private static Verdict named(Ports is) {
    if (is.all == 0) {
      return new Verdict.NotHere("there is no Service");
    }
    if (is.without.isEmpty()) {
      return new Verdict.Right(is.all + " Services; each port that is a name is one of the pods'");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                ClusterLines.named(is.without),
                "A Service's targetPort is a name that no container of its pods has: %s."
                    .formatted(ClusterLines.named(is.without)),
                "Those pods are no endpoints at that port: who asks is refused though the pods are"
                    + " ready.",
                "Write the number of the port, or name it in the pods: containers[].ports[].name")));
  }

  /**
   * How endpoints follow pods.
   *
   * @param services how many Services select pods
   * @param late pods that are ready and no endpoints
   * @param seconds for how long the oldest of them has been
   * @param stale endpoints whose pods are gone
   */
  record Lag(int services, List<String> late, long seconds, List<String> stale) {}

  private static Lag lag(ClusterLines cluster) throws UnreadException {
    Set<String> late = new LinkedHashSet<>();
    Set<String> stale = new LinkedHashSet<>();
    long oldest = 0;
    for (Line line : cluster.about("late")) {
      if (line.number("seconds") > LATE_SECONDS) {
        late.add(line.text("pod") + " of " + line.text("late"));
        oldest = Math.max(oldest, line.number("seconds"));
      }
    }
    cluster
        .about("stale")
        .forEach(line -> stale.add(line.text("pod") + " of " + line.text("stale")));
    int services = (int) cluster.about("service").stream().filter(one -> one.is("selects")).count();
    return new Lag(services, List.copyOf(late), oldest, List.copyOf(stale));
  }

  private static Verdict late(Lag is) {
    if (is.services == 0) {
      return new Verdict.NotHere("no Service selects pods");
    }
    List<Finding> findings = new ArrayList<>();
    String remedy =
        "Look at kube-controller-manager (its log, its CPU limit, --concurrent-endpoint-syncs) and"
            + " at the API server's watches: kubectl get endpointslices -A -w";
    if (!is.late.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              ClusterLines.named(is.late),
              "%d pods are ready and not in their Service's endpoints, one for %,d s: %s."
                  .formatted(is.late.size(), is.seconds, ClusterLines.named(is.late)),
              "They get no connections: too few pods carry the load, or after a rollout none.",
              remedy));
    }
    if (!is.stale.isEmpty()) {
      findings.add(
          new Finding(
              Severity.ERROR,
              ClusterLines.named(is.stale),
              "%d endpoints are of pods that are gone: %s."
                  .formatted(is.stale.size(), ClusterLines.named(is.stale)),
              "Connections to them time out, one in as many as the Service has endpoints.",
              remedy));
    }
    return Verdict.of(findings, is.services + " Services; endpoints and pods agree");
  }

  /**
   * Namespaces of which something is open.
   *
   * @param pods whether there are any
   * @param open by direction and namespace
   */
  record Open(boolean pods, List<String> open) {}

  private static Open open(ClusterLines cluster) {
    Set<String> open = new LinkedHashSet<>();
    for (Line line : cluster.about("open")) {
      open.add(line.text("open") + " (" + line.text("direction") + ")");
    }
    return new Open(!cluster.about("node").isEmpty() || !open.isEmpty(), List.copyOf(open));
  }

  private static Verdict denied(Open is) {
    if (!is.pods) {
      return new Verdict.NotHere("there is no node and no pod");
    }
    if (is.open.isEmpty()) {
      return new Verdict.Right("each namespace with pods has a default deny");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.NOTE,
                ClusterLines.named(is.open),
                "Nothing denies by default in: %s."
                    .formatted(
                        String.join(", ", is.open.stream().limit(5).toList())
                            + (is.open.size() > 5 ? " and " + (is.open.size() - 5) + " more" : "")),
                "Any pod that is taken over reaches all others there, and pods there reach all.",
                "sund audit says what each policy leaves open and writes the missing ones; sund"
                    + " policy suggest makes them from what was seen")));
  }
}

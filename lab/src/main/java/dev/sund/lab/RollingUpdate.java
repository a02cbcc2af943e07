package dev.sund.lab;

import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import dev.sund.lab.measure.Traffic;
import dev.sund.lab.measure.Traffic.Account;
import dev.sund.lab.measure.Traffic.Flow;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.lab.scene.Trees;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Replaces the pods of one owner, as a Deployment's controller and the kubelets do, while somebody
 * connects to the Service in front of them, 200 times a second:
 *
 * <pre>
 *   a new pod runs and is ready     its endpoint is in the Service's slices
 *   an old one is to end            its endpoint is terminating: others are asked; it still answers
 *   its grace is over               it is deleted, and its network with it
 * </pre>
 *
 * <p>Nobody waits for the nodes' kernels: what an agent does not do within the grace loses
 * connections, which are counted. On the lab's thread.
 */
final class RollingUpdate {
  private static final Duration GRACE = Duration.ofSeconds(1);
  private static final Duration BEFORE_AND_AFTER = Duration.ofMillis(300);
  private static final Pattern NAMED_BY_CONTROLLER = Pattern.compile("(.+)-[a-z0-9]{5}");
  private static final String LETTERS = "bcdfghjklmnpqrstvwxz2456789";

  private final LabCluster cluster;
  private final Consumer<String> say;

  /**
   * Of pods of a cluster.
   *
   * @param say told a line for each thing that is done
   */
  RollingUpdate(LabCluster cluster, Consumer<String> say) {
    this.cluster = cluster;
    this.say = say;
  }

  /**
   * What became of it.
   *
   * @param owner whose pods
   * @param service the Service that was asked meanwhile
   * @param from who asked
   * @param replaced new pods by the old ones
   * @param accounts of the connections, one for each of two flows
   * @param time from the first connection to the last
   */
  record Report(
      String owner,
      String service,
      String from,
      Map<PodKey, PodKey> replaced,
      List<Account> accounts,
      Duration time) {
    long connections() {
      return accounts.stream().mapToLong(Account::sent).sum();
    }

    /** Connections that were refused, reset, or not answered. */
    long lost() {
      return accounts.stream().mapToLong(Account::failed).sum();
    }

    long perSecond() {
      return connections() * 1_000 / Math.max(1, time.toMillis());
    }

    private long longestGapMillis() {
      return accounts.stream().mapToLong(each -> each.longestGap().toMillis()).max().orElse(0);
    }

    private List<String> problems() {
      return accounts.stream()
          .filter(each -> !each.problem().isEmpty())
          .map(each -> each.name() + ": " + each.problem())
          .toList();
    }

    /** For people. */
    @Override
    public String toString() {
      String text =
          "%d pods of %s replaced; %d connections from %s to %s, %d a second: %s, longest gap %d ms"
              .formatted(
                  replaced.size(),
                  owner,
                  connections(),
                  from,
                  service,
                  perSecond(),
                  lost() == 0 ? "none lost" : lost() + " lost",
                  longestGapMillis());
      return problems().isEmpty() ? text : text + " (" + String.join("; ", problems()) + ")";
    }

    /** For programs. */
    Map<String, Object> json() {
      Map<String, Object> out = new LinkedHashMap<>();
      out.put("owner", owner);
      out.put("service", service);
      out.put("from", from);
      Map<String, Object> pods = new LinkedHashMap<>();
      replaced.forEach((old, come) -> pods.put(old.toString(), come.toString()));
      out.put("replaced", pods);
      out.put("connections", connections());
      out.put("perSecond", perSecond());
      out.put("lost", lost());
      out.put("longestGapMillis", longestGapMillis());
      out.put("problems", problems());
      return out;
    }
  }

  /**
   * Replaces them all, one after the other.
   *
   * @param owner NAMESPACE/NAME, as the matrix calls them
   * @throws IllegalArgumentException when there are none, or nothing can be asked in front of them
   */
  Report run(String owner) throws IOException, InterruptedException {
    List<ScenePod> old = pods(owner);
    Service service = service(owner, old);
    ServicePort port = port(service).orElseThrow();
    ScenePod client = client(owner);
    String name = "svc/" + service.key() + ":" + port.port();
    NetNs from = cluster.place(client.pod().key().toString());
    List<Flow> flows = new ArrayList<>();
    for (int i = 0; i < 2; i++) { // 100 connections a second each
      Ip ip = service.clusterIps().get(i % service.clusterIps().size());
      flows.add(Flow.calls(name + " at " + ip, from, new Endpoint(ip, port.port())));
    }
    cluster.settle();
    say.accept("200 connections a second from " + client.pod().key() + " to " + name);
    Map<PodKey, PodKey> replaced = new LinkedHashMap<>();
    long begun = System.nanoTime();
    try (Traffic traffic = Traffic.start(flows)) {
      Thread.sleep(BEFORE_AND_AFTER);
      for (ScenePod pod : old) {
        replaced.put(pod.pod().key(), replace(pod));
      }
      Thread.sleep(BEFORE_AND_AFTER);
      Duration time = Duration.ofNanos(System.nanoTime() - begun);
      String asker = client.pod().key().toString();
      return new Report(owner, name, asker, replaced, traffic.stop(), time);
    }
  }

  private PodKey replace(ScenePod old) throws IOException, InterruptedException {
    String leaving = old.pod().key().toString();
    Tree.Mapping tree =
        cluster
            .api()
            .get(Resource.PODS, leaving)
            .orElseThrow(() -> new IllegalArgumentException("pod " + leaving + " is gone"));
    PodKey come = new PodKey(old.pod().key().namespace(), successor(old));
    cluster.api().put(successor(tree, come));
    cluster.follow(say);
    if (cluster.scene().pods().stream().noneMatch(pod -> pod.pod().key().equals(come))) {
      cluster.api().delete(Resource.PODS, come.toString());
      cluster.follow(say);
      throw new IllegalArgumentException(
          "pod " + come + " cannot be started, so " + leaving + " stays: the line above says why");
    }
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    cluster
        .api()
        .update(
            Resource.PODS,
            leaving,
            pod ->
                pod.with(
                    "metadata",
                    Trees.child(pod, "metadata").with("deletionTimestamp", Tree.Scalar.text(now))));
    cluster.follow(say);
    say.accept("pod " + leaving + " ends");
    Thread.sleep(GRACE);
    cluster.api().delete(Resource.PODS, leaving);
    cluster.follow(say);
    return come;
  }

  private static Tree.Mapping successor(Tree.Mapping old, PodKey key) {
    Tree.Mapping metadata =
        Trees.child(old, "metadata")
            .without("uid")
            .without("creationTimestamp")
            .without("resourceVersion")
            .without("deletionTimestamp")
            .with("name", Tree.Scalar.text(key.name()));
    return old.without("status")
        .with("metadata", metadata)
        .with("spec", Trees.child(old, "spec").without("nodeName"));
  }

  /** As controllers name pods, but the same at each run: its predecessor's name decides. */
  private static String successor(ScenePod old) {
    String name = old.pod().key().name();
    var named = NAMED_BY_CONTROLLER.matcher(name);
    StringBuilder made = new StringBuilder(named.matches() ? named.group(1) : name).append('-');
    UUID seed = UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < 5; i++) {
      int letter = (int) (seed.getLeastSignificantBits() >>> (8 * i)) & 0xff;
      made.append(LETTERS.charAt(letter % LETTERS.length()));
    }
    return made.toString();
  }

  private List<ScenePod> pods(String owner) {
    List<ScenePod> pods =
        cluster.scene().pods().stream().filter(pod -> pod.group().equals(owner)).toList();
    if (pods.isEmpty()) {
      var owners = new TreeSet<String>();
      cluster.scene().pods().forEach(pod -> owners.add(pod.group()));
      throw new IllegalArgumentException(
          "no pods belong to " + owner + "; those of these stand: " + String.join(", ", owners));
    }
    for (ScenePod pod : pods) {
      if (pod.pod().hostNetwork()) {
        throw new IllegalArgumentException(
            "pod " + pod.pod().key() + " uses its node's network: two cannot listen side by side");
      }
    }
    return pods;
  }

  /** The first Service, by name, that selects them and has a TCP port at a cluster address. */
  private Service service(String owner, List<ScenePod> pods) {
    List<String> names = pods.stream().map(pod -> pod.pod().key().name()).toList();
    String namespace = pods.getFirst().pod().key().namespace();
    var fronted = new TreeSet<String>();
    for (Tree.Mapping slice : cluster.api().list(Resource.ENDPOINT_SLICES)) {
      Tree.Mapping metadata = Trees.child(slice, "metadata");
      if (metadata.text("namespace").orElse("default").equals(namespace)) {
        for (Tree endpoint : Trees.items(slice, "endpoints")) {
          if (endpoint instanceof Tree.Mapping mapping
              && Trees.child(mapping, "targetRef")
                  .text("name")
                  .filter(names::contains)
                  .isPresent()) {
            Trees.child(metadata, "labels")
                .text("kubernetes.io/service-name")
                .ifPresent(fronted::add);
          }
        }
      }
    }
    return cluster.services().stream()
        .filter(service -> service.key().namespace().equals(namespace))
        .filter(service -> fronted.contains(service.key().name()))
        .filter(service -> !service.clusterIps().isEmpty() && port(service).isPresent())
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "no Service with a cluster address and a TCP port is in front of "
                    + owner
                    + ", so nobody would notice; give one to the lab with sund lab apply -f"));
  }

  private static Optional<ServicePort> port(Service service) {
    return service.ports().stream().filter(port -> port.protocol() == Protocol.TCP).findFirst();
  }

  private ScenePod client(String owner) {
    return cluster.scene().pods().stream()
        .filter(pod -> !pod.group().equals(owner) && !pod.pod().hostNetwork())
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no other pod that could ask"));
  }
}

package dev.sund.agent.services;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.local.Answer;
import dev.sund.agent.log.Log;
import dev.sund.engine.ServiceSummary;
import dev.sund.engine.ServiceSummary.ServiceEndpoint;
import dev.sund.engine.ServiceSummary.ServicePlace;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.Frontend;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeoutException;

/**
 * Answers {@code sund service}: {@code {"command":"SERVICE","verb":"list"}} with {@code
 * {"services":[...]}}, and {@code "verb":"show"} with {@code "service":"NAMESPACE/NAME"} with the
 * one. Connections are counted in the kernel's own table when somebody asks.
 */
final class ServiceReports {
  private static final String FORM = "1.0.0";
  private static final int UNKNOWN = 4;
  private static final int NOT_NOW = 11;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** So many Services are looked at before the engine goes on with its work. */
  private static final int AT_ONCE = 64;

  private final ApplyLoop loop;
  private final NetNs namespace;
  private final Log log;

  ServiceReports(ApplyLoop loop, NetNs namespace, Log log) {
    this.loop = loop;
    this.namespace = namespace;
    this.log = log;
  }

  Answer answer(Map<String, Object> request) throws InterruptedException {
    try {
      return switch (String.valueOf(request.getOrDefault("verb", ""))) {
        case "list" -> Answer.success(Map.of("services", list()));
        case "show" -> show(String.valueOf(request.getOrDefault("service", "")));
        default -> Answer.error(FORM, UNKNOWN, "There is no such verb.", "Ask for list or show.");
      };
    } catch (TimeoutException _) {
      return Answer.error(
          FORM, NOT_NOW, "The agent is busy.", "Ask again; look at sund status if it stays so.");
    }
  }

  private List<Object> list() throws InterruptedException, TimeoutException {
    List<ServiceKey> keys =
        loop.ask(compiler -> List.copyOf(new TreeSet<>(compiler.services())), PATIENCE);
    List<Object> found = new ArrayList<>();
    for (int from = 0; from < keys.size(); from += AT_ONCE) {
      List<ServiceKey> some = keys.subList(from, Math.min(keys.size(), from + AT_ONCE));
      List<ServiceSummary> summaries =
          loop.ask(
              compiler -> some.stream().flatMap(key -> compiler.service(key).stream()).toList(),
              PATIENCE);
      summaries.forEach(summary -> found.add(line(summary)));
    }
    return found;
  }

  private Answer show(String name) throws InterruptedException, TimeoutException {
    ServiceKey key;
    try {
      key = ServiceKey.parse(name);
    } catch (IllegalArgumentException e) {
      return Answer.error(FORM, UNKNOWN, e.getMessage() + ".", "Name it as NAMESPACE/NAME.");
    }
    Optional<ServiceSummary> summary = loop.ask(compiler -> compiler.service(key), PATIENCE);
    if (summary.isEmpty()) {
      List<Condition> refused =
          loop.ask(
              compiler -> compiler.refused(new ObjectRef("Service", key.toString())), PATIENCE);
      if (!refused.isEmpty()) {
        return Answer.error(
            FORM,
            UNKNOWN,
            "Service " + key + " cannot be used as it is written: " + refused.getFirst(),
            "Mend the object; nothing is served of it until then.");
      }
      return Answer.error(
          FORM,
          UNKNOWN,
          "There is no Service " + key + ".",
          "Look at sund service list; name the namespace with -n.");
    }
    Map<String, Object> all = line(summary.get());
    all.put("internalTrafficPolicy", policy(summary.get().service().internalLocal()));
    all.put("externalTrafficPolicy", policy(summary.get().service().externalLocal()));
    summary
        .get()
        .service()
        .affinity()
        .ifPresent(time -> all.put("affinitySeconds", time.toSeconds()));
    all.put("sourceRanges", texts(summary.get().service().sourceRanges()));
    summary.get().service().healthCheckNodePort().ifPresent(p -> all.put("healthCheckNodePort", p));
    all.put("frontends", summary.get().places().stream().map(ServiceReports::place).toList());
    Optional<Map<Target, Count>> counts = connections(summary.get());
    all.put("connectionsKnown", counts.isPresent());
    all.put(
        "endpoints",
        summary.get().endpoints().stream()
            .map(one -> endpoint(one, counts.orElse(Map.of())))
            .toList());
    return Answer.success(all);
  }

  private static Map<String, Object> line(ServiceSummary summary) {
    Service service = summary.service();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("namespace", service.key().namespace());
    line.put("name", service.key().name());
    line.put("type", word(service.type()));
    line.put("notServed", service.notServed().map(ServiceReports::why).orElse(""));
    line.put("clusterIPs", texts(service.clusterIps()));
    line.put("externalIPs", texts(service.externalIps()));
    line.put("loadBalancerIPs", service.loadBalancerIps().stream().map(one -> text(one)).toList());
    line.put("ports", service.ports().stream().map(ServiceReports::port).toList());
    long all = summary.endpoints().stream().map(ServiceEndpoint::address).distinct().count();
    long used =
        summary.endpoints().stream()
            .filter(one -> one.cluster() == ServiceSummary.Use.USED)
            .map(ServiceEndpoint::address)
            .distinct()
            .count();
    line.put("endpointsAll", all);
    line.put("endpointsUsed", used);
    line.put("localReady", summary.localReady());
    line.put("conditions", summary.conditions().stream().map(ServiceReports::condition).toList());
    return line;
  }

  private static String text(Service.LoadBalancerIp one) {
    return one.address() + (one.proxied() ? " (ipMode Proxy)" : "");
  }

  private static String port(Service.ServicePort port) {
    String plain = port.port() + "/" + port.protocol().label();
    return port.nodePort()
        .map(node -> port.port() + ":" + node + "/" + port.protocol().label())
        .orElse(plain);
  }

  private static Map<String, Object> place(ServicePlace place) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("address", place.key().place().toString());
    fields.put("port", place.key().port());
    fields.put("protocol", place.key().protocol().label());
    fields.put("portName", place.port());
    fields.put("origin", place.origin().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    fields.put("inside", place.row().map(row -> action(row.inside())).orElse(""));
    fields.put("outside", place.row().map(row -> action(row.outside())).orElse(""));
    fields.put("limited", place.row().map(Frontend::limited).orElse(false));
    fields.put("instead", place.instead().orElse(""));
    return fields;
  }

  private static String action(Frontend.Answer answer) {
    return switch (answer.action()) {
      case Frontend.Action.Balance(int endpoints) ->
          endpoints + (endpoints == 1 ? " endpoint" : " endpoints") + masquerade(answer);
      case Frontend.Action.Reject() -> "refused: no endpoints";
      case Frontend.Action.Drop() -> "dropped: no endpoint on this node";
    };
  }

  private static String masquerade(Frontend.Answer answer) {
    return switch (answer.masquerade()) {
      case KEEP_SOURCE -> ", source kept";
      case ALWAYS -> ", source masqueraded";
      case FROM_OUTSIDE -> ", source masqueraded unless it is a pod";
      case FROM_NODE -> ", source masqueraded from the node only";
    };
  }

  private static Map<String, Object> endpoint(ServiceEndpoint one, Map<Target, Count> counts) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("address", one.address().toString());
    fields.put("port", one.port());
    fields.put("protocol", one.protocol().label());
    fields.put("portName", one.portName());
    fields.put("node", one.node().map(node -> node.text()).orElse(""));
    fields.put("zone", one.zone().orElse(""));
    fields.put("pod", one.pod().map(pod -> pod.toString()).orElse(""));
    fields.put("here", one.here());
    fields.put("ready", one.ready());
    fields.put("serving", one.serving());
    fields.put("terminating", one.terminating());
    fields.put("use", use(one.cluster()));
    fields.put("useLocal", use(one.local()));
    fields.put("why", why(one.cluster()));
    Count count = counts.get(new Target(one.protocol(), one.address(), one.port()));
    fields.put("connections", count == null ? 0 : count.connections);
    if (count != null && count.counted) {
      fields.put("packets", count.packets);
      fields.put("replyPackets", count.replyPackets);
    }
    return fields;
  }

  private static String use(ServiceSummary.Use use) {
    return use.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static String why(ServiceSummary.Use use) {
    return switch (use) {
      case USED -> "";
      case OTHER_NODE -> "hints keep this node's connections on this node";
      case OTHER_ZONE -> "hints keep this zone's connections with other endpoints";
      case NOT_LOCAL -> "it is on another node, and only this node's are asked";
      case TOO_MANY -> "there are " + Frontend.MOST_ENDPOINTS + " endpoints before it";
      case TERMINATING -> "it is ending";
      case NOT_READY -> "it is not ready";
    };
  }

  private static String word(Service.Type type) {
    return switch (type) {
      case CLUSTER_IP -> "ClusterIP";
      case NODE_PORT -> "NodePort";
      case LOAD_BALANCER -> "LoadBalancer";
      case EXTERNAL_NAME -> "ExternalName";
    };
  }

  private static String why(Service.NotServed why) {
    return switch (why) {
      case HEADLESS -> "headless: it has no address";
      case EXTERNAL_NAME -> "it is the name of somebody else";
      case OTHER_PROXY -> "its label service.kubernetes.io/service-proxy-name names another proxy";
    };
  }

  private static String policy(boolean local) {
    return local ? "Local" : "Cluster";
  }

  private static List<String> texts(List<?> values) {
    return values.stream().map(String::valueOf).toList();
  }

  private static String condition(Condition condition) {
    return condition.toString();
  }

  /** Who answers connections. */
  private record Target(Protocol protocol, Ip address, int port) {}

  private static final class Count {
    private long connections;
    private long packets;
    private long replyPackets;
    private boolean counted;
  }

  /** Connections to this Service by who answers them; empty when the kernel does not say. */
  private Optional<Map<Target, Count>> connections(ServiceSummary summary)
      throws InterruptedException {
    if (summary.places().isEmpty()) {
      return Optional.of(Map.of());
    }
    FutureTask<Map<Target, Count>> reading = new FutureTask<>(() -> read(summary.places()));
    Thread.ofPlatform().name(Marks.THREAD_PREFIX + "connections-of").daemon(true).start(reading);
    try {
      return Optional.of(reading.get());
    } catch (ExecutionException e) {
      log.warn("the table of connections cannot be read", "error", String.valueOf(e.getCause()));
      return Optional.empty();
    }
  }

  private Map<Target, Count> read(List<ServicePlace> places) throws KernelException {
    Set<Frontend.Key> keys = new TreeSet<>(places.stream().map(ServicePlace::key).toList());
    Map<Target, Count> counts = new HashMap<>();
    try (ConntrackSocket socket = ConntrackSocket.open(namespace)) {
      for (Protocol protocol : new TreeSet<>(keys.stream().map(key -> key.protocol()).toList())) {
        socket.list(
            ConntrackFilter.ofProtocol(protocol.number()),
            entry -> {
              if (entry.hasOtherDestination() && isTo(keys, protocol, entry)) {
                count(counts, protocol, entry);
              }
            });
      }
    }
    return counts;
  }

  /** Of a node port the address may be any of the node's. */
  private static boolean isTo(Set<Frontend.Key> keys, Protocol protocol, ConntrackEntry entry) {
    Ip asked = entry.original().destination();
    int port = entry.original().destinationPort();
    return port > 0
        && (keys.contains(new Frontend.Key(new Frontend.Place.At(asked), protocol, port))
            || keys.contains(
                new Frontend.Key(new Frontend.Place.AnyLocal(asked.family()), protocol, port)));
  }

  private static void count(Map<Target, Count> counts, Protocol protocol, ConntrackEntry entry) {
    Target target = new Target(protocol, entry.reply().source(), entry.reply().sourcePort());
    Count count = counts.computeIfAbsent(target, _ -> new Count());
    count.connections++;
    entry
        .counters()
        .ifPresent(counters -> {
          count.counted = true;
          count.packets += counters.packets();
          count.replyPackets += counters.replyPackets();
        });
  }
}

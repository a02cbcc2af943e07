package dev.sund.agent.services;

import dev.sund.engine.ServiceSummary;
import dev.sund.engine.ServiceSummary.ServiceEndpoint;
import dev.sund.engine.ServiceSummary.ServicePlace;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.Frontend;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code sund service} says of a Service, as maps, lists, texts and numbers: the names and
 * forms of its JSON. Pure.
 */
public final class ServiceFields {
  private ServiceFields() {}

  /**
   * Who answers connections.
   *
   * @param protocol of the connection
   * @param address of who answers
   * @param port at which
   */
  public record Target(Protocol protocol, Ip address, int port) {}

  /**
   * What the kernel has counted of somebody's connections.
   *
   * @param connections how many there are now
   * @param counted whether packets are counted
   * @param packets of those who ask
   * @param replyPackets of those who answer
   */
  public record Count(long connections, boolean counted, long packets, long replyPackets) {
    /** Both together. */
    public Count plus(Count other) {
      return new Count(
          connections + other.connections,
          counted || other.counted,
          packets + other.packets,
          replyPackets + other.replyPackets);
    }
  }

  /**
   * What {@code show} says of one.
   *
   * @param counts connections by who answers them; empty when the kernel does not say
   */
  public static Map<String, Object> show(
      ServiceSummary summary, Optional<Map<Target, Count>> counts) {
    Service service = summary.service();
    Map<String, Object> all = line(summary);
    all.put("internalTrafficPolicy", policy(service.internalLocal()));
    all.put("externalTrafficPolicy", policy(service.externalLocal()));
    service.affinity().ifPresent(time -> all.put("affinitySeconds", time.toSeconds()));
    all.put("sourceRanges", texts(service.sourceRanges()));
    service.healthCheckNodePort().ifPresent(port -> all.put("healthCheckNodePort", port));
    all.put("frontends", summary.places().stream().map(ServiceFields::place).toList());
    all.put("connectionsKnown", counts.isPresent());
    all.put(
        "endpoints",
        summary.endpoints().stream().map(one -> endpoint(one, counts.orElse(Map.of()))).toList());
    return all;
  }

  /** What {@code list} says of one. */
  public static Map<String, Object> line(ServiceSummary summary) {
    Service service = summary.service();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("namespace", service.key().namespace());
    line.put("name", service.key().name());
    line.put("type", word(service.type()));
    line.put("notServed", service.notServed().map(ServiceFields::why).orElse(""));
    line.put("clusterIPs", texts(service.clusterIps()));
    line.put("externalIPs", texts(service.externalIps()));
    line.put("loadBalancerIPs", service.loadBalancerIps().stream().map(one -> text(one)).toList());
    line.put("ports", service.ports().stream().map(ServiceFields::port).toList());
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
    line.put("conditions", summary.conditions().stream().map(ServiceFields::condition).toList());
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
    fields.put("connections", count == null ? 0 : count.connections());
    if (count != null && count.counted()) {
      fields.put("packets", count.packets());
      fields.put("replyPackets", count.replyPackets());
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
      case HEADLESS -> "headless: clients ask its pods themselves";
      case EXTERNAL_NAME -> "a name in DNS: there is nothing to serve";
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
}

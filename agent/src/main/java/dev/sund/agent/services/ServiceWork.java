package dev.sund.agent.services;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.local.Answer;
import dev.sund.agent.log.Log;
import dev.sund.engine.FabricServices;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** All that an agent does about Services beside the packet program. For any thread. */
public final class ServiceWork implements AutoCloseable {
  private static final String FORM = "1.0.0";
  private static final int NOT_NOW = 11;

  private final NodeName self;
  private final NetNs namespace;
  private final Log log;
  private final ProxySettings settings;
  private final HealthPorts healthPorts;
  private final Set<ServiceKey> known = ConcurrentHashMap.newKeySet();
  private volatile Optional<ProxyPages> pages = Optional.empty();
  private volatile Optional<ServiceReports> reports = Optional.empty();
  private volatile List<Ip> own = List.of();
  private volatile List<Ip> machine = List.of();

  /**
   * Work that begins with {@link #follow}.
   *
   * @param fabric what the fabric sets
   * @param file a KubeProxyConfiguration that counts before the cluster's
   * @param events takes what is to be told the engine; must not wait
   * @param healthy whether the agent works
   */
  public ServiceWork(
      NodeName self,
      NetNs namespace,
      FabricServices fabric,
      Optional<Path> file,
      Consumer<ClusterEvent> events,
      BooleanSupplier healthy,
      AgentMetrics metrics,
      Log log) {
    this.self = self;
    this.namespace = namespace;
    this.log = log;
    this.settings = new ProxySettings(fabric, file, events, log);
    this.healthPorts =
        new HealthPorts(namespace, this::nodePortAddresses, healthy, metrics.healthPorts, log);
  }

  /** Follows how Services are to be served. */
  public void follow() {
    settings.start();
  }

  /** Hears what the cluster says. Never waits. */
  public void see(ClusterEvent event) {
    if (event instanceof ClusterEvent.NodeSeen(var node) && node.name().equals(self)) {
      own = node.addresses();
    }
    if (event instanceof ClusterEvent.ServiceSeen(var service)) {
      if (service.notServed().isEmpty()) {
        known.add(service.key());
      } else {
        known.remove(service.key());
      }
    } else if (event instanceof ClusterEvent.ServiceGone(var key)) {
      known.remove(key);
    }
    settings.see(event);
    healthPorts.see(event);
  }

  /** Hears what the machine has. Never waits. */
  public void see(NodeFacts facts) {
    machine =
        facts.devices().stream()
            .flatMap(device -> device.addresses().stream())
            .map(InterfaceAddress::ip)
            .toList();
  }

  /**
   * Answers for Services from now on.
   *
   * @param opening opens pages where kube-proxy's were
   */
  public void serve(ApplyLoop loop, ProxyPages.Opening opening) {
    reports = Optional.of(new ServiceReports(loop, namespace, log));
    healthPorts.start(loop);
    ProxyPages made = new ProxyPages(settings::proxy, opening, log);
    pages = Optional.of(made);
    made.start();
  }

  /** Answers {@code sund service}. */
  public Answer answer(Map<String, Object> request) throws InterruptedException {
    if (reports.isEmpty()) {
      return Answer.error(FORM, NOT_NOW, "The agent is starting.", "Ask again.");
    }
    return reports.get().answer(request);
  }

  /** How Services are served, and how many there are. */
  public Map<String, Object> report() {
    ServiceSettings now = settings.services();
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("served", now.enabled());
    report.put("count", known.size());
    report.put(
        "nodePorts",
        switch (now.nodePorts()) {
          case NodePorts.AllLocal() -> "all";
          case NodePorts.Primary() -> "primary";
          case NodePorts.Within(List<Prefix> ranges) ->
              ranges.isEmpty()
                  ? "none"
                  : String.join(" ", ranges.stream().map(Prefix::toString).toList());
        });
    report.put("choice", now.choice().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    return report;
  }

  /** What is not as Services' objects want it, as far as it is done here. */
  public List<Condition> conditions() {
    List<Condition> all = new ArrayList<>(healthPorts.conditions());
    pages.ifPresent(served -> all.addAll(served.conditions()));
    return all;
  }

  @Override
  public void close() throws InterruptedException {
    if (pages.isPresent()) {
      pages.get().close();
    }
    healthPorts.close();
    settings.close();
  }

  /** Where node ports are; the unspecified address for all of the node's. */
  private List<InetAddress> nodePortAddresses() {
    return switch (settings.services().nodePorts()) {
      // With sockets of both families, Java takes this for the unspecified address of IPv6.
      case NodePorts.AllLocal() -> addresses(List.of(Ip.any(Family.V4)));
      case NodePorts.Primary() -> addresses(own);
      case NodePorts.Within(List<Prefix> ranges) ->
          addresses(
              machine.stream()
                  .filter(ip -> ranges.stream().anyMatch(range -> range.contains(ip)))
                  .toList());
    };
  }

  private static List<InetAddress> addresses(List<Ip> ips) {
    List<InetAddress> found = new ArrayList<>();
    for (Ip ip : ips) {
      try {
        found.add(InetAddress.getByAddress(ip.toBytes()));
      } catch (UnknownHostException e) {
        throw new AssertionError("an address has 4 or 16 bytes", e);
      }
    }
    return found;
  }
}

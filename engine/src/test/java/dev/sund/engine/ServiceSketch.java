package dev.sund.engine;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.LoadBalancerIp;
import dev.sund.engine.cluster.Service.NotServed;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.engine.cluster.Service.Type;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A Service and its endpoints in a few words. An endpoint is written {@code 10.244.1.5@n1}, a word
 * after it says more: {@code unready}, {@code ending} (terminating and still serving), {@code dead}
 * (terminating and not serving), {@code for:ZONE}, {@code on:NODE} (a hint).
 */
public final class ServiceSketch {
  private final String name;
  private long created;
  private Type type = Type.CLUSTER_IP;
  private Optional<NotServed> notServed = Optional.empty();
  private final List<Ip> clusterIps = new ArrayList<>();
  private final List<Ip> externalIps = new ArrayList<>();
  private final List<LoadBalancerIp> balancers = new ArrayList<>();
  private final List<ServicePort> ports = new ArrayList<>();
  private final List<Prefix> sources = new ArrayList<>();
  private boolean internalLocal;
  private boolean externalLocal;
  private Optional<Duration> affinity = Optional.empty();
  private boolean publishNotReady;
  private boolean hasSelector = true;
  private Optional<EndpointChoice> choice = Optional.empty();
  private final Map<Family, List<Backend>> backends = new EnumMap<>(Family.class);

  private ServiceSketch(String name) {
    this.name = name;
  }

  /** A Service at a cluster address. */
  public static ServiceSketch service(String name, String... clusterIps) {
    ServiceSketch sketch = new ServiceSketch(name);
    Stream.of(clusterIps).map(Ip::parse).forEach(sketch.clusterIps::add);
    return sketch;
  }

  /** TCP port {@code port}, at which endpoints answer with 8080. */
  public ServiceSketch port(int port) {
    return port("", Protocol.TCP, port, 0);
  }

  /** A port with a node port, and type {@code NodePort}. */
  public ServiceSketch nodePort(int port, int nodePort) {
    type = type == Type.CLUSTER_IP ? Type.NODE_PORT : type;
    return port("", Protocol.TCP, port, nodePort);
  }

  /** A port of any kind; {@code nodePort} 0 for none. */
  public ServiceSketch port(String portName, Protocol protocol, int port, int nodePort) {
    ports.add(
        new ServicePort(
            portName, protocol, port, nodePort == 0 ? Optional.empty() : Optional.of(nodePort)));
    return this;
  }

  /** An address of a load balancer. */
  public ServiceSketch balancer(String ip) {
    return balancer(ip, false);
  }

  /** An address of a load balancer, with {@code ipMode}. */
  public ServiceSketch balancer(String ip, boolean proxied) {
    type = Type.LOAD_BALANCER;
    balancers.add(new LoadBalancerIp(Ip.parse(ip), proxied));
    return this;
  }

  public ServiceSketch externalIp(String ip) {
    externalIps.add(Ip.parse(ip));
    return this;
  }

  public ServiceSketch sources(String... ranges) {
    Stream.of(ranges).map(Prefix::parse).forEach(sources::add);
    return this;
  }

  public ServiceSketch internalLocal() {
    internalLocal = true;
    return this;
  }

  public ServiceSketch externalLocal() {
    externalLocal = true;
    return this;
  }

  public ServiceSketch affinity(int seconds) {
    affinity = Optional.of(Duration.ofSeconds(seconds));
    return this;
  }

  public ServiceSketch publishNotReady() {
    publishNotReady = true;
    return this;
  }

  public ServiceSketch withoutSelector() {
    hasSelector = false;
    return this;
  }

  public ServiceSketch notServed(NotServed why) {
    notServed = Optional.of(why);
    return this;
  }

  public ServiceSketch choice(EndpointChoice how) {
    choice = Optional.of(how);
    return this;
  }

  /** How old it is: the smaller the older. */
  public ServiceSketch created(long when) {
    created = when;
    return this;
  }

  /** Endpoints, of both families as it comes. */
  public ServiceSketch endpoints(String... written) {
    Stream.of(written)
        .map(ServiceSketch::backend)
        .forEach(one ->
            backends.computeIfAbsent(one.address().family(), _ -> new ArrayList<>()).add(one));
    return this;
  }

  /** Changes the sketch in place. */
  public ServiceSketch with(UnaryOperator<ServiceSketch> change) {
    return change.apply(this);
  }

  /** An endpoint as written. */
  public static Backend backend(String written) {
    String[] words = written.split(" ");
    int at = words[0].indexOf('@');
    boolean ready = true;
    boolean serving = true;
    boolean terminating = false;
    List<String> forZones = new ArrayList<>();
    List<NodeName> forNodes = new ArrayList<>();
    for (int i = 1; i < words.length; i++) {
      String word = words[i];
      if (word.startsWith("for:")) {
        forZones.add(word.substring(4));
      } else if (word.startsWith("on:")) {
        forNodes.add(new NodeName(word.substring(3)));
      } else {
        ready = false;
        serving = word.equals("ending");
        terminating = !word.equals("unready");
      }
    }
    String address = at < 0 ? words[0] : words[0].substring(0, at);
    return new Backend(
        Ip.parse(address),
        ready,
        serving,
        terminating,
        at < 0 ? Optional.empty() : Optional.of(new NodeName(words[0].substring(at + 1))),
        Optional.empty(),
        forZones,
        forNodes,
        at < 0
            ? Optional.empty()
            : Optional.of(new PodKey("shop", "pod-" + address.replaceAll("[.:]+", "-"))));
  }

  /** Which Service. */
  public ServiceKey key() {
    return ServiceKey.parse(name);
  }

  /** The Service. */
  public Service toService() {
    return new Service(
        key(),
        "uid-" + key().name(),
        created,
        type,
        notServed,
        clusterIps,
        externalIps,
        balancers,
        ports,
        sources,
        internalLocal,
        externalLocal,
        Optional.empty(),
        affinity,
        publishNotReady,
        hasSelector,
        choice);
  }

  /** A slice for each family with endpoints. */
  public List<EndpointSlice> slices() {
    return backends.entrySet().stream()
        .map(entry -> slice(entry.getKey().label(), entry.getValue()))
        .toList();
  }

  /** A slice of this Service, whose name ends so. */
  public EndpointSlice slice(String ending, List<Backend> of) {
    return new EndpointSlice(
        name + "-" + ending,
        "uid-" + key().name() + "-" + ending,
        key(),
        of.getFirst().address().family(),
        ports.stream().map(port -> new SlicePort(port.name(), port.protocol(), 8080)).toList(),
        of);
  }

  /** What the API tells of it. */
  public List<ClusterEvent> events() {
    List<ClusterEvent> events = new ArrayList<>();
    events.add(new ClusterEvent.ServiceSeen(toService()));
    slices().forEach(slice -> events.add(new ClusterEvent.SliceSeen(slice)));
    return events;
  }
}

package dev.sund.engine;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.ProxyConfig;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How Services are served, of what everybody says about it: Sund's {@code Fabric} counts most, then
 * the first KubeProxyConfiguration by rank. Depends on the last words of each, not on their order.
 * For one thread.
 */
public final class ServicesInForce {
  private final FabricServices own;
  private final Map<ObjectRef, FabricLayer> layers = new HashMap<>();
  private ServiceSettings services = ServiceSettings.DEFAULT;
  private ConntrackSettings conntrack = ConntrackSettings.AS_IT_IS;

  /** Nobody but the fabric has said anything. */
  public ServicesInForce(FabricServices own) {
    this.own = own;
  }

  /** What is to be told before anything else. */
  public List<ClusterEvent> first() {
    return changes();
  }

  /**
   * Takes an event in; one that is not about a KubeProxyConfiguration changes nothing.
   *
   * @return what is to be told of the settings now, empty when they stay as they are
   */
  public List<ClusterEvent> take(ClusterEvent event) {
    if (event instanceof ClusterEvent.LayerSeen(FabricLayer layer) && layer.proxy().isPresent()) {
      layers.put(layer.source(), layer);
    } else if (event instanceof ClusterEvent.LayerSeen(FabricLayer layer)) {
      layers.remove(layer.source());
    } else if (event instanceof ClusterEvent.LayerGone(ObjectRef source)) {
      layers.remove(source);
    }
    return changes();
  }

  /** The KubeProxyConfiguration that counts. */
  public Optional<ProxyConfig> proxy() {
    return layers.values().stream().sorted().findFirst().flatMap(FabricLayer::proxy);
  }

  /** How Services are served now. */
  public ServiceSettings services() {
    return services;
  }

  private List<ClusterEvent> changes() {
    Optional<ProxyConfig> proxy = proxy();
    ServiceSettings now =
        own.over(proxy.map(ProxyConfig::services).orElse(ServiceSettings.DEFAULT));
    ConntrackSettings table =
        now.enabled()
            ? proxy.map(ProxyConfig::conntrack).orElse(ConntrackSettings.AS_IT_IS)
            : ConntrackSettings.AS_IT_IS;
    List<ClusterEvent> told = new ArrayList<>();
    if (!now.equals(services)) {
      services = now;
      told.add(new ClusterEvent.ServicesSet(now));
    }
    if (!table.equals(conntrack)) {
      conntrack = table;
      told.add(new ClusterEvent.ConntrackSet(table));
    }
    return told;
  }
}

package dev.sund.engine;

import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.Frontend;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import java.util.List;
import java.util.Optional;

/**
 * What this node makes of a Service: where it answers, who answers, and why others do not. Made on
 * demand by {@link ProgramCompiler#service}, from the same decisions as the rows of the program.
 *
 * @param service as the API has it
 * @param places where it asks to be, in the order of its ports; empty when no proxy serves it
 * @param endpoints of all its slices, each once for each port, sorted by port, address and port
 * @param localReady how many addresses of ready endpoints are on this node: what a health-check
 *     node port tells (S11)
 * @param conditions what is wrong with it, sorted
 */
public record ServiceSummary(
    Service service,
    List<ServicePlace> places,
    List<ServiceEndpoint> endpoints,
    int localReady,
    List<Condition> conditions) {
  public ServiceSummary {
    places = List.copyOf(places);
    endpoints = List.copyOf(endpoints);
    conditions = List.copyOf(conditions);
  }

  /** Which of a Service's addresses; of two that coincide the first counts. */
  public enum Origin {
    CLUSTER_IP,
    LOAD_BALANCER_IP,
    EXTERNAL_IP,
    NODE_PORT
  }

  /** What becomes of an endpoint; those that do more for connections come first. */
  public enum Use {
    /** Connections go to it. */
    USED,
    /** It is ready, but hints send this node's connections to endpoints on this node. */
    OTHER_NODE,
    /** It is ready, but hints send this zone's connections to other endpoints. */
    OTHER_ZONE,
    /** It is ready, but on another node, and only this node's are asked. */
    NOT_LOCAL,
    /** It is ready, but there are {@link Frontend#MOST_ENDPOINTS} before it. */
    TOO_MANY,
    /** It is ending. */
    TERMINATING,
    /** It is not ready. */
    NOT_READY
  }

  /**
   * An address and port at which a Service asks to be.
   *
   * @param key the place
   * @param origin which of its addresses this is
   * @param port the name of the Service's port, empty for the only one
   * @param row the row of the program; empty when somebody else has the place
   * @param instead who has the place, such as {@code Service shop/old} or {@code pod shop/web};
   *     empty when the Service has it
   */
  public record ServicePlace(
      Frontend.Key key,
      Origin origin,
      String port,
      Optional<Frontend> row,
      Optional<String> instead) {}

  /**
   * Somebody who may answer for one of a Service's ports.
   *
   * @param portName the Service's port
   * @param protocol that port's
   * @param address where it is
   * @param port its port there
   * @param node on which node it is, where its slice says so
   * @param zone in which zone, where its slice says so
   * @param pod the pod that it is, where its slice says so
   * @param here whether it is on this node
   * @param ready {@code conditions.ready}
   * @param serving {@code conditions.serving}
   * @param terminating {@code conditions.terminating}
   * @param cluster what becomes of it where the policy is {@code Cluster}
   * @param local what becomes of it where the policy is {@code Local}
   */
  public record ServiceEndpoint(
      String portName,
      Protocol protocol,
      Ip address,
      int port,
      Optional<NodeName> node,
      Optional<String> zone,
      Optional<PodKey> pod,
      boolean here,
      boolean ready,
      boolean serving,
      boolean terminating,
      Use cluster,
      Use local) {}
}

package dev.sund.engine.cluster;

import dev.sund.model.Prefix;
import java.util.List;

/**
 * How this node serves Services: what KubeProxyConfiguration, or the {@code services} part of a
 * {@code Fabric}, says that matters to the packet program.
 *
 * @param enabled whether Services are served at all; host ports are in any case
 * @param nodePorts at which of the node's addresses node ports are
 * @param masqueradeAll whether every source is translated, of pods too
 * @param podRanges further ranges whose addresses are pods of the cluster ({@code clusterCIDR}),
 *     beside those of pools and nodes
 * @param choice how connections are spread, unless a Service says otherwise
 */
public record ServiceSettings(
    boolean enabled,
    NodePorts nodePorts,
    boolean masqueradeAll,
    List<Prefix> podRanges,
    EndpointChoice choice) {

  /** Served, at all local addresses, with a chance choice. */
  public static final ServiceSettings DEFAULT =
      new ServiceSettings(true, new NodePorts.AllLocal(), false, List.of(), EndpointChoice.RANDOM);

  public ServiceSettings {
    podRanges = List.copyOf(podRanges);
  }

  /** {@code nodePortAddresses}. */
  public sealed interface NodePorts {
    /** At all addresses of the node. */
    record AllLocal() implements NodePorts {}

    /** At its addresses of the cluster, one a family ({@code primary}). */
    record Primary() implements NodePorts {}

    /** At those of its addresses that are in one of these ranges. */
    record Within(List<Prefix> ranges) implements NodePorts {
      public Within {
        ranges = List.copyOf(ranges);
      }
    }
  }
}

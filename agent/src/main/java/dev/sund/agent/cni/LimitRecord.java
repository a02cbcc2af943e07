package dev.sund.agent.cni;

import dev.sund.agent.local.Json;
import dev.sund.agent.state.Records;
import dev.sund.dataplane.BandwidthLinks.Owner;
import dev.sund.engine.hostlocal.AddressOwner;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The limits of a container, as they were asked for: what the kernel forgets with the container's
 * link.
 *
 * @param owner the container and its interface
 * @param network the network's name
 * @param namespace the container's
 * @param limits as asked for
 */
public record LimitRecord(AddressOwner owner, String network, Path namespace, Bandwidth limits)
    implements Records.Kept {

  /** Whose limits these are, for the kernel. */
  Owner inKernel() {
    return new Owner(network, owner.containerId(), owner.interfaceName());
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("containerId", owner.containerId());
    fields.put("interface", owner.interfaceName());
    fields.put("netns", namespace.toString());
    fields.put("network", network);
    fields.put("ingressRate", limits.ingressRate());
    fields.put("ingressBurst", limits.ingressBurst());
    fields.put("egressRate", limits.egressRate());
    fields.put("egressBurst", limits.egressBurst());
    return fields;
  }

  /**
   * Reads the form on disk.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  public static LimitRecord parse(Map<String, Object> fields) {
    return new LimitRecord(
        new AddressOwner(Json.text(fields, "containerId"), Json.text(fields, "interface")),
        Json.text(fields, "network"),
        Path.of(Json.text(fields, "netns")),
        new Bandwidth(
            Json.number(fields, "ingressRate"),
            Json.number(fields, "ingressBurst"),
            Json.number(fields, "egressRate"),
            Json.number(fields, "egressBurst")));
  }
}

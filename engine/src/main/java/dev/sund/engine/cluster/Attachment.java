package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.PodKey;
import java.util.List;
import java.util.Optional;

/**
 * A pod's network on this node, as the container runtime asked for it (CNI ADD).
 *
 * @param containerId the sandbox's id; with {@code interfaceName} it names the attachment
 * @param interfaceName the device's name inside the pod, such as {@code eth0}
 * @param netns path of the pod's network namespace
 * @param pod the pod
 * @param uid the pod's uid
 * @param addresses its addresses, at most one a family, at least one; kept sorted
 * @param portMappings its ports at the node's addresses, as the runtime asks for; kept sorted
 * @param mac the hardware address that the runtime wants for the pod's end; empty for the derived
 *     one
 * @param network the name of the network that it was attached to; empty when nobody said
 */
public record Attachment(
    String containerId,
    String interfaceName,
    String netns,
    PodKey pod,
    String uid,
    List<Ip> addresses,
    List<PortMapping> portMappings,
    Optional<Mac> mac,
    String network) {
  public Attachment {
    Checks.notEmpty("containerId", containerId);
    Checks.notEmpty("interfaceName", interfaceName);
    Checks.that(!addresses.isEmpty(), "an attachment has an address");
    addresses = addresses.stream().sorted().toList();
    portMappings = portMappings.stream().distinct().sorted().toList();
  }

  /**
   * An attachment without ports at the node's addresses and with a derived hardware address, to a
   * network that nobody named.
   */
  public Attachment(
      String containerId,
      String interfaceName,
      String netns,
      PodKey pod,
      String uid,
      List<Ip> addresses) {
    this(containerId, interfaceName, netns, pod, uid, addresses, List.of(), Optional.empty(), "");
  }

  /** This attachment with these ports at the node's addresses. */
  public Attachment withPortMappings(List<PortMapping> mappings) {
    return new Attachment(
        containerId, interfaceName, netns, pod, uid, addresses, mappings, mac, network);
  }

  /** This attachment with this hardware address, or the derived one. */
  public Attachment withMac(Optional<Mac> wanted) {
    return new Attachment(
        containerId, interfaceName, netns, pod, uid, addresses, portMappings, wanted, network);
  }

  /** This attachment as one to the network of this name. */
  public Attachment withNetwork(String name) {
    return new Attachment(
        containerId, interfaceName, netns, pod, uid, addresses, portMappings, mac, name);
  }

  /**
   * The attachment that a running pod must have, for whoever knows the API or files alone. Its
   * device and address follow from the pod's uid; the sandbox's id and namespace stay unknown and
   * count for nothing there.
   *
   * @param pod with at least one address, not on its node's network
   */
  public static Attachment assumed(Pod pod) {
    return new Attachment("assumed-" + pod.uid(), "eth0", "", pod.key(), pod.uid(), pod.ips());
  }

  /** What names the attachment on its node. */
  public String key() {
    return containerId + "/" + interfaceName;
  }
}

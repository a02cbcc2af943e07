package dev.sund.model;

import java.util.Locale;

/**
 * The catalogue of reasons: why a packet went or stopped, why an object was not taken, what
 * drifted. The same code appears in logs, metrics, traces, conditions and documents; every code has
 * a page {@code docs/reasons/CODE.md}.
 */
public enum Reason {
  // Verdicts of a trace: why a packet ended where it did.
  /** The packet reached the pod, node or host that owns the address. */
  DELIVERED(Severity.INFO),
  /** The destination port has no listener: the owner of the address refuses. */
  PORT_CLOSED(Severity.INFO),
  /** The address belongs to a node's pod range, but no pod has it. */
  ADDRESS_UNUSED(Severity.INFO),
  /** No route of the sending node covers the destination. */
  NO_ROUTE(Severity.INFO),
  /** Nobody on the segment answers for the next hop's address. */
  NO_NEIGHBOUR(Severity.INFO),
  /** The packet's time to live ran out at a machine that would have forwarded it. */
  TTL_EXPIRED(Severity.INFO),
  /** A link on the way is down. */
  LINK_DOWN(Severity.INFO),
  /** The packet is larger than a link takes and may not be fragmented; the sender is told. */
  PACKET_TOO_BIG(Severity.INFO),
  /** The packet is larger than a link takes and vanishes without a word. */
  MTU_BLACK_HOLE(Severity.INFO),
  /** The tunnel has no entry for the destination's node. */
  TUNNEL_PEER_UNKNOWN(Severity.INFO),
  /** An encapsulated packet came to a node that has no tunnel, or another VNI or port. */
  TUNNEL_MISMATCH(Severity.INFO),
  /** The reply cannot find its way back. */
  NO_WAY_BACK(Severity.INFO),
  /** A Service has no endpoint anywhere: the packet is refused. */
  NO_ENDPOINTS(Severity.INFO),
  /** A Service that keeps to its node's endpoints has none there: the packet vanishes. */
  NO_LOCAL_ENDPOINTS(Severity.INFO),
  /** A Service may be asked at this address by certain sources only: the packet vanishes. */
  SOURCE_NOT_ALLOWED(Severity.INFO),
  /** The sender's policies let no such connection out: the packet vanishes. */
  POLICY_EGRESS(Severity.INFO),
  /** The receiver's policies let no such connection in: the packet vanishes. */
  POLICY_INGRESS(Severity.INFO),
  /** A policy of the cluster forbids the sender such connections: the packet vanishes. */
  CLUSTER_POLICY_EGRESS(Severity.INFO),
  /** A policy of the cluster forbids the receiver such connections: the packet vanishes. */
  CLUSTER_POLICY_INGRESS(Severity.INFO),
  /** The node does not know a pod of its own, nor which policies are about it: it is closed. */
  POLICY_POD_UNKNOWN(Severity.INFO),
  /** A pod sent from an address that is not its own: the packet vanishes. */
  SOURCE_NOT_OWN(Severity.INFO),
  /** A container on a bridge sent a frame with a VLAN's tag, which no rule of IP sees. */
  TAGGED_FRAME(Severity.INFO),
  /** On a bridge, no rule of policies has seen a packet from or to a pod with policies. */
  POLICY_UNSEEN(Severity.INFO),
  /** A pod asks itself by its Service, and its bridge gives a port nothing back. */
  BRIDGE_HAIRPIN_OFF(Severity.INFO),
  /** A node port was asked at the node's loopback address, where it is not. */
  LOOPBACK_REFUSED(Severity.INFO),
  /** The packet came round to a node that had forwarded it before. */
  ROUTING_LOOP(Severity.INFO),
  /** Nobody is known by the name that the packet is to come from. */
  SENDER_UNKNOWN(Severity.INFO),
  /** The sender has no address of the destination's family. */
  NO_SOURCE_ADDRESS(Severity.INFO),

  // Conditions on objects of the cluster.
  /** A file or answer is not well-formed YAML or JSON. */
  MALFORMED(Severity.ERROR),
  /** A field's value cannot be used; the object's last good state stays. */
  INVALID_FIELD(Severity.ERROR),
  /** A field that this object does not have, in a file of Sund's own. */
  UNKNOWN_FIELD(Severity.ERROR),
  /** A field of a Kubernetes object that Sund does not use; the object is loaded without it. */
  IGNORED_FIELD(Severity.WARNING),
  /** An object of a kind that Sund does not use. */
  IGNORED_KIND(Severity.INFO),
  /** Something of a policy cannot be understood; what depends on it is denied. */
  POLICY_NOT_UNDERSTOOD(Severity.ERROR),
  /** A policy asks for something that Sund cannot enforce; what depends on it is denied. */
  POLICY_NOT_ENFORCED(Severity.ERROR),
  /**
   * Policies of the cluster have one priority in one tier; Sund asks them in their names' order.
   */
  POLICY_ORDER_UNDEFINED(Severity.WARNING),
  /** Two pods of a node want one host port; the older pod's wish holds. */
  DUPLICATE_HOST_PORT(Severity.ERROR),
  /** A pod wants a host port at an address that its node does not have. */
  HOST_IP_NOT_LOCAL(Severity.ERROR),
  /** A Service wants an address and port that an older Service or a pod of this node has. */
  SERVICE_PORT_TAKEN(Severity.ERROR),
  /** A Service has an address that is a pod's or a node's. */
  SERVICE_ADDRESS_TAKEN(Severity.WARNING),
  /** A Service without selector for which nobody has made a slice. */
  SERVICE_UNBACKED(Severity.WARNING),
  /** Two slices of a Service say different things about one endpoint. */
  CONTRADICTING_SLICES(Severity.WARNING),
  /** An endpoint's hint names a zone or a node that the cluster does not have. */
  UNKNOWN_HINT(Severity.WARNING),
  /** A Service has more endpoints than one of its ports can be spread over. */
  TOO_MANY_ENDPOINTS(Severity.WARNING),
  /** Endpoints of a Service are at addresses that are no pods'. */
  ENDPOINT_OUTSIDE_PODS(Severity.INFO),
  /** Two pods claim one address; the older claim holds. */
  DUPLICATE_POD_IP(Severity.ERROR),
  /** Two nodes' pod ranges share addresses; the older node's holds. */
  OVERLAPPING_POD_CIDR(Severity.ERROR),
  /** Two pools share addresses; the older pool holds. */
  OVERLAPPING_POOL(Severity.ERROR),
  /** A pod range or a pod's address that no given pool contains. */
  OUTSIDE_POOLS(Severity.WARNING),
  /** A CIDR with bits behind its length. */
  HOST_BITS_SET(Severity.ERROR),
  /** A node without an InternalIP. */
  NODE_WITHOUT_ADDRESS(Severity.ERROR),
  /** A node without a pod range. */
  NODE_WITHOUT_POD_CIDR(Severity.ERROR),
  /** Two nodes of the cluster cannot be connected in a family: one lacks an address of it. */
  FAMILY_UNREACHABLE(Severity.WARNING),
  /** Two nodes claim one address; the older node's claim holds. */
  DUPLICATE_NODE_ADDRESS(Severity.ERROR),
  /** A node's InternalIP that no device of its machine carries. */
  NODE_ADDRESS_NOT_LOCAL(Severity.ERROR),
  /** No address of this machine is such as the node's is to be. */
  NODE_ADDRESS_NOT_FOUND(Severity.ERROR),
  /** A node behind a router, while packets to its pods are not to be wrapped. */
  NOT_ON_SUBNET(Severity.ERROR),
  /** An MTU below 576 (IPv4) or 1280 (IPv6). */
  MTU_TOO_SMALL(Severity.ERROR),
  /** A set MTU that the underlay cannot carry; the computed one is used. */
  MTU_TOO_LARGE(Severity.WARNING),
  /** A setting that Sund does not have yet. */
  NOT_SUPPORTED(Severity.ERROR),
  /** The agent's node is not among the cluster's nodes. */
  NODE_UNKNOWN(Severity.ERROR),
  /** All addresses of a pool, or of a node's range, are taken. */
  POOL_FULL(Severity.ERROR),
  /** No pool may give this pod an address on this node. */
  NO_POOL(Severity.ERROR),
  /** An address that was asked for is another's, or of no range that may be given. */
  ADDRESS_NOT_AVAILABLE(Severity.ERROR),
  /** A pod uses an address on which its node has no claim. */
  ADDRESS_NOT_CLAIMED(Severity.ERROR),

  // Conditions on kernel objects.
  /** A foreign interface, route, rule or table is where ours should be; it is left alone. */
  FOREIGN_OBJECT(Severity.ERROR),
  /** kube-proxy's rules are beside Sund's, which do the same. */
  KUBE_PROXY_RULES(Severity.WARNING),
  /** An object of ours that the program does not want. */
  STRAY_OBJECT(Severity.WARNING),
  /** An object of ours is missing. */
  DRIFT_MISSING(Severity.WARNING),
  /** An object of ours has another value than the program says. */
  DRIFT_CHANGED(Severity.WARNING),
  /** A probe's packet went another way through the kernel than the program says. */
  PROBE_DIFFERS(Severity.ERROR),
  /** A chain of somebody else's drops what is forwarded; pods' packets are accepted in it. */
  FORWARD_DROPPED(Severity.INFO),
  /** The way to other nodes corrupts checksums that are left to devices; it was switched off. */
  OFFLOAD_CORRUPTS(Severity.WARNING),
  /** Packets to another node are lost on the way. */
  PEER_LOSS(Severity.WARNING),
  /** Packets to another node and back take long, or each another time. */
  PEER_SLOW(Severity.WARNING),
  /** The kernel refused a change. */
  KERNEL_REFUSED(Severity.ERROR),
  /** The agent lacks a capability. */
  CAPABILITY_MISSING(Severity.ERROR),
  /** The kernel lacks a feature. */
  KERNEL_FEATURE_MISSING(Severity.ERROR),
  /** Containers are on a bridge whose packets between its ports the node's rules do not see. */
  BRIDGE_UNFILTERED(Severity.WARNING),
  /** The API server cannot be reached; the kernel's state stays as it is. */
  API_UNREACHABLE(Severity.WARNING),
  /** A file of state on disk is of a newer version than this program knows, or damaged. */
  STATE_UNREADABLE(Severity.ERROR),
  /** The CNI plugin or its conflist is not where container runtimes look. */
  CNI_NOT_INSTALLED(Severity.ERROR),
  /** Another network's conflist comes before ours, so runtimes use that one. */
  CONFLIST_SHADOWED(Severity.ERROR);

  private final Severity severity;

  Reason(Severity severity) {
    this.severity = severity;
  }

  /** How much it hurts. */
  public Severity severity() {
    return severity;
  }

  /** The stable code: the name in lower case with hyphens. */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}

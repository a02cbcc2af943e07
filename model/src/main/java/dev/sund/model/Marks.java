package dev.sund.model;

import java.util.List;

/**
 * Every name and number by which Sund's objects on a node are known, in one place.
 *
 * <p>A restarted agent, {@code sund verify} and {@code sund cleanup} tell ours from foreign by
 * these and by nothing else.
 */
public final class Marks {
  /** The nf_tables table (family inet) that holds the fabric's rules: natOutgoing. */
  public static final String TABLE = "sund";

  /** The nf_tables table (family inet) that holds what policies say. */
  public static final String POLICY_TABLE = "sund-policy";

  /**
   * The upper 16 bits of the packet priority that a packet has for a few rules of {@link
   * #POLICY_TABLE} when it is refused; the lower ones say why. All packets that pass have the
   * priority 0 behind these rules.
   */
  public static final int REFUSED_PRIORITY = 0x53750000;

  /**
   * The priority that a packet has from the end of {@link #POLICY_TABLE} to the bridge's own table,
   * when it goes from one port of a bridge to another: policies have let it through.
   */
  public static final int SEEN_PRIORITY = 0x5375ffff;

  /** The group of the kernel's packet log to which refused packets go. */
  public static final int DROP_LOG_GROUP = 83;

  /**
   * The nf_tables table (family inet) that marks the packets of one probe of {@code sund trace
   * --live} for the kernel's tracing, while it runs. It belongs to the socket that made it, and
   * goes with that from Linux 5.12 on.
   */
  public static final String PROBE_TABLE = "sund-probe";

  /**
   * The largest segment, in bytes, that a probe by TCP announces, by which other nodes know its
   * first packet: translations of addresses and ports leave it as it is, and nobody else announces
   * so small and odd a one.
   */
  public static final int PROBE_SEGMENT = 595;

  /** What a probe by UDP says, by which other nodes know it. */
  public static final String PROBE_TEXT = "sund trace";

  /** The comment of our table: one of our name without it was made by someone else. */
  public static final String TABLE_COMMENT = "made by sund";

  /** The comment of the rules that we put into others' chains, where these drop by policy. */
  public static final String FORWARD_COMMENT = "made by sund for pods";

  /** The route protocol number ({@code rtm_protocol}) of every route we write. */
  public static final int ROUTE_PROTOCOL = 83;

  /** Prefix of the host-side device of a pod; 11 characters of a hash follow. */
  public static final String POD_DEVICE_PREFIX = "sund";

  /** The VXLAN device over an IPv4 underlay. */
  public static final String VXLAN_V4 = "sund-vxlan4";

  /** The VXLAN device over an IPv6 underlay. */
  public static final String VXLAN_V6 = "sund-vxlan6";

  /** The IPIP device; {@code tunl0}, which comes with the kernel's module, is not ours. */
  public static final String IPIP_V4 = "sund-ipip4";

  /** All devices that lead to other nodes. */
  public static final List<String> TUNNELS = List.of(VXLAN_V4, VXLAN_V6, IPIP_V4);

  /** Link group of pods' host-side devices. */
  public static final int GROUP_PODS = 0x53750001;

  /** Link group of devices that wait for their deletion. */
  public static final int GROUP_DOOMED = 0x53750002;

  /**
   * The packet mark of the first packet of a connection whose destination we translate, until it
   * has left the node: the upper 13 bits ({@link #FRONTEND_MARK_MASK}) are these; then one bit for
   * who asks, two for whose source is translated, 0x1000 when the client keeps its endpoint, and 12
   * bits for the chosen endpoint's number. Later packets of the connection, and all others, keep
   * the marks they have. The bits 0x2000, 0x4000 and 0x8000, which the plugin portmap, kube-proxy
   * and the kubelet use, are never set.
   */
  public static final int FRONTEND_MARK = 0x53780000;

  /** The bits of a packet mark that say whether it is {@link #FRONTEND_MARK}. */
  public static final int FRONTEND_MARK_MASK = 0xfff80000;

  /**
   * The mark that such a packet has for the few rules between the lookup of its destination and the
   * choice of an endpoint, within one hook: the upper 7 bits ({@link #ASKED_MARK_MASK}) are these;
   * then two for the kind of frontend, four for what must be decided before the choice, and the
   * rest as in {@link #FRONTEND_MARK} with the number of endpoints in place of the chosen one.
   */
  public static final int ASKED_MARK = 0x54000000;

  /** The bits of a packet mark that say whether it is {@link #ASKED_MARK}. */
  public static final int ASKED_MARK_MASK = 0xfe000000;

  /** Link group of the host-side devices of containers on a bridge. */
  public static final int GROUP_BRIDGE_PORTS = 0x53750003;

  /** First word of the ifalias of the bridges that we made and of containers' ports on them. */
  public static final String BRIDGE_ALIAS_PREFIX = "sund-bridge";

  /** Link group of IPIP devices, which have no address of their own to be known by. */
  public static final int GROUP_TUNNELS = 0x53750004;

  /** Link group of the bridges that we made. */
  public static final int GROUP_BRIDGES = 0x53750005;

  /** First word of the ifalias of the devices in which what containers send waits. */
  public static final String BANDWIDTH_ALIAS_PREFIX = "sund-bandwidth";

  /**
   * Prefix of these devices' names; 12 hexadecimal digits of SHA-512 of network and container id
   * follow: the name that the plugin bandwidth gives them, so that each removes the other's.
   */
  public static final String BANDWIDTH_DEVICE_PREFIX = "bwp";

  /** First word of the ifalias of every other device we made. */
  public static final String ALIAS_PREFIX = "sund";

  /**
   * The annotation of a node's object with its IPv4 address where that is not its InternalIP, or
   * {@link #NO_ADDRESS}. Its agent writes it.
   */
  public static final String ANNOTATION_V4 = "sund.dev/ipv4-address";

  /** The same for IPv6. */
  public static final String ANNOTATION_V6 = "sund.dev/ipv6-address";

  /** What these annotations say of a node that looked for an address and has none. */
  public static final String NO_ADDRESS = "none";

  /**
   * The annotation of a node's object with the addresses that its tunnels have taken from address
   * pools, by commas: policies know the node by them. Its agent writes it; the first address of a
   * node's own range needs none.
   */
  public static final String ANNOTATION_TUNNELS = "sund.dev/tunnel-addresses";

  /**
   * The annotation of a Service that says how its connections are spread: {@code random}, or {@code
   * by-client} for the same choice on every node.
   */
  public static final String ANNOTATION_CHOICE = "sund.dev/endpoint-choice";

  /** The CNI plugin's program, and its type in conflists. */
  public static final String PLUGIN = "sund-cni";

  /** The conflist's name in the runtime's folder. */
  public static final String CONFLIST = "10-sund.conflist";

  /** Prefix of every metric's name. */
  public static final String METRIC_PREFIX = "sund_";

  /** Prefix of every thread's name. */
  public static final String THREAD_PREFIX = "sund-";

  /** The MAC address of the host side of every pod's link: pods need to know one gateway only. */
  public static final Mac GATEWAY_MAC = Mac.parse("02:53:75:6e:64:01");

  /** The IPv4 gateway of pods; no device carries it. */
  public static final Ip GATEWAY_V4 = Ip.parse("169.254.1.1");

  /** The IPv6 gateway of pods; no device carries it. */
  public static final Ip GATEWAY_V6 = Ip.parse("fe80::1");

  private Marks() {}
}

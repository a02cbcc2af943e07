package dev.sund.doctor;

/**
 * What the kernel, and programs of the node, tell only when they are asked: rules, devices, queues,
 * other namespaces. Each fact has a name and is a text as {@link Line} understands it, so that a
 * recorded tree can hold it as a file.
 *
 * <table>
 *   <caption>The facts, and what a line is about</caption>
 *   <tr><td>{@value #LINKS}</td><td>a device of the node</td></tr>
 *   <tr><td>{@value #RULES}</td><td>a chain of nf_tables or of the older interface</td></tr>
 *   <tr><td>{@value #ROUTING}</td><td>a rule that chooses a routing table</td></tr>
 *   <tr><td>{@value #ROUTES}</td><td>how many routes there are, and each that has an MTU</td></tr>
 *   <tr><td>{@value #EVERY_ROUTE}</td><td>a route, for people to read</td></tr>
 *   <tr><td>{@value #QUEUES}</td><td>a queue of a device</td></tr>
 *   <tr><td>{@value #DRIVERS}</td><td>what a device's driver says</td></tr>
 *   <tr><td>{@value #PODS}</td><td>a device, an address or a route of another namespace</td></tr>
 *   <tr><td>{@value #CONNECTIONS}</td><td>whose connections are in the kernel's table</td></tr>
 *   <tr><td>{@value #PROXY}</td><td>what kube-proxy answers</td></tr>
 *   <tr><td>{@value #FSYNC}</td><td>how long writes take where etcd has its log</td></tr>
 *   <tr><td>{@value #CLUSTER}</td><td>a node, a pool, a Service of the cluster</td></tr>
 *   <tr><td>{@value #CLUSTER_DNS}</td><td>a question to the cluster's DNS, asked by the node</td></tr>
 *   <tr><td>{@value #POD}</td><td>a device, a route, a connection of the pod that is asked for</td></tr>
 *   <tr><td>{@value #POD_DNS}</td><td>a question to the pod's DNS servers, asked inside the pod</td></tr>
 *   <tr><td>{@value #POD_POLICY}</td><td>whether policies let the pod ask</td></tr>
 *   <tr><td>{@value #PROBE}</td><td>the peer, or a way to it or back, see {@code sund doctor --probe}</td></tr>
 * </table>
 */
@FunctionalInterface
public interface Facts {
  /** Devices. */
  String LINKS = "links";

  /** Chains of rules. */
  String RULES = "rules";

  /** Rules that choose a routing table. */
  String ROUTING = "routing";

  /** Routes of all tables that say how large a packet may be. */
  String ROUTES = "routes";

  /** Routes of all tables; no check reads them, people do. */
  String EVERY_ROUTE = "every-route";

  /** Queues with what they have counted. */
  String QUEUES = "queues";

  /** Drivers' names, rings and offloads. */
  String DRIVERS = "drivers";

  /** Other network namespaces of this machine. */
  String PODS = "pods";

  /** Connections, counted by zone and source. */
  String CONNECTIONS = "connections";

  /** kube-proxy's answers. */
  String PROXY = "proxy";

  /** Times of writes; told only when somebody asks to write. */
  String FSYNC = "fsync";

  /** A cluster's objects; told when a cluster is given. */
  String CLUSTER = "cluster";

  /** What the cluster's DNS answers to the node; told when a cluster is given. */
  String CLUSTER_DNS = "cluster-dns";

  /** A pod's own network; told when a pod is given. */
  String POD = "pod";

  /** What DNS answers inside the pod; told when a pod is given. */
  String POD_DNS = "pod-dns";

  /** What the agent says of the pod's way to its DNS; told when a pod is given. */
  String POD_POLICY = "pod-policy";

  /** What was measured to a peer and back. */
  String PROBE = "probe";

  /**
   * A fact's text.
   *
   * @param name one of those above
   * @throws UnreadException when it cannot be had
   */
  String tell(String name) throws UnreadException;

  /** The same, and one fact that somebody else tells. */
  default Facts with(String fact, Facts teller) {
    return name -> name.equals(fact) ? teller.tell(name) : tell(name);
  }

  /** Nobody tells anything: of recorded trees, which have what there is. */
  static Facts none() {
    return name -> {
      throw new UnreadException(
          "/" + Host.FACTS + "/" + name + " is not there", "Record the tree by sund report.");
    };
  }
}

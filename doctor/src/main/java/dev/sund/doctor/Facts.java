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
 *   <tr><td>{@value #QUEUES}</td><td>a queue of a device</td></tr>
 *   <tr><td>{@value #DRIVERS}</td><td>what a device's driver says</td></tr>
 *   <tr><td>{@value #PODS}</td><td>a device, an address or a route of another namespace</td></tr>
 *   <tr><td>{@value #CONNECTIONS}</td><td>whose connections are in the kernel's table</td></tr>
 *   <tr><td>{@value #PROXY}</td><td>what kube-proxy answers</td></tr>
 *   <tr><td>{@value #FSYNC}</td><td>how long writes take where etcd has its log</td></tr>
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

package dev.sund.doctor.live;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Rights;
import dev.sund.doctor.UnreadException;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.nio.file.Path;

/** A running node's facts. On platform threads only, one at a time. */
public final class LiveFacts implements Facts {
  private final Path root;
  private final NetNs node;

  private LiveFacts(Path root, NetNs node) {
    this.root = root;
    this.node = node;
  }

  /**
   * Those of this process's network, or of that of the first process below another root.
   *
   * @param root where the node's file systems are
   */
  public static LiveFacts of(Path root) {
    return new LiveFacts(root, networkOf(root));
  }

  /** This process's network, or that of the first process below another root. */
  public static NetNs networkOf(Path root) {
    return root.equals(Path.of("/")) ? NetNs.ofProcess() : NetNs.at(root.resolve("proc/1/ns/net"));
  }

  /** Those of a network; {@code root} is where the node's file systems are. */
  public static LiveFacts of(Path root, NetNs node) {
    return new LiveFacts(root, node);
  }

  @Override
  public String tell(String name) throws UnreadException {
    refuseOthers(name);
    if (!node.exists()) {
      throw new UnreadException(
          "/sund-facts/"
              + name
              + " is not there, and "
              + node.path()
              + " is neither, or is not shown",
          "Run it on the node as root (in a container with CAP_SYS_PTRACE), or record the tree by"
              + " sund report.");
    }
    try {
      return switch (name) {
        case LINKS -> DeviceFacts.links(node);
        case QUEUES -> DeviceFacts.queues(node);
        case DRIVERS -> DeviceFacts.drivers(node, root);
        case ROUTES -> DeviceFacts.routes(node);
        case ROUTING -> DeviceFacts.routing(node);
        case EVERY_ROUTE -> DeviceFacts.everyRoute(node);
        case RULES -> RuleFacts.of(node);
        case PODS -> PodFacts.of(node, root);
        case CONNECTIONS -> ConnectionFacts.of(node);
        case PROXY -> ProxyFacts.of(node);
        case PROBE ->
            throw new UnreadException(
                "/sund-facts/probe is not there: no peer was probed",
                "Give --probe PEER, and run sund answer on the peer.");
        default ->
            throw new UnreadException(
                "/sund-facts/" + name + " is told only when it is asked for",
                "Give the option that asks for it: sund doctor --help.");
      };
    } catch (KernelException.Denied e) {
      throw new UnreadException("the kernel's " + name + ": " + e.getMessage(), Rights.remedy());
    } catch (KernelException e) {
      throw new UnreadException(
          "the kernel's " + name + ": " + e.getMessage(), "Report it with the kernel's version.");
    }
  }

  /** What is of no node, and has a teller of its own once somebody asks for it. */
  private static void refuseOthers(String name) throws UnreadException {
    switch (name) {
      case CLUSTER, CLUSTER_DNS ->
          throw new UnreadException(
              "/sund-facts/" + name + ": no cluster is given",
              "Give --kubeconfig FILE, or -f with its objects.");
      case POD, POD_DNS, POD_POLICY ->
          throw new UnreadException(
              "/sund-facts/" + name + ": no pod is given", "Name one: sund doctor NAMESPACE/POD.");
      default -> {} // the node's own
    }
  }
}

package dev.sund.dataplane;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.Qdisc;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.route.Tbf;
import dev.sund.kernel.route.TrafficChange;
import dev.sund.model.Marks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Limits how fast a container receives and sends, on the node's side of its link, as the plugin
 * {@code bandwidth} does: what it receives waits in a token bucket filter of that device; what it
 * sends is redirected to a device of kind ifb, and waits in that one's.
 *
 * <p><b>How does a restarted agent know that a device is ours?</b> By the first word of its ifalias
 * ({@link Marks#BANDWIDTH_ALIAS_PREFIX}), behind which network and attachment stand; its name
 * follows from both. The queues on the container's own device go with it. <b>What happens to
 * packets if we die right here?</b> They pass unlimited until the last step; the runtime, which had
 * no answer, calls DEL.
 *
 * <p>Each call opens and closes a socket; not on a virtual thread.
 */
public final class BandwidthLinks {
  private static final int ALIAS_BYTES = 255;

  private final NetNs node;

  /**
   * How fast one way may be.
   *
   * @param rate bits a second, above 0
   * @param burst bits at once, above 0
   */
  public record Limit(long rate, long burst) {
    Tbf tbf() {
      return Tbf.of(rate, burst);
    }
  }

  /**
   * Whose limits these are.
   *
   * @param network the network's name
   * @param containerId the container's
   * @param interfaceName the interface in it
   */
  public record Owner(String network, String containerId, String interfaceName) {
    /** The device in which what the container sends waits. */
    public String device() {
      try {
        byte[] digest =
            MessageDigest.getInstance("SHA-512")
                .digest((network + containerId).getBytes(StandardCharsets.UTF_8));
        return (Marks.BANDWIDTH_DEVICE_PREFIX + HexFormat.of().formatHex(digest)).substring(0, 15);
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError("every JDK has SHA-512", e);
      }
    }

    /** The attachment's name: {@code CONTAINER/INTERFACE}. */
    public String key() {
      return containerId + "/" + interfaceName;
    }

    private String alias() {
      String alias = Marks.BANDWIDTH_ALIAS_PREFIX + " " + network + " " + key();
      return alias.substring(0, Math.min(alias.length(), ALIAS_BYTES));
    }
  }

  /** For the containers of this node. */
  public BandwidthLinks(NetNs node) {
    this.node = node;
  }

  /** Whether a device is one of those in which packets wait, made by us. */
  static boolean isOurs(Link link) {
    return link.kind().equals("ifb") && link.alias().startsWith(Marks.BANDWIDTH_ALIAS_PREFIX + " ");
  }

  /**
   * The node's side of a container's link.
   *
   * @param namespace the container's
   * @param interfaceName the device in it
   * @return empty when there is no such device, or no other end in this node
   * @throws KernelException when the namespace or the node could not be read
   */
  public Optional<Link> hostSide(Path namespace, String interfaceName) throws KernelException {
    Optional<Link> inside;
    try (RouteSocket there = RouteSocket.open(NetNs.at(namespace))) {
      inside = there.link(interfaceName);
    }
    if (inside.isEmpty() || !inside.get().kind().equals("veth")) {
      return Optional.empty();
    }
    try (RouteSocket here = RouteSocket.open(node)) {
      return here.link(inside.get().lower()).filter(link -> link.kind().equals("veth"));
    }
  }

  /**
   * Puts limits in force.
   *
   * @param host the node's side of the container's link
   * @param receives what the container receives; empty: unlimited
   * @param sends what it sends
   * @return the device in which what it sends waits, when that is limited
   * @throws KernelException when the kernel refused, also when limits are there already; what was
   *     begun is taken back
   */
  public Optional<Link> limit(
      Owner owner, Link host, Optional<Limit> receives, Optional<Limit> sends)
      throws KernelException {
    try (RouteSocket kernel = RouteSocket.open(node)) {
      boolean filtered = false;
      boolean made = false;
      try {
        if (receives.isPresent()) {
          create(
              kernel, new TrafficChange.CreateTbf(host.index(), host.name(), receives.get().tbf()));
          filtered = true;
        }
        if (sends.isEmpty()) {
          return Optional.empty();
        }
        create(
            kernel,
            new RouteRequest.CreateLink(
                owner.device(),
                0,
                new LinkKind.Ifb(),
                List.of(
                    new LinkSetting.Mtu(host.mtu()),
                    new LinkSetting.Alias(owner.alias()),
                    new LinkSetting.LinkLocal(false),
                    new LinkSetting.Up(true))));
        made = true;
        Link queue = kernel.link(owner.device()).orElseThrow();
        create(kernel, new TrafficChange.CreateTbf(queue.index(), queue.name(), sends.get().tbf()));
        create(kernel, new TrafficChange.CreateIngress(host.index(), host.name()));
        create(
            kernel, new TrafficChange.RedirectReceived(host.index(), host.name(), queue.index()));
        return Optional.of(queue);
      } catch (KernelException e) {
        takeBack(kernel, host, filtered, made ? owner.device() : "");
        throw e;
      }
    }
  }

  /**
   * Takes away what limits a container, or a part of it that is left, from its link too. Nothing
   * happens when there is none.
   */
  public void clear(Owner owner, Link host) throws KernelException {
    try (RouteSocket kernel = RouteSocket.open(node)) {
      for (Qdisc qdisc : kernel.qdiscs(host.index())) {
        boolean filter = qdisc.parent() == Qdisc.ROOT && qdisc.tbf().isPresent();
        if (filter || qdisc.parent() == Qdisc.INGRESS) {
          kernel.apply(
              new RouteRequest.ChangeTraffic(
                  new TrafficChange.DeleteQdisc(host.index(), host.name(), qdisc.parent())));
        }
      }
    }
    remove(owner);
  }

  private static void takeBack(RouteSocket kernel, Link host, boolean filtered, String queue)
      throws KernelException {
    if (filtered) {
      kernel.apply(
          new RouteRequest.ChangeTraffic(
              new TrafficChange.DeleteQdisc(host.index(), host.name(), Qdisc.ROOT)));
    }
    if (!queue.isEmpty()) {
      for (Qdisc qdisc : kernel.qdiscs(host.index())) {
        if (qdisc.parent() == Qdisc.INGRESS) {
          kernel.apply(
              new RouteRequest.ChangeTraffic(
                  new TrafficChange.DeleteQdisc(host.index(), host.name(), Qdisc.INGRESS)));
        }
      }
      kernel.apply(RouteRequest.DeleteLink.of(queue));
    }
  }

  private static void create(RouteSocket kernel, TrafficChange change) throws KernelException {
    create(kernel, new RouteRequest.ChangeTraffic(change));
  }

  /** What is there already belongs to somebody. */
  private static void create(RouteSocket kernel, RouteRequest request) throws KernelException {
    if (kernel.apply(request) == Outcome.ALREADY_THERE) {
      throw Errno.exception(
          request.operation(), request.object(), Errno.EEXIST.number(), "", Capability.NET_ADMIN);
    }
  }

  /**
   * Removes the device in which what a container sends waits. Nothing happens when there is none;
   * the queues on the container's own device go with that.
   */
  public void remove(Owner owner) throws KernelException {
    try (RouteSocket kernel = RouteSocket.open(node)) {
      Optional<Link> queue = kernel.link(owner.device());
      if (queue.isPresent() && queue.get().kind().equals("ifb")) {
        kernel.apply(new RouteRequest.DeleteLink(queue.get().index(), queue.get().name()));
      }
    }
  }

  /** The names of all devices in which what containers send waits. */
  public Set<String> queues() throws KernelException {
    Set<String> names = new TreeSet<>();
    try (RouteSocket kernel = RouteSocket.open(node)) {
      for (Link link : kernel.links()) {
        if (isOurs(link)) {
          names.add(link.name());
        }
      }
    }
    return names;
  }

  /** Removes those of a network's devices whose attachment is not among {@code valid}. */
  public void keepOnly(String network, Set<String> valid) throws KernelException {
    String prefix = Marks.BANDWIDTH_ALIAS_PREFIX + " " + network + " ";
    try (RouteSocket kernel = RouteSocket.open(node)) {
      for (Link link : kernel.links()) {
        if (isOurs(link)
            && link.alias().startsWith(prefix)
            && !valid.contains(link.alias().substring(prefix.length()))) {
          kernel.apply(new RouteRequest.DeleteLink(link.index(), link.name()));
        }
      }
    }
  }

  /**
   * What differs from these limits in the kernel, as a sentence; empty when all is as it should be.
   */
  public Optional<String> difference(
      Owner owner, Link host, Optional<Limit> receives, Optional<Limit> sends)
      throws KernelException {
    try (RouteSocket kernel = RouteSocket.open(node)) {
      if (receives.isPresent() && !limits(kernel, host, receives.get())) {
        return Optional.of(host.name() + " has not the queue that limits what is received");
      }
      if (sends.isEmpty()) {
        return Optional.empty();
      }
      Optional<Link> queue = kernel.link(owner.device());
      if (queue.isEmpty()) {
        return Optional.of("the device " + owner.device() + " is missing");
      }
      if (!queue.get().isUp() || !limits(kernel, queue.get(), sends.get())) {
        return Optional.of(
            queue.get().name() + " is down, or has not the queue that limits what is sent");
      }
      return kernel.qdiscs(host.index()).stream().anyMatch(qdisc -> qdisc.parent() == Qdisc.INGRESS)
          ? Optional.empty()
          : Optional.of(host.name() + " does not redirect what is sent");
    }
  }

  private static boolean limits(RouteSocket kernel, Link link, Limit limit) throws KernelException {
    return kernel.qdiscs(link.index()).stream()
        .anyMatch(
            qdisc -> qdisc.parent() == Qdisc.ROOT && qdisc.tbf().equals(Optional.of(limit.tbf())));
  }
}

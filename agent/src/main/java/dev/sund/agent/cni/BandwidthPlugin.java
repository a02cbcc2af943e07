package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.local.Json;
import dev.sund.dataplane.BandwidthLinks;
import dev.sund.dataplane.BandwidthLinks.Limit;
import dev.sund.dataplane.BandwidthLinks.Owner;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Link;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Limits of what a container receives and sends, plugin {@code bandwidth}: chained behind a plugin
 * that made a veth, as the reference plugin of this name, with the same results and the same limits
 * in the kernel. Limits in the configuration go before those of the capability.
 */
public final class BandwidthPlugin implements NetworkKind, AutoCloseable {
  /** The plugin's name in a conflist. */
  public static final String TYPE = "bandwidth";

  private static final Set<String> KEYS =
      Set.of("ingressRate", "ingressBurst", "egressRate", "egressBurst");
  private static final long MOST_BURST = (1L << 32) * 8;

  private final BandwidthLinks links;
  private final ExecutorService threads;

  /** Limits by these links. */
  public BandwidthPlugin(BandwidthLinks links) {
    this.links = links;
    this.threads =
        Executors.newFixedThreadPool(
            2,
            Thread.ofPlatform()
                .name(Marks.THREAD_PREFIX + "bandwidth-", 0)
                .daemon(true)
                .inheritInheritableThreadLocals(false)
                .factory());
  }

  @Override
  public Set<String> types() {
    return Set.of(TYPE);
  }

  @Override
  public CniResult add(CniRequest request) throws CniException, InterruptedException {
    CniResult previous = previous(request);
    Bandwidth limits = limits(request);
    if (isNothing(limits)) {
      return previous;
    }
    Optional<Link> queue =
        work(() -> links.limit(owner(request), host(request), receives(limits), sends(limits)));
    if (queue.isEmpty()) {
      return previous;
    }
    List<CniResult.Interface> interfaces = new ArrayList<>(previous.interfaces());
    interfaces.add(
        new CniResult.Interface(
            queue.get().name(), queue.get().mac().map(Mac::toString).orElse(""), ""));
    return new CniResult(interfaces, previous.addresses(), previous.routes(), previous.dns());
  }

  @Override
  public void delete(CniRequest request) throws CniException, InterruptedException {
    work(() -> {
      links.remove(owner(request));
      return true;
    });
  }

  @Override
  public void check(CniRequest request) throws CniException, InterruptedException {
    Bandwidth limits = limits(request);
    if (isNothing(limits)) {
      return;
    }
    Optional<String> difference =
        work(
            () -> links.difference(owner(request), host(request), receives(limits), sends(limits)));
    if (difference.isPresent()) {
      throw new CniException(
          Code.DIFFERS,
          "Network " + request.config().name() + ", plugin bandwidth: " + difference.get() + ".",
          "The runtime should make the sandbox anew.");
    }
  }

  @Override
  public void collect(CniRequest request, Set<String> valid)
      throws CniException, InterruptedException {
    work(() -> {
      links.keepOnly(request.config().name(), valid);
      return true;
    });
  }

  @Override
  public void status(CniRequest request) throws CniException {
    limits(request);
  }

  private static CniResult previous(CniRequest request) throws CniException {
    Optional<CniResult> previous = request.config().previous();
    if (previous.isEmpty()) {
      throw new CniException(
          Code.INTERNAL,
          "Network " + request.config().name() + ", plugin bandwidth: there is no prevResult.",
          "List the plugin behind the one that makes the container's interface.");
    }
    return previous.get();
  }

  /** The node's side of the container's link. */
  private Link host(CniRequest request) throws CniException, KernelException {
    Optional<Link> host = links.hostSide(Path.of(request.netns()), request.interfaceName());
    if (host.isEmpty()) {
      throw new CniException(
          Code.INTERNAL,
          "Container "
              + request.containerId()
              + ": "
              + request.interfaceName()
              + " is no veth whose other end is on this node.",
          "List the plugin behind one that makes veths, such as sund or bridge.");
    }
    return host.get();
  }

  private static Owner owner(CniRequest request) {
    return new Owner(request.config().name(), request.containerId(), request.interfaceName());
  }

  /** What is asked for, checked. */
  private static Bandwidth limits(CniRequest request) throws CniException {
    request.config().refuseUnknownKeys(KEYS);
    Bandwidth limits;
    if (request.config().fields().keySet().stream().anyMatch(KEYS::contains)) {
      try {
        limits =
            new Bandwidth(
                number(request, "ingressRate"),
                number(request, "ingressBurst"),
                number(request, "egressRate"),
                number(request, "egressBurst"));
      } catch (IllegalArgumentException e) {
        throw refused(request, e.getMessage() + ".");
      }
    } else {
      limits = request.config().runtime().bandwidth().orElse(new Bandwidth(0, 0, 0, 0));
    }
    check(request, "ingress", limits.ingressRate(), limits.ingressBurst());
    check(request, "egress", limits.egressRate(), limits.egressBurst());
    return limits;
  }

  private static long number(CniRequest request, String field) {
    return request.config().fields().containsKey(field)
        ? Json.number(request.config().fields(), field)
        : 0;
  }

  private static void check(CniRequest request, String way, long rate, long burst)
      throws CniException {
    if (rate != 0 && burst == 0) {
      throw refused(request, way + "Rate is " + rate + ", so " + way + "Burst must be set too.");
    }
    if (rate == 0 && burst != 0) {
      throw refused(request, way + "Burst is " + burst + ", so " + way + "Rate must be set too.");
    }
    if (rate != 0 && rate < 8) {
      throw refused(request, way + "Rate " + rate + " is less than one byte a second.");
    }
    if (burst >= MOST_BURST - 8) {
      throw refused(request, way + "Burst " + burst + " is more than 4 GB.");
    }
  }

  private static CniException refused(CniRequest request, String text) {
    return new CniException(
        Code.INTERNAL,
        "Network " + request.config().name() + ", plugin bandwidth: " + text,
        "Set rates in bits a second and bursts in bits, both or neither of each way.");
  }

  private static boolean isNothing(Bandwidth limits) {
    return limits.ingressRate() == 0 && limits.egressRate() == 0;
  }

  private static Optional<Limit> receives(Bandwidth limits) {
    return limit(limits.ingressRate(), limits.ingressBurst());
  }

  private static Optional<Limit> sends(Bandwidth limits) {
    return limit(limits.egressRate(), limits.egressBurst());
  }

  private static Optional<Limit> limit(long rate, long burst) {
    return rate == 0 ? Optional.empty() : Optional.of(new Limit(rate, burst));
  }

  /** Work with the kernel, which virtual threads may not do. */
  @FunctionalInterface
  private interface Work<T> {
    T run() throws CniException, KernelException;
  }

  private <T> T work(Work<T> work) throws CniException, InterruptedException {
    try {
      return threads.submit(work::run).get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case CniException cause -> throw cause;
        case KernelException cause ->
            throw new CniException(
                Code.INTERNAL,
                cause.getMessage() + ".",
                "Look at 'tc qdisc show' for limits that are there already.");
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new AssertionError("work threw something else", e);
      }
    }
  }

  /** Ends the threads, after what they do now; limits stay in force. */
  @Override
  public void close() throws InterruptedException {
    threads.shutdown();
    if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
      threads.shutdownNow();
    }
  }
}

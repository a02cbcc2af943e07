package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.kernel.route.Link;
import java.util.Optional;
import java.util.Set;

/**
 * Limits of what a container receives and sends, plugin {@code bandwidth}: chained behind a plugin
 * that made a veth, as the reference plugin of this name, with the same results and the same limits
 * in the kernel.
 */
public final class BandwidthPlugin implements NetworkKind {
  /** The plugin's name in a conflist. */
  public static final String TYPE = "bandwidth";

  private final BandwidthLimits limits;

  /** Limits by these. */
  public BandwidthPlugin(BandwidthLimits limits) {
    this.limits = limits;
  }

  @Override
  public Set<String> types() {
    return Set.of(TYPE);
  }

  @Override
  public CniResult add(CniRequest request) throws CniException, InterruptedException {
    CniResult previous = previous(request);
    Optional<Bandwidth> asked = asked(request);
    if (asked.isEmpty()) {
      return previous;
    }
    Optional<Link> queue = limits.put(request, asked.get());
    return queue.isEmpty() ? previous : previous.withInterface(CniResult.Interface.of(queue.get()));
  }

  @Override
  public void delete(CniRequest request) throws CniException, InterruptedException {
    limits.remove(request);
  }

  @Override
  public void check(CniRequest request) throws CniException, InterruptedException {
    Optional<Bandwidth> asked = asked(request);
    if (asked.isPresent()) {
      limits.check(request, asked.get());
    }
  }

  @Override
  public void collect(CniRequest request, Set<String> valid)
      throws CniException, InterruptedException {
    limits.keepOnly(request.config().name(), valid);
  }

  @Override
  public void status(CniRequest request) throws CniException {
    asked(request);
  }

  private Optional<Bandwidth> asked(CniRequest request) throws CniException {
    request.config().refuseUnknownKeys(BandwidthLimits.KEYS);
    return limits.asked(request);
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
}

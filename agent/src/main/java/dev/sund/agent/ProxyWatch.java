package dev.sund.agent;

import dev.sund.agent.apply.CalledThread;
import dev.sund.agent.log.Log;
import dev.sund.dataplane.foreign.ProxyLeavings;
import dev.sund.dataplane.foreign.ProxyLeavings.Leaving;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import java.time.Duration;
import java.util.List;

/**
 * Looks once a minute whether kube-proxy's rules are beside Sund's, for {@code sund status}. One
 * platform thread, {@code sund-proxy}.
 */
final class ProxyWatch implements AutoCloseable {
  private static final Duration EACH = Duration.ofMinutes(1);

  /** An agent that starts has better things to do. */
  private static final Duration AFTER_START = Duration.ofSeconds(2);

  private final NetNs namespace;
  private final Log log;
  private final CalledThread thread = new CalledThread("proxy", AFTER_START, this::look);
  private volatile List<Condition> conditions = List.of();
  private List<Leaving> last = List.of();

  ProxyWatch(NetNs namespace, Log log) {
    this.namespace = namespace;
    this.log = log;
  }

  void start() {
    thread.call();
    thread.start();
  }

  /** What was found; from any thread. */
  List<Condition> conditions() {
    return conditions;
  }

  private Duration look() {
    try {
      List<Leaving> found = ProxyLeavings.find(namespace);
      if (!found.equals(last)) {
        last = found;
        log.info("kube-proxy's rules", "found", found);
      }
      conditions = ProxyLeavings.condition(found).stream().toList();
    } catch (KernelException e) {
      log.debug("kube-proxy's rules cannot be looked for", "error", e.getMessage());
    }
    thread.call();
    return EACH;
  }

  @Override
  public void close() throws InterruptedException {
    thread.close();
  }
}

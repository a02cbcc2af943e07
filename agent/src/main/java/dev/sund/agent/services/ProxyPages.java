package dev.sund.agent.services;

import dev.sund.agent.http.HttpPages;
import dev.sund.agent.log.Log;
import dev.sund.engine.cluster.ProxyConfig;
import dev.sund.engine.cluster.ProxyConfig.Listen;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Serves the agent's pages also where a KubeProxyConfiguration asks for kube-proxy's: {@code
 * healthzBindAddress} and {@code metricsBindAddress}. Only where it names an address: kube-proxy's
 * own defaults would open a port to everybody that nobody asked for. An address that is taken,
 * mostly by a kube-proxy that still runs, is said and tried again.
 *
 * <p>One platform thread, {@code sund-proxy-pages}, since it opens sockets in the node's namespace.
 */
public final class ProxyPages implements AutoCloseable {
  private static final Duration BETWEEN = Duration.ofMillis(500);

  /** Opens pages at an address, in the node's namespace. */
  @FunctionalInterface
  public interface Opening {
    /** The pages, not started yet. */
    HttpPages open(InetSocketAddress address) throws IOException;
  }

  private final Supplier<Optional<ProxyConfig>> config;
  private final Opening opening;
  private final Log log;
  private final Thread thread;
  private final Map<Listen, HttpPages> open = new HashMap<>();
  private volatile List<Condition> conditions = List.of();

  ProxyPages(Supplier<Optional<ProxyConfig>> config, Opening opening, Log log) {
    this.config = config;
    this.opening = opening;
    this.log = log;
    this.thread =
        Thread.ofPlatform()
            .daemon(true)
            .name(Marks.THREAD_PREFIX + "proxy-pages")
            .unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** What keeps pages from being served. */
  List<Condition> conditions() {
    return conditions;
  }

  @Override
  public void close() throws InterruptedException {
    thread.interrupt();
    if (thread.isAlive()) {
      thread.join();
    }
    open.values().forEach(HttpPages::close);
    open.clear();
  }

  private void run() {
    try {
      while (true) {
        look();
        Thread.sleep(BETWEEN);
      }
    } catch (InterruptedException _) {
      // the agent ends
    }
  }

  private void look() {
    Optional<ProxyConfig> now = config.get();
    Set<Listen> wanted = new LinkedHashSet<>();
    now.flatMap(ProxyConfig::healthz).ifPresent(wanted::add);
    now.flatMap(ProxyConfig::metrics).ifPresent(wanted::add);
    for (Listen listen : List.copyOf(open.keySet())) {
      HttpPages pages = open.get(listen);
      if (pages != null && !wanted.contains(listen)) {
        pages.close();
        open.remove(listen);
      }
    }
    List<Condition> found = new ArrayList<>();
    for (Listen listen : wanted) {
      if (!open.containsKey(listen)) {
        open(listen).ifPresent(found::add);
      }
    }
    if (!found.equals(conditions)) {
      found.forEach(one -> log.error("pages are not served", "what", one));
      conditions = List.copyOf(found);
    }
  }

  private Optional<Condition> open(Listen listen) {
    try {
      InetAddress address = InetAddress.getByAddress(listen.address().toBytes());
      HttpPages pages = opening.open(new InetSocketAddress(address, listen.port()));
      pages.start();
      open.put(listen, pages);
      log.info("pages are served", "address", address, "port", listen.port());
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(
          new Condition(
              Reason.KERNEL_REFUSED,
              new ObjectRef("KubeProxyConfiguration", "in force"),
              "healthzBindAddress, metricsBindAddress",
              listen.address()
                  + " port "
                  + listen.port()
                  + " cannot be listened at: "
                  + e.getMessage()
                  + ".",
              "Find who has the port ('ss -ltnp'); kube-proxy has it while it runs."));
    }
  }
}

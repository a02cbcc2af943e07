package dev.sund.agent.services;

import dev.sund.agent.log.Log;
import dev.sund.engine.FabricServices;
import dev.sund.engine.ServicesInForce;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.ProxyConfig;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.object.Parsed;
import dev.sund.kube.object.ProxyConfigParser;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Follows what the ConfigMap {@code kube-proxy} and a file say of Services, and tells the engine
 * what follows from it. A file that is changed is read again within seconds; one that cannot be
 * used leaves what was read before in force, and is said.
 *
 * <p>One virtual thread, {@code sund-proxy-config}, when there is a file. For any thread.
 */
final class ProxySettings implements AutoCloseable {
  private static final Duration BETWEEN = Duration.ofSeconds(2);
  private static final long LARGEST = 1 << 20;

  private final Optional<Path> file;
  private final Consumer<ClusterEvent> events;
  private final Log log;
  private final ServicesInForce force;
  private final ReentrantLock lock = new ReentrantLock();
  private final Thread thread;
  private Optional<String> read = Optional.empty();
  private volatile Optional<ProxyConfig> proxy = Optional.empty();

  /**
   * Settings that are told from {@link #start} on.
   *
   * @param own what the fabric sets
   * @param file a KubeProxyConfiguration that counts before the cluster's
   * @param events takes what is to be told; must not wait
   */
  ProxySettings(FabricServices own, Optional<Path> file, Consumer<ClusterEvent> events, Log log) {
    this.file = file;
    this.events = events;
    this.log = log;
    this.force = new ServicesInForce(own);
    this.thread =
        Thread.ofVirtual().name(Marks.THREAD_PREFIX + "proxy-config").unstarted(this::follow);
  }

  /** Tells what holds before the cluster says anything, and follows the file. */
  void start() {
    tell(force.first());
    if (file.isPresent()) {
      look();
      thread.start();
    }
  }

  /** Hears what the cluster says. */
  void see(ClusterEvent event) {
    if (event instanceof ClusterEvent.LayerSeen || event instanceof ClusterEvent.LayerGone) {
      take(event);
    }
  }

  /** The configuration that counts. */
  Optional<ProxyConfig> proxy() {
    return proxy;
  }

  /** How Services are served. */
  ServiceSettings services() {
    lock.lock();
    try {
      return force.services();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() throws InterruptedException {
    thread.interrupt();
    if (thread.isAlive()) {
      thread.join();
    }
  }

  private void take(ClusterEvent event) {
    lock.lock();
    try {
      tell(force.take(event));
      proxy = force.proxy();
    } finally {
      lock.unlock();
    }
  }

  private void tell(List<ClusterEvent> told) {
    for (ClusterEvent event : told) {
      switch (event) {
        case ClusterEvent.ServicesSet(var settings) -> log.info("services are set", "to", settings);
        case ClusterEvent.ConntrackSet(var settings) ->
            log.info("the table of connections is set", "to", settings);
        case ClusterEvent other -> log.debug("settings changed", "by", other.key());
      }
      events.accept(event);
    }
  }

  private void follow() {
    try {
      while (true) {
        Thread.sleep(BETWEEN);
        look();
      }
    } catch (InterruptedException _) {
      // the agent ends
    }
  }

  private void look() {
    Path path = file.orElseThrow();
    ObjectRef ref = new ObjectRef("File", path.toString());
    try {
      if (Files.size(path) > LARGEST) {
        throw new IOException("it is longer than a mebibyte");
      }
      String text = Files.readString(path);
      if (read.filter(text::equals).isPresent()) {
        return;
      }
      read = Optional.of(text);
      Parsed<FabricLayer> parsed =
          ProxyConfigParser.parseText(ref, FabricLayer.Rank.PROXY_FILE, text);
      if (parsed.value().isPresent()) {
        ClusterEvent seen = new ClusterEvent.LayerSeen(parsed.value().get());
        events.accept(seen);
        take(seen);
      } else {
        events.accept(Kinds.refused(ref, parsed.problems()));
      }
    } catch (IOException e) {
      if (read.filter(String::isEmpty).isEmpty()) {
        read = Optional.of(""); // said once
        events.accept(new ClusterEvent.Refused(ref, List.of(unreadable(ref, e))));
      }
    }
  }

  private static Condition unreadable(ObjectRef ref, IOException fault) {
    return new Condition(
        Reason.INVALID_FIELD,
        ref,
        "",
        "it cannot be read: " + fault.getMessage() + ".",
        "Put a KubeProxyConfiguration there, or leave --kube-proxy-config out.");
  }
}

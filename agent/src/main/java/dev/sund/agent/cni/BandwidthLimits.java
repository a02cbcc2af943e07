package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.local.Json;
import dev.sund.agent.log.Log;
import dev.sund.agent.state.Records;
import dev.sund.dataplane.BandwidthLinks;
import dev.sund.dataplane.BandwidthLinks.Limit;
import dev.sund.dataplane.BandwidthLinks.Owner;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Link;
import dev.sund.model.Marks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Limits of what containers receive and send: what a call asks for, and the kernel's queues. For
 * the plugin {@code bandwidth} behind another, and for the pods' own network, whose capability it
 * is: the annotations {@code kubernetes.io/ingress-bandwidth} and {@code egress-bandwidth} come as
 * one. Limits in the configuration go before those of the capability.
 *
 * <p>What is in force is kept on disk too, since the kernel forgets it with the container's link:
 * {@link #renew} puts it back on a link that was made anew.
 *
 * <p>Many threads may call, also virtual ones: the work is done on threads of its own.
 */
public final class BandwidthLimits implements AutoCloseable {
  /** The keys of a configuration that holds limits itself. */
  static final Set<String> KEYS =
      Set.of("ingressRate", "ingressBurst", "egressRate", "egressBurst");

  private static final long MOST_BURST = (1L << 32) * 8;

  private final BandwidthLinks links;
  private final Records<LimitRecord> records;
  private final Log log;
  private final ExecutorService threads;
  private final Object[] locks = new Object[16];
  private final Set<String> queues = new HashSet<>();
  private boolean queuesKnown;

  /**
   * Limits by these links.
   *
   * @param records what is in force, restored
   */
  public BandwidthLimits(BandwidthLinks links, Records<LimitRecord> records, Log log) {
    this.links = links;
    this.records = records;
    this.log = log;
    Arrays.setAll(locks, _ -> new Object());
    this.threads =
        Executors.newFixedThreadPool(
            2,
            Thread.ofPlatform()
                .name(Marks.THREAD_PREFIX + "bandwidth-", 0)
                .daemon(true)
                .inheritInheritableThreadLocals(false)
                .factory());
  }

  /**
   * What a call asks for.
   *
   * @return empty when it asks for no limit
   * @throws CniException naming the field, when it is no limit
   */
  Optional<Bandwidth> asked(CniRequest request) throws CniException {
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
    return limits.ingressRate() == 0 && limits.egressRate() == 0
        ? Optional.empty()
        : Optional.of(limits);
  }

  /**
   * Puts limits in force on a container's link, which stands.
   *
   * @return the device in which what it sends waits, when that is limited
   * @throws CniException when it was not done; nothing of it stays
   */
  Optional<Link> put(CniRequest request, Bandwidth limits)
      throws CniException, InterruptedException {
    LimitRecord record =
        new LimitRecord(
            new AddressOwner(request.containerId(), request.interfaceName()),
            request.config().name(),
            Path.of(request.netns()),
            limits);
    return work(() -> {
      synchronized (lock(record.key())) {
        Link host = host(request);
        Optional<Link> queue =
            links.limit(record.inKernel(), host, receives(limits), sends(limits));
        queue.ifPresent(device -> note(device.name(), true));
        try {
          records.put(record);
        } catch (IOException e) {
          links.clear(record.inKernel(), host);
          throw new CniException(
              Code.IO_FAILURE,
              "The limits cannot be written to the state directory: " + e.getMessage() + ".",
              "Make room on the disk, or look at the directory's permissions.");
        }
        return queue;
      }
    });
  }

  /**
   * Has the limits of an attachment put back where its link was made anew, if it has any; returns
   * before that is done. From any thread.
   *
   * @param key {@code CONTAINER/INTERFACE}
   */
  public void renew(String key) {
    if (records.get(key).isPresent()) {
      threads.execute(() -> renewNow(key));
    }
  }

  /** As {@link #renew}, for all: an earlier agent may have died between a link and its limits. */
  public void renewAll() {
    records.all().forEach(record -> renew(record.key()));
  }

  private void renewNow(String key) {
    synchronized (lock(key)) {
      Optional<LimitRecord> record = records.get(key);
      if (record.isEmpty()) {
        return;
      }
      Owner owner = record.get().inKernel();
      Optional<Limit> receives = receives(record.get().limits());
      Optional<Limit> sends = sends(record.get().limits());
      try {
        Optional<Link> host = links.hostSide(record.get().namespace(), owner.interfaceName());
        if (host.isPresent() && links.difference(owner, host.get(), receives, sends).isPresent()) {
          links.clear(owner, host.get());
          links.limit(owner, host.get(), receives, sends);
          log.warn("limits put back", "attachment", key, "device", host.get().name());
        }
      } catch (KernelException.NotFound e) {
        log.debug("a container with limits is gone", "attachment", key, "what", e.getMessage());
      } catch (KernelException e) {
        log.error("limits are not put back", "attachment", key, "error", e.getMessage());
      }
    }
  }

  private Object lock(String key) {
    return locks[Math.floorMod(key.hashCode(), locks.length)];
  }

  /** Not kept any more; before the kernel is told, so that nobody puts it back. */
  private void forget(String key) {
    Optional<LimitRecord> record = records.get(key);
    if (record.isPresent()) {
      try {
        records.remove(record.get());
      } catch (IOException e) {
        log.error("a file of limits cannot be removed", "attachment", key, "error", e.getMessage());
      }
    }
  }

  /** Takes an attachment's limits away; those of its own link's device go with that. */
  void remove(CniRequest request) throws CniException, InterruptedException {
    Owner owner = owner(request);
    work(() -> {
      synchronized (lock(owner.key())) {
        forget(owner.key());
        links.remove(owner);
        note(owner.device(), false);
        return true;
      }
    });
  }

  /**
   * As {@link #remove}, and asks the kernel once alone what an earlier agent made: for networks of
   * which few attachments have limits.
   */
  void removeIfThere(CniRequest request) throws CniException, InterruptedException {
    if (records.get(owner(request).key()).isPresent()) {
      remove(request);
      return;
    }
    synchronized (queues) {
      if (queuesKnown && !queues.contains(owner(request).device())) {
        return;
      }
    }
    work(() -> {
      synchronized (queues) {
        if (!queuesKnown) {
          queues.addAll(links.queues());
          queuesKnown = true;
        }
      }
      return true;
    });
    remove(request);
  }

  private void note(String device, boolean there) {
    synchronized (queues) {
      if (there) {
        queues.add(device);
      } else {
        queues.remove(device);
      }
    }
  }

  /**
   * Compares the kernel with limits.
   *
   * @throws CniException naming what differs
   */
  void check(CniRequest request, Bandwidth limits) throws CniException, InterruptedException {
    Optional<String> difference =
        work(
            () -> links.difference(owner(request), host(request), receives(limits), sends(limits)));
    if (difference.isPresent()) {
      throw new CniException(
          Code.DIFFERS,
          where(request) + ": " + difference.get() + ".",
          "The runtime should make the sandbox anew.");
    }
  }

  /** Takes away what a network's attachments have that are not {@code valid}. */
  void keepOnly(String network, Set<String> valid) throws CniException, InterruptedException {
    work(() -> {
      for (LimitRecord record : records.all()) {
        if (record.network().equals(network) && !valid.contains(record.key())) {
          synchronized (lock(record.key())) {
            forget(record.key());
          }
        }
      }
      links.keepOnly(network, valid);
      synchronized (queues) {
        queuesKnown = false;
        queues.clear();
      }
      return true;
    });
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

  private static String where(CniRequest request) {
    return "Network " + request.config().name() + ", plugin " + request.plugin();
  }

  private static CniException refused(CniRequest request, String text) {
    return new CniException(
        request.plugin().equals(BandwidthPlugin.TYPE) // as the reference plugin
            ? Code.INTERNAL
            : Code.INVALID_CONFIG,
        where(request) + ": " + text,
        "Set rates in bits a second and bursts in bits, both or neither of each way.");
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

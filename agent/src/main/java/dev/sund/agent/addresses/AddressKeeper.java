package dev.sund.agent.addresses;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.PodNetworks;
import dev.sund.agent.local.Answer;
import dev.sund.agent.log.Log;
import dev.sund.agent.state.StateDir;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.ipam.AddressPlan;
import dev.sund.engine.ipam.Allocator;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Looks after the node's addresses on a thread of its own, {@code sund-addresses}, and answers
 * {@code sund ipam}.
 */
public final class AddressKeeper implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(10);
  private static final Duration SWEEP = Duration.ofSeconds(60);

  private final Allocator allocator;
  private final NodeAddresses addresses;
  private final PodNetworks pods;
  private final StateDir state;
  private final Devices devices;
  private final AgentMetrics metrics;
  private final Log log;
  private final TunnelAddresses tunnels;
  private final LostPods lost = new LostPods(System::nanoTime);
  private final Semaphore woken = new Semaphore(0);
  private final Thread thread;

  /** Reads the names of the node's links. */
  @FunctionalInterface
  public interface Devices {
    /** All names. */
    Set<String> names() throws IOException, InterruptedException;
  }

  /**
   * A keeper that does nothing until {@link #start}.
   *
   * @param plan what the cluster says of addresses
   * @param told hears which addresses the node's tunnels have
   */
  public static AddressKeeper of(
      Allocator allocator,
      AddressPlan plan,
      NodeAddresses addresses,
      PodNetworks pods,
      StateDir state,
      Devices devices,
      AgentMetrics metrics,
      Log log,
      Consumer<ClusterEvent> told) {
    return new AddressKeeper(
        allocator,
        addresses,
        pods,
        state,
        devices,
        metrics,
        log,
        new TunnelAddresses(allocator, plan, state, told, log));
  }

  private AddressKeeper(
      Allocator allocator,
      NodeAddresses addresses,
      PodNetworks pods,
      StateDir state,
      Devices devices,
      AgentMetrics metrics,
      Log log,
      TunnelAddresses tunnels) {
    this.tunnels = tunnels;
    this.allocator = allocator;
    this.addresses = addresses;
    this.pods = pods;
    this.state = state;
    this.devices = devices;
    this.metrics = metrics;
    this.log = log;
    this.thread = Thread.ofVirtual().name(Marks.THREAD_PREFIX + "addresses").unstarted(this::run);
  }

  /** Takes up what an earlier agent gave; before anything else is given. */
  public void restore(StateDir.Restored restored) {
    for (Attachment attachment : restored.attachments()) {
      if (!allocator.note(attachment.key(), attachment.pod(), attachment.addresses())) {
        log.error("two attachments have one address", "attachment", attachment.key());
      }
    }
    for (StateDir.Released released : restored.released()) {
      for (Ip ip : released.attachment().addresses()) {
        allocator.restoreCooling(ip, released.attachment().pod(), released.at());
      }
    }
    if (addresses.fromPools()) {
      tunnels.restore(restored.tunnels());
    }
  }

  /** Starts the thread. */
  public void start() {
    addresses.onChange(woken::release);
    thread.start();
  }

  private void run() {
    long swept = System.nanoTime();
    long due = System.nanoTime();
    try {
      while (true) {
        try {
          addresses.learn();
          if (addresses.fromPools()) {
            tunnels.tend();
          }
          if (System.nanoTime() - due >= 0) {
            addresses.maintain();
            state.forgetReleased(Instant.now().minus(Allocator.COOL_DOWN.multipliedBy(2)));
            due = System.nanoTime() + PAUSE.toNanos();
          }
          if (System.nanoTime() - swept >= SWEEP.toNanos()) {
            swept = System.nanoTime();
            sweep();
          }
        } catch (IOException | RuntimeException e) {
          log.error("addresses are not looked after", "error", e);
          due = System.nanoTime() + PAUSE.toNanos();
        }
        if (woken.tryAcquire(due - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          woken.drainPermits(); // several changes are one
        }
      }
    } catch (InterruptedException _) {
      // closing
    }
  }

  private void sweep() throws IOException, InterruptedException {
    for (Attachment gone : lost.look(List.copyOf(pods.attachments()), devices.names())) {
      try {
        pods.detach(gone.key());
        allocator.release(gone.key());
        metrics.addressesLost.inc(gone.addresses().size());
        log.warn(
            "addresses of a pod that is no more are taken back",
            "pod",
            gone.pod(),
            "attachment",
            gone.key(),
            "addresses",
            gone.addresses());
      } catch (CniException e) {
        log.warn("a pod that is no more is not detached", "pod", gone.pod(), "why", e.getMessage());
      }
    }
  }

  /** What is wrong with the node's addresses. */
  public List<Condition> conditions() {
    return allocator.conditions();
  }

  /** Sets the gauges. */
  public void measure() {
    metrics.addressesUnread.set(allocator.givenUnread());
    metrics.addresses.clear();
    for (Allocator.Standing line : allocator.standing()) {
      String range = line.range().toString();
      metrics.addresses.labelValues(line.pool(), range, "used").set(line.used());
      metrics.addresses.labelValues(line.pool(), range, "cooling").set(line.cooling());
      metrics.addresses.labelValues(line.pool(), range, "free").set(line.free());
    }
  }

  /**
   * Answers {@code sund ipam}.
   *
   * @param request {@code verb}: show, check or release; {@code address} with the last
   */
  public Answer ipam(Map<String, Object> request) throws InterruptedException {
    try {
      return switch (String.valueOf(request.getOrDefault("verb", ""))) {
        case "show" -> Answer.success(show());
        case "check" -> Answer.success(Map.of("problems", check()));
        case "release" -> release(String.valueOf(request.getOrDefault("address", "")));
        default -> refused("The verb is none of show, check and release.", "Use one of them.");
      };
    } catch (IOException e) {
      return refused("The node's links cannot be read: " + e.getMessage() + ".", "Try again.");
    } catch (CniException e) {
      return refused(String.valueOf(e.getMessage()), e.details());
    }
  }

  /** How full each range is: pool, range, all, used, cooling, free. */
  public List<Map<String, Object>> ranges() {
    List<Map<String, Object>> ranges = new ArrayList<>();
    for (Allocator.Standing line : allocator.standing()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("pool", line.pool());
      fields.put("range", line.range().toString());
      fields.put("all", line.all());
      fields.put("used", line.used());
      fields.put("cooling", line.cooling());
      fields.put("free", line.free());
      ranges.add(fields);
    }
    return ranges;
  }

  private Map<String, Object> show() {
    Map<String, Attachment> attached = new TreeMap<>();
    pods.attachments().forEach(attachment -> attached.put(attachment.key(), attachment));
    Map<Ip, Object> holders = new TreeMap<>();
    allocator
        .given()
        .forEach((owner, ips) -> {
          for (Ip ip : ips) {
            Map<String, Object> fields = new LinkedHashMap<>();
            Attachment attachment = attached.get(owner);
            fields.put("address", ip.toString());
            fields.put("pod", holder(owner, Optional.ofNullable(attachment)));
            fields.put("attachment", owner);
            holders.put(ip, fields);
          }
        });
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("ranges", ranges());
    shown.put("addresses", List.copyOf(holders.values()));
    return shown;
  }

  private static String holder(String owner, Optional<Attachment> attachment) {
    return TunnelAddresses.isOwner(owner)
        ? "(the node's tunnels)"
        : attachment.map(each -> each.pod().toString()).orElse("");
  }

  private List<Object> check() throws IOException, InterruptedException {
    List<Object> problems = new ArrayList<>();
    Set<String> names = devices.names();
    Map<String, Attachment> attached = new TreeMap<>();
    for (Attachment attachment : pods.attachments()) {
      attached.put(attachment.key(), attachment);
      if (LostPods.isGone(attachment, names)) {
        problems.add(
            problem(
                attachment.addresses(),
                "pod "
                    + attachment.pod()
                    + " is no more: neither its namespace nor its device is"
                    + " there.",
                "The agent takes it back within two minutes; 'sund ipam release' does at once."));
      }
    }
    allocator
        .given()
        .forEach((owner, ips) -> {
          if (!attached.containsKey(owner) && !TunnelAddresses.isOwner(owner)) {
            problems.add(
                problem(
                    ips,
                    owner + " has it and is not attached.",
                    "An ADD may be under way; if it lasts, use 'sund ipam release'."));
          }
        });
    for (Condition condition : allocator.conditions()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("addresses", List.of());
      fields.put("text", condition.object() + ": " + condition.text());
      fields.put("remedy", condition.remedy());
      problems.add(fields);
    }
    return problems;
  }

  private static Map<String, Object> problem(List<Ip> ips, String text, String remedy) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("addresses", ips.stream().map(Ip::toString).toList());
    fields.put("text", text);
    fields.put("remedy", remedy);
    return fields;
  }

  private Answer release(String text) throws IOException, CniException, InterruptedException {
    Optional<Ip> ip = Ip.tryParse(text);
    if (ip.isEmpty()) {
      return refused("'" + text + "' is not an address.", "Name one that 'sund ipam show' lists.");
    }
    Optional<String> owner =
        allocator.given().entrySet().stream()
            .filter(entry -> entry.getValue().contains(ip.get()))
            .map(Map.Entry::getKey)
            .findFirst();
    if (owner.isEmpty()) {
      return refused(
          "Nobody on this node has " + text + ".", "See who has what with 'sund ipam show'.");
    }
    if (TunnelAddresses.isOwner(owner.get())) {
      return refused(
          text + " is the address of this node's tunnels.",
          "It is given back when no pool wraps packets any more.");
    }
    Optional<Attachment> attachment =
        pods.attachments().stream().filter(each -> each.key().equals(owner.get())).findFirst();
    if (attachment.isPresent()) {
      if (!LostPods.isGone(attachment.get(), devices.names())) {
        return refused(
            text + " belongs to pod " + attachment.get().pod() + ", which lives.",
            "Delete the pod, or have its runtime send DEL.");
      }
      pods.detach(owner.get());
    }
    Map<String, Object> done = new LinkedHashMap<>();
    done.put("released", allocator.release(owner.get()).stream().map(Ip::toString).toList());
    done.put("of", owner.get());
    return Answer.success(done);
  }

  private static Answer refused(String message, String remedy) {
    return Answer.error("1.0.0", 1, message, remedy);
  }

  /** Ends the thread. Idempotent. */
  @Override
  public void close() throws InterruptedException {
    thread.interrupt();
    if (thread.isAlive()) {
      thread.join(Duration.ofSeconds(2));
    }
  }
}

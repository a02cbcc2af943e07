package dev.sund.agent.addresses;

import dev.sund.agent.cni.AddressSource;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.CniRequest;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.ipam.AddressPlan;
import dev.sund.engine.ipam.AddressPool;
import dev.sund.engine.ipam.AddressRequest;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.engine.ipam.AddressWishes;
import dev.sund.engine.ipam.Allocation;
import dev.sund.engine.ipam.Allocator;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The addresses of the pods' own network. Where a configuration says {@code ipam: {type: given}},
 * somebody else chooses them and hands them over; else they come from the node's allocator, also
 * those that the runtime asks for by the capability {@code ips}. Many threads at once.
 */
public final class NodeAddresses implements AddressSource {
  private static final String GIVEN = "given";
  private static final String OWN = "sund";

  private final Allocator allocator;
  private final AddressPlan plan;
  private final AddressSettings settings;
  private final AddressSource given = AddressSource.given();
  private volatile Supplier<Collection<Attachment>> attachments = List::of;
  private volatile Runnable changed = () -> {};

  /**
   * Addresses of a node.
   *
   * @param plan what the cluster says of them; follows the events that {@link #see} is told
   */
  public NodeAddresses(Allocator allocator, AddressPlan plan, AddressSettings settings) {
    this.allocator = allocator;
    this.plan = plan;
    this.settings = settings;
  }

  /** Where to ask what is attached; before the first ADD. */
  public void follow(Supplier<Collection<Attachment>> attached) {
    attachments = attached;
  }

  /** Whom to wake when the pools may have changed. */
  void onChange(Runnable wake) {
    changed = wake;
  }

  /** Takes an event of the cluster in, before whoever else hears of it. */
  public void see(ClusterEvent event) {
    plan.see(event);
    boolean node = event instanceof ClusterEvent.NodeSeen || event instanceof ClusterEvent.NodeGone;
    if (node && settings.mode() == Mode.KUBERNETES) {
      allocator.ranges(plan.ranges());
    }
    boolean reservation =
        event instanceof ClusterEvent.ReservationSeen
            || event instanceof ClusterEvent.ReservationGone;
    if ((reservation || node) && settings.mode() == Mode.KUBERNETES) {
      reserve();
    }
    if (settings.mode() == Mode.POOLS && mayMatter(event)) {
      changed.run();
    }
  }

  private static boolean mayMatter(ClusterEvent event) {
    return event instanceof ClusterEvent.PoolSeen
        || event instanceof ClusterEvent.PoolGone
        || event instanceof ClusterEvent.LayerSeen
        || event instanceof ClusterEvent.LayerGone
        || event instanceof ClusterEvent.ReservationSeen
        || event instanceof ClusterEvent.ReservationGone
        || event instanceof ClusterEvent.Synced;
  }

  /** Whether addresses come from pools. */
  boolean fromPools() {
    return settings.mode() == Mode.POOLS;
  }

  /** With pools, takes up what the cluster says now; waits for whoever is being served. */
  void learn() {
    if (settings.mode() == Mode.POOLS) {
      allocator.know(plan.pools());
      reserve();
    }
  }

  /** Does what is due and not urgent; waits for the API server. */
  public void maintain() throws InterruptedException {
    allocator.maintain();
  }

  /**
   * Whether pods could get addresses if the runtime asked for them now, or later when others give
   * theirs back: false while the cluster has not given the node a range.
   */
  public boolean mayGive() {
    return settings.mode() == Mode.POOLS || !plan.ranges().isEmpty();
  }

  private void reserve() {
    List<Prefix> reserved = new ArrayList<>(settings.reserved());
    reserved.addAll(plan.reservations());
    reserved.addAll(plan.nodeAddresses());
    allocator.reserve(reserved);
  }

  @Override
  public List<Ip> assign(CniRequest request, PodKey pod, Map<String, String> annotations)
      throws CniException, InterruptedException {
    String type = type(request);
    if (type.equals(GIVEN)) {
      List<Ip> chosen = given.assign(request, pod, annotations);
      allocator.note(request.key(), pod, chosen);
      return chosen;
    }
    inherit(request, pod);
    AddressWishes wishes = wishes(request, pod, annotations);
    if (!wishes.unmanaged().isEmpty()) {
      return unmanaged(request, pod, wishes.unmanaged());
    }
    return switch (allocator.allocate(request(request, pod, wishes))) {
      case Allocation.Given(List<Ip> addresses) -> addresses;
      case Allocation.Refused(Condition why, boolean passing) ->
          throw refusal(passing ? Code.TRY_AGAIN_LATER : code(why), why);
    };
  }

  /** A sandbox made anew for the same pod keeps its predecessor's addresses. */
  private void inherit(CniRequest request, PodKey pod) {
    String uid = request.podUid();
    for (Attachment other : attachments.get()) {
      if (!uid.isEmpty()
          && other.uid().equals(uid)
          && other.interfaceName().equals(request.interfaceName())
          && !other.key().equals(request.key())) {
        allocator.handOver(other.key(), request.key(), pod);
      }
    }
  }

  /** What the runtime asks for goes before what annotations do. */
  private AddressWishes wishes(CniRequest request, PodKey pod, Map<String, String> annotations)
      throws CniException {
    Map<String, String> around = plan.annotations(pod.namespace());
    if (!request.config().runtime().addresses().isEmpty()
        || (annotations.isEmpty() && around.isEmpty())) {
      return AddressWishes.NONE;
    }
    AddressWishes wishes =
        switch (AddressWishes.read(pod.toString(), annotations, pod.namespace(), around)) {
          case AddressWishes.Reading.Read(var read) -> read;
          case AddressWishes.Reading.Refused(var why) -> throw refusal(Code.INVALID_CONFIG, why);
        };
    if (settings.mode() == Mode.KUBERNETES && !wishes.pools().isEmpty()) {
      throw refusal(
          Code.INVALID_CONFIG,
          wishes
              .pools()
              .values()
              .iterator()
              .next()
              .refused(
                  "Pods have addresses of their nodes' ranges, not of pools.",
                  "Set ipam: pools in the Fabric, or remove the annotation."));
    }
    return wishes;
  }

  /** Addresses that nobody looks after: only that no two pods of this node have one is seen to. */
  private List<Ip> unmanaged(CniRequest request, PodKey pod, List<Ip> chosen) throws CniException {
    if (!allocator.note(request.key(), pod, chosen)) {
      throw new CniException(
          Code.ADDRESS_IN_USE,
          "Pod "
              + pod
              + " metadata.annotations["
              + AddressWishes.UNMANAGED
              + "]: another pod of this node has one of "
              + chosen
              + ".",
          "Write another address, or delete the other pod first.");
    }
    return chosen;
  }

  private List<AddressPool> pools(PodKey pod, AddressWishes wishes) throws CniException {
    if (settings.mode() == Mode.KUBERNETES) {
      return List.of();
    }
    if (!wishes.addresses().isEmpty()) {
      return plan.poolsAsked();
    }
    return switch (plan.poolsFor(pod.namespace(), wishes.pools())) {
      case AddressPlan.Choice.Pools(var pools) -> pools;
      case AddressPlan.Choice.Refused(var why) -> throw refusal(Code.INVALID_CONFIG, why);
    };
  }

  private AddressRequest request(CniRequest request, PodKey pod, AddressWishes wishes)
      throws CniException, InterruptedException {
    List<AddressPool> pools = pools(pod, wishes);
    if (!wishes.addresses().isEmpty()) {
      // As with Calico: these addresses, and none of another family.
      Set<Family> families = EnumSet.noneOf(Family.class);
      wishes.addresses().forEach(ip -> families.add(ip.family()));
      return new AddressRequest(
          request.key(), pod, request.podUid(), families, wishes.addresses(), pools);
    }
    List<Ip> fixed =
        request.config().runtime().addresses().isEmpty()
            ? List.of()
            : given.assign(request, pod, Map.of()); // which checks that there is one of a family
    List<Prefix> ranges =
        settings.mode() == Mode.POOLS
            ? pools.stream().map(AddressPool::cidr).toList()
            : plan.ranges();
    Set<Family> families = EnumSet.copyOf(AddressPlan.families(ranges));
    if (ranges.isEmpty() && !fixed.isEmpty()) {
      families.clear();
    }
    fixed.forEach(ip -> families.add(ip.family()));
    return new AddressRequest(request.key(), pod, request.podUid(), families, fixed, pools);
  }

  private static String type(CniRequest request) throws CniException {
    Object ipam = request.config().fields().getOrDefault("ipam", Map.of());
    Object type = ipam instanceof Map<?, ?> fields ? fields.get("type") : ipam;
    if (type == null || type.equals(OWN)) {
      return OWN;
    }
    if (type.equals(GIVEN)) {
      return GIVEN;
    }
    throw new CniException(
        Code.UNSUPPORTED_FIELD,
        "Network "
            + request.config().name()
            + ": ipam.type '"
            + type
            + "' gives no addresses to the plugin sund.",
        "Leave ipam out: the agent gives addresses itself. host-local goes with type bridge.");
  }

  @Override
  public void release(String attachmentKey) {
    allocator.release(attachmentKey);
  }

  @Override
  public void keepOnly(Set<String> attachmentKeys) {
    for (String owner : allocator.given().keySet()) {
      if (!attachmentKeys.contains(owner) && !TunnelAddresses.isOwner(owner)) {
        allocator.release(owner);
      }
    }
  }

  @Override
  public void status(CniRequest request) throws CniException, InterruptedException {
    if (type(request).equals(GIVEN)) {
      return;
    }
    PodKey nobody = new PodKey("-", "status");
    List<AddressPool> pools = settings.mode() == Mode.POOLS ? plan.poolsFor("-") : List.of();
    List<Prefix> ranges =
        pools.isEmpty() ? plan.ranges() : pools.stream().map(AddressPool::cidr).toList();
    Allocation answer =
        allocator.probe(
            new AddressRequest(
                "status", nobody, "", AddressPlan.families(ranges), List.of(), pools));
    if (answer instanceof Allocation.Refused(Condition why, _)) {
      throw refusal(Code.NOT_AVAILABLE, why);
    }
  }

  private static Code code(Condition why) {
    return why.reason() == Reason.ADDRESS_NOT_AVAILABLE
        ? Code.ADDRESS_IN_USE
        : Code.NO_ADDRESS_LEFT;
  }

  private static CniException refusal(Code code, Condition why) {
    return new CniException(
        code,
        why.object()
            + (why.field().isEmpty() ? "" : " " + why.field())
            + ": "
            + why.text()
            + " ["
            + why.reason().code()
            + "]",
        why.remedy());
  }
}

package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.program.LocalPod;
import dev.sund.kernel.route.Link;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The pods' own network, plugin {@code sund}: a routed veth, enforced by the node's packet program.
 */
public final class RoutedNetwork implements NetworkKind {
  /** The plugin's name in a conflist. */
  public static final String TYPE = "sund";

  /** What a runtime may hand over in {@code runtimeConfig}. */
  public static final List<String> CAPABILITIES =
      List.of("ips", "mac", "portMappings", "bandwidth");

  private static final Set<String> KEYS = Set.of("ipam");

  private final PodNetworks pods;
  private final AddressSource addresses;
  private final PodSource known;
  private final BandwidthLimits limits;

  /**
   * The network of the pods that {@code pods} attaches.
   *
   * @param known who knows the pods that a kubelet's runtime names
   * @param limits of what pods receive and send, where the runtime wants some
   */
  public RoutedNetwork(
      PodNetworks pods, AddressSource addresses, PodSource known, BandwidthLimits limits) {
    this.pods = pods;
    this.limits = limits;
    this.known = known;
    this.addresses = addresses;
  }

  @Override
  public Set<String> types() {
    return Set.of(TYPE, Marks.PLUGIN);
  }

  @Override
  public CniResult add(CniRequest request) throws CniException, InterruptedException {
    request.config().refuseUnknownKeys(KEYS);
    refuseUnknownCapabilities(request);
    Optional<Bandwidth> bandwidth = limits.asked(request);
    refuseRepeat(request);
    // A runtime without Kubernetes (podman, ctr): the container is its own pod.
    PodKey pod = request.pod().orElse(new PodKey("-", request.containerId()));
    Optional<String> reason = pods.notReady();
    if (reason.isPresent()) {
      throw new CniException(
          Code.TRY_AGAIN_LATER,
          reason.get(),
          "The runtime tries again by itself; if it lasts, look at the agent's /readyz and log.");
    }
    KnownPod asked = known(request);
    List<Ip> given = addresses.assign(request, pod, asked.annotations());
    boolean kept = false;
    try {
      Attachment attachment =
          new Attachment(
              request.containerId(),
              request.interfaceName(),
              request.netns(),
              pod,
              asked.uid(),
              given,
              request.config().runtime().portMappings(),
              request.config().runtime().mac(),
              request.config().name());
      CniResult result = result(request, pods.attach(attachment));
      if (bandwidth.isPresent()) {
        result = limited(request, bandwidth.get(), result);
      }
      kept = true;
      return result;
    } finally {
      if (!kept) {
        addresses.release(request.key());
      }
    }
  }

  /** The pod's link stands and carries packets: limits hold from here on, before ADD's answer. */
  private CniResult limited(CniRequest request, Bandwidth bandwidth, CniResult made)
      throws CniException, InterruptedException {
    boolean kept = false;
    try {
      Optional<Link> queue = limits.put(request, bandwidth);
      kept = true;
      return queue.isEmpty() ? made : made.withInterface(CniResult.Interface.of(queue.get()));
    } finally {
      if (!kept) {
        pods.detach(request.key());
      }
    }
  }

  /** The pod; without uid for a container that is no pod of a cluster. */
  private KnownPod known(CniRequest request) throws CniException {
    Optional<PodKey> pod = request.pod();
    if (pod.isEmpty()) {
      return new KnownPod(request.podUid(), Map.of());
    }
    Optional<KnownPod> told = known.pod(pod.get(), request.podUid());
    if (!request.podUid().isEmpty()) {
      // A static pod's mirror has another uid.
      return new KnownPod(request.podUid(), told.map(KnownPod::annotations).orElse(Map.of()));
    }
    return told.orElseThrow(() ->
        new CniException(
            Code.TRY_AGAIN_LATER,
            "Pod " + pod.get() + " is not in the API, and CNI_ARGS has no K8S_POD_UID.",
            "The runtime tries again by itself; newer ones say the uid."));
  }

  /** What a runtime wants for the container must not be without effect. */
  private static void refuseUnknownCapabilities(CniRequest request) throws CniException {
    for (String name : request.config().runtime().fields().keySet()) {
      if (!CAPABILITIES.contains(name)) {
        throw new CniException(
            Code.UNSUPPORTED_FIELD,
            "Network "
                + request.config().name()
                + ": runtimeConfig."
                + name
                + " is not a capability of this plugin.",
            "Set in capabilities only " + String.join(", ", CAPABILITIES) + ".");
      }
    }
  }

  /** An interface that exists is an error, even if it is exactly this one (C1). */
  private void refuseRepeat(CniRequest request) throws CniException {
    if (pods.isAttached(request.key())) {
      throw new CniException(
          Code.INTERFACE_EXISTS,
          "CNI_IFNAME '"
              + request.interfaceName()
              + "' of container "
              + request.containerId()
              + " has its network already.",
          "Call DEL first, then ADD.");
    }
  }

  @Override
  public void delete(CniRequest request) throws CniException, InterruptedException {
    // A namespace that is gone already is the usual case; so is a second DEL.
    pods.detach(request.key());
    limits.removeIfThere(request);
    addresses.release(request.key());
    request.pod().ifPresent(known::left);
  }

  @Override
  public void check(CniRequest request) throws CniException, InterruptedException {
    Attachment attachment = pods.check(request.key());
    List<Ip> said =
        request.config().previous().orElse(CniResult.EMPTY).addresses().stream()
            .map(address -> address.address().ip())
            .toList();
    for (Ip ip : attachment.addresses()) {
      if (!said.contains(ip)) {
        throw new CniException(
            Code.DIFFERS,
            "Pod " + attachment.pod() + " has address " + ip + ", which prevResult does not list.",
            "The runtime should make the sandbox anew.");
      }
    }
    Optional<Bandwidth> bandwidth = limits.asked(request);
    if (bandwidth.isPresent()) {
      limits.check(request, bandwidth.get());
    }
  }

  @Override
  public void collect(CniRequest request, Set<String> valid)
      throws CniException, InterruptedException {
    List<CniException> failures = new ArrayList<>();
    Set<String> kept = new LinkedHashSet<>();
    for (Attachment attachment : List.copyOf(pods.attachments())) {
      boolean others =
          !attachment.network().isEmpty() && !attachment.network().equals(request.config().name());
      if (others || valid.contains(attachment.key())) {
        kept.add(attachment.key());
        continue;
      }
      try {
        pods.detach(attachment.key());
      } catch (CniException e) {
        kept.add(attachment.key());
        failures.add(e);
      }
    }
    limits.keepOnly(request.config().name(), kept);
    addresses.keepOnly(kept);
    if (!failures.isEmpty()) {
      CniException first = failures.getFirst();
      throw new CniException(
          first.code(),
          failures.size() + " of the attachments to remove are left: " + first.getMessage(),
          first.details());
    }
  }

  @Override
  public void status(CniRequest request) throws CniException, InterruptedException {
    request.config().refuseUnknownKeys(KEYS);
    Optional<String> reason = pods.notReady();
    if (reason.isPresent()) {
      throw new CniException(Code.NOT_AVAILABLE, reason.get(), "Look at the agent's status.");
    }
    limits.asked(request);
    addresses.status(request);
  }

  /** Both ends of the link, addresses, default routes. */
  private static CniResult result(CniRequest request, LocalPod pod) {
    List<CniResult.Address> addresses = new ArrayList<>();
    List<CniResult.Route> routes = new ArrayList<>();
    for (Ip ip : pod.addresses()) {
      Family family = ip.family();
      Ip gateway = family == Family.V4 ? Marks.GATEWAY_V4 : Marks.GATEWAY_V6;
      addresses.add(
          new CniResult.Address(
              Optional.of(1), new InterfaceAddress(ip, family.bits()), Optional.of(gateway)));
      routes.add(new CniResult.Route(Prefix.all(family), Optional.of(gateway)));
    }
    return new CniResult(
        List.of(
            new CniResult.Interface(pod.device(), Marks.GATEWAY_MAC.toString(), ""),
            new CniResult.Interface(
                request.interfaceName(), pod.mac().toString(), request.netns())),
        addresses,
        routes,
        Map.of());
  }
}

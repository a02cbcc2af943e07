package dev.sund.agent;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.KnownPod;
import dev.sund.agent.cni.PodSource;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.ipam.AddressWishes;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The pods of this node: as the watch has told them, and what it has not told yet as the API server
 * says when it is asked. A runtime may be quicker than the watch; a pod of which nothing can be
 * known gets no network, since nobody could say which rules are its own.
 *
 * <p>What the API server says is told to the node's program as if the watch had: a pod's policies
 * stand before it has its network. The watch comes to the same words by itself, and has the last.
 */
final class PodDirectory implements PodSource {
  /** Asks the API server. */
  @FunctionalInterface
  interface Asking {
    /** The object at a path; empty when there is none. */
    Optional<Tree.Mapping> read(String path) throws IOException;
  }

  private static final ApiPath PODS = ApiPath.of("v1", "pods");

  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final NodeName node;
  private final Asking api;
  private final LongSupplier nanos;
  private volatile Loss loss = new Loss(0, "");
  private final Consumer<ClusterEvent> told;

  /** As the watch has told them. */
  private final Map<PodKey, Pod> pods = new ConcurrentHashMap<>();

  /** Those that were told because somebody asked, and that the watch has not told since. */
  private final Set<PodKey> asked = new HashSet<>();

  /**
   * A directory that knows nothing yet.
   *
   * @param told takes what the API server says of a pod that the watch has not told
   * @param nanos a monotonic clock
   */
  PodDirectory(NodeName node, Asking api, Consumer<ClusterEvent> told, LongSupplier nanos) {
    this.node = node;
    this.api = api;
    this.told = told;
    this.nanos = nanos;
  }

  /** Hears an event of the cluster, before the node's program does. */
  void see(ClusterEvent event) {
    if (event instanceof ClusterEvent.PodSeen(Pod pod)) {
      synchronized (asked) {
        asked.remove(pod.key());
        if (isHere(pod)) {
          pods.put(pod.key(), pod);
        } else {
          pods.remove(pod.key());
        }
      }
    } else if (event instanceof ClusterEvent.PodGone(PodKey pod)) {
      synchronized (asked) {
        asked.remove(pod);
        pods.remove(pod);
      }
    }
  }

  private boolean isHere(Pod pod) {
    return pod.node().equals(Optional.of(node));
  }

  @Override
  public Optional<KnownPod> pod(PodKey key, String uid) throws CniException {
    Pod known = pods.get(key);
    if (known != null && known.isKnownAs(uid)) {
      return Optional.of(new KnownPod(known.uid(), known.annotations()));
    }
    Loss before = loss;
    if (before.at + PATIENCE.toNanos() > nanos.getAsLong() && !before.why.isEmpty()) {
      throw unknown(key, before.why);
    }
    try {
      Optional<Tree.Mapping> object = api.read(PODS.in(key.namespace()).named(key.name()));
      object.flatMap(PodDirectory::parsed).ifPresent(pod -> tell(pod, uid));
      return object.flatMap(found -> found.mapping("metadata")).flatMap(PodDirectory::known);
    } catch (IOException e) {
      String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      loss = new Loss(nanos.getAsLong(), why);
      throw unknown(key, why);
    }
  }

  private static Optional<Pod> parsed(Tree.Mapping object) {
    return Kinds.POD
        .ref(object)
        .flatMap(ref -> Kinds.POD.parse(ref, object).value())
        .flatMap(event ->
            event instanceof ClusterEvent.PodSeen(Pod pod) ? Optional.of(pod) : Optional.empty());
  }

  /** Unless the watch has told it meanwhile: that is younger. */
  private void tell(Pod pod, String uid) {
    synchronized (asked) {
      Pod known = pods.get(pod.key());
      if (isHere(pod) && (known == null || !known.isKnownAs(uid))) {
        asked.add(pod.key());
        told.accept(new ClusterEvent.PodSeen(pod));
      }
    }
  }

  @Override
  public void left(PodKey pod) {
    synchronized (asked) {
      if (asked.remove(pod)) {
        Pod was = pods.get(pod);
        told.accept(was == null ? new ClusterEvent.PodGone(pod) : new ClusterEvent.PodSeen(was));
      }
    }
  }

  private static Optional<KnownPod> known(Tree.Mapping metadata) {
    Tree.Mapping written = metadata.mapping("annotations").orElse(Tree.Mapping.of(Map.of()));
    Map<String, String> annotations = new TreeMap<>();
    for (String key : AddressWishes.KEYS) {
      written.text(key).ifPresent(value -> annotations.put(key, value));
    }
    return metadata.text("uid").map(uid -> new KnownPod(uid, annotations));
  }

  /** Pods that come in a burst do not each wait for a server that does not answer. */
  private record Loss(long at, String why) {}

  private static CniException unknown(PodKey pod, String why) {
    return new CniException(
        Code.TRY_AGAIN_LATER,
        "Pod " + pod + " is not known here yet, and the API server cannot be asked: " + why + ".",
        "The runtime tries again by itself; see 'sund status' for the API server.");
  }
}

package dev.sund.agent;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.KnownPod;
import dev.sund.agent.cni.PodSource;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.ipam.AddressWishes;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.tree.Tree;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * The pods of this node: as the watch has told them, and what it has not told yet as the API server
 * says when it is asked. A runtime may be quicker than the watch; a pod of which nothing can be
 * known gets no network, since nobody could say which rules are its own.
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
  private final Map<PodKey, KnownPod> pods = new ConcurrentHashMap<>();

  /**
   * A directory that knows nothing yet.
   *
   * @param nanos a monotonic clock
   */
  PodDirectory(NodeName node, Asking api, LongSupplier nanos) {
    this.node = node;
    this.api = api;
    this.nanos = nanos;
  }

  /** Hears an event of the cluster. */
  void see(ClusterEvent event) {
    if (event instanceof ClusterEvent.PodSeen(Pod pod)) {
      if (pod.node().equals(Optional.of(node))) {
        pods.put(pod.key(), new KnownPod(pod.uid(), pod.annotations()));
      } else {
        pods.remove(pod.key());
      }
    } else if (event instanceof ClusterEvent.PodGone(PodKey pod)) {
      pods.remove(pod);
    }
  }

  @Override
  public Optional<KnownPod> pod(PodKey pod) throws CniException {
    KnownPod known = pods.get(pod);
    if (known != null) {
      return Optional.of(known);
    }
    Loss before = loss;
    if (before.at + PATIENCE.toNanos() > nanos.getAsLong() && !before.why.isEmpty()) {
      throw unknown(pod, before.why);
    }
    try {
      return api.read(PODS.in(pod.namespace()).named(pod.name()))
          .flatMap(object -> object.mapping("metadata"))
          .flatMap(PodDirectory::known);
    } catch (IOException e) {
      String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      loss = new Loss(nanos.getAsLong(), why);
      throw unknown(pod, why);
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

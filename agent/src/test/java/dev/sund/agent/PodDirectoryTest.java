package dev.sund.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.KnownPod;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Pod;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PodDirectoryTest {
  private static final PodKey WEB = new PodKey("shop", "web");

  private final List<String> asked = new ArrayList<>();
  private final List<ClusterEvent> events = new ArrayList<>();
  private Optional<Pod> inApi = Optional.empty();
  private long now = 5;
  private Optional<String> uidInApi = Optional.empty();
  private boolean broken;
  private final PodDirectory directory =
      new PodDirectory(
          new NodeName("n1"),
          path -> {
            asked.add(path);
            if (broken) {
              throw new IOException("connection reset");
            }
            if (inApi.isPresent()) {
              return inApi.map(PodDirectoryTest::object);
            }
            return uidInApi.map(uid ->
                Tree.Mapping.of(
                    Map.of("metadata", Tree.Mapping.of(Map.of("uid", Tree.Scalar.text(uid))))));
          },
          events::add,
          () -> now);

  @Test
  void whatTheWatchHasToldNeedsNoQuestion() throws Exception {
    broken = true;
    directory.see(new ClusterEvent.PodSeen(pod("n1")));
    assertThat(directory.pod(WEB, "").map(KnownPod::uid)).contains("uid-1");
    assertThat(asked).isEmpty();
  }

  @Test
  void whatTheWatchHasNotToldIsAskedFor() throws Exception {
    uidInApi = Optional.of("uid-2");
    assertThat(directory.pod(WEB, "").map(KnownPod::uid)).contains("uid-2");
    assertThat(asked).containsExactly("/api/v1/namespaces/shop/pods/web");
  }

  @Test
  void aPodOfWhichTheApiKnowsNothingIsNoError() throws Exception {
    assertThat(directory.pod(WEB, "").map(KnownPod::uid)).isEmpty();
  }

  @Test
  void aGonePodAndOneOfAnotherNodeAreAskedFor() throws Exception {
    directory.see(new ClusterEvent.PodSeen(pod("n1")));
    directory.see(new ClusterEvent.PodGone(WEB));
    assertThat(directory.pod(WEB, "").map(KnownPod::uid)).isEmpty();
    directory.see(new ClusterEvent.PodSeen(pod("n2")));
    assertThat(directory.pod(WEB, "").map(KnownPod::uid)).isEmpty();
    assertThat(asked).hasSize(2);
  }

  @Test
  void withoutAnApiServerAnUnknownPodMustWait() throws Exception {
    broken = true;
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> directory.pod(WEB, ""))
          .isInstanceOfSatisfying(
              CniException.class,
              e -> assertThat(e.code()).isEqualTo(CniException.Code.TRY_AGAIN_LATER))
          .hasMessage(
              "Pod shop/web is not known here yet, and the API server cannot be asked:"
                  + " connection reset.");
    }
    assertThat(asked).as("a burst asks once").hasSize(1);
    now += 2_000_000_000L;
    broken = false;
    uidInApi = Optional.of("uid-3");
    assertThat(directory.pod(WEB, "").map(KnownPod::uid)).contains("uid-3");
  }

  /** N20: what policies go by stands before the pod has its network. */
  @Test
  void whatTheApiSaysIsToldAsIfTheWatchHad() throws Exception {
    inApi = Optional.of(pod("n1", "uid-2").with(Map.of("app", "web")));
    directory.pod(WEB, "uid-2");
    assertThat(events).containsExactly(new ClusterEvent.PodSeen(inApi.get()));
  }

  /** N20: a pod's predecessor says nothing about it. */
  @Test
  void aPodOfAnotherUidThanTheWatchToldIsAskedFor() throws Exception {
    directory.see(new ClusterEvent.PodSeen(pod("n1")));
    inApi = Optional.of(pod("n1", "uid-2"));
    assertThat(directory.pod(WEB, "uid-2").map(KnownPod::uid)).contains("uid-2");
    assertThat(events).containsExactly(new ClusterEvent.PodSeen(inApi.get()));
  }

  @Test
  void whatOnlyTheApiSaidIsForgottenWithThePod() throws Exception {
    inApi = Optional.of(pod("n1"));
    directory.pod(WEB, "uid-1");
    directory.left(WEB);
    directory.left(WEB);
    assertThat(events)
        .containsExactly(new ClusterEvent.PodSeen(inApi.get()), new ClusterEvent.PodGone(WEB));
    directory.pod(WEB, "uid-1");
    directory.see(new ClusterEvent.PodSeen(inApi.get()));
    directory.left(WEB);
    assertThat(events).as("the watch will tell its end").hasSize(3);
  }

  private static Tree.Mapping object(Pod pod) {
    try {
      return (Tree.Mapping)
          JsonTrees.parse(
              """
              {"apiVersion":"v1","kind":"Pod",
               "metadata":{"name":"web","namespace":"shop","uid":"%s","labels":{%s}},
               "spec":{"nodeName":"n1"},
               "status":{"podIP":"10.244.1.9"}}
              """
                  .formatted(pod.uid(), pod.labels().isEmpty() ? "" : "\"app\":\"web\""));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Pod pod(String node) {
    return pod(node, "uid-1");
  }

  private static Pod pod(String node, String uid) {
    return new Pod(
        WEB,
        uid,
        0,
        Optional.of(new NodeName(node)),
        false,
        false,
        List.of(Ip.parse("10.244.1.9")),
        List.of());
  }
}

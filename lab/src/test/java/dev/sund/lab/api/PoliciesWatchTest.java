package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Policy;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Policies as an agent hears of them. */
class PoliciesWatchTest {
  private static final String CLOSED =
      "{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','metadata':{'namespace':'shop',"
          + "'name':'closed'},'spec':{'podSelector':{}%s}}";

  private final WatchScene scene = new WatchScene();

  @AfterEach
  void close() {
    scene.close();
  }

  /** Bad input is in force, and told beside it. */
  @Test
  void aPolicyWithAnErrorIsTold() throws Exception {
    scene.api.put(json(CLOSED.formatted(",'policyTypes':['Inwards']")));
    scene.watch().synced();
    assertThat(scene.events())
        .filteredOn(ClusterEvent.PolicySeen.class::isInstance)
        .singleElement()
        .satisfies(event ->
            assertThat(((ClusterEvent.PolicySeen) event).conditions())
                .extracting(condition -> condition.reason())
                .containsOnly(Reason.POLICY_NOT_UNDERSTOOD));
  }

  @Test
  void howFarPoliciesAreToldIsTold() throws Exception {
    scene.api.put(json(CLOSED.formatted("")));
    scene.watch().synced();
    long first = scene.api.resourceVersion();
    scene.api.put(json(CLOSED.formatted(",'policyTypes':['Egress']")));
    scene.untilState("NetworkPolicy shop/closed 2 []");
    scene.until(() ->
        scene.events().stream()
                .filter(ClusterEvent.PoliciesTold.class::isInstance)
                .map(ClusterEvent.PoliciesTold.class::cast)
                .filter(told -> told.kind().equals(Policy.NETWORK_POLICY))
                .mapToLong(ClusterEvent.PoliciesTold::version)
                .max()
                .orElse(0)
            > first);
  }

  /** N20: nobody could say which pods are to be closed. */
  @Test
  void withoutTheRightToReadPoliciesNothingIsTakenForKnown() throws Exception {
    scene.api.token("older", new Subject("older", List.of()));
    scene.api.allow(
        Rbac.parse(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: older}
            rules: []
            """));
    scene.watch(WatchScene.QUICK, "older");
    scene.until(() ->
        scene.reachability().stream()
            .flatMap(Optional::stream)
            .anyMatch(condition -> condition.text().contains("cannot be followed: 403")));
    assertThat(scene.events()).noneMatch(ClusterEvent.Synced.class::isInstance);
  }

  /** Their definition is no part of Kubernetes. */
  @Test
  void aServerWithoutPoliciesOfTheClusterIsNoTrouble() {
    scene.api.serves(Resource.CLUSTER_NETWORK_POLICIES, false);
    scene.watch().synced();
    assertThat(scene.reachability()).allMatch(Optional::isEmpty);
  }
}

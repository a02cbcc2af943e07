package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.json;
import static dev.sund.lab.api.Objects.namespace;
import static dev.sund.lab.api.Objects.pod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.policy.audit.AuditReport;
import dev.sund.engine.policy.audit.PolicyScene;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.policy.SceneObjects;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an API server has of a cluster's policies is audited as files are. */
class SceneObjectsTest {
  private final WatchScene scene = new WatchScene();

  @AfterEach
  void close() {
    scene.close();
  }

  @Test
  void policiesAndPodsAreAskedOfTheServerAndAKindThatItDoesNotKnowIsNone() throws Exception {
    scene.api.put(namespace("shop"));
    scene.api.put(pod("shop", "web", "n1", "10.244.1.5"));
    scene.api.put(
        json(
            "{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','metadata':{"
                + "'namespace':'shop','name':'deny'},'spec':{'podSelector':{}}}"));
    SceneObjects objects = new SceneObjects();
    ApiServer server = ApiServer.plain("127.0.0.1", scene.port(), "secret");
    try (ApiObjects api = new ApiObjects(server, Dialer.HERE, Duration.ofSeconds(30))) {
      objects.takeAll(api);
    }
    PolicyScene read = objects.scene();
    assertThat(read.policies()).hasSize(1);
    assertThat(read.pods()).hasSize(1);
    assertThat(read.assumptions()).isEmpty();
    assertThat(AuditReport.of(read).findings())
        .extracting(finding -> finding.key())
        .containsExactly("no-default-deny-egress Namespace shop", "reaches-internet Pod shop/web");
  }
}

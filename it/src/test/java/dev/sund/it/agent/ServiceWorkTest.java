package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an agent does about Services beside the packet program, with everything real. */
@Tag("netns")
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ServiceWorkTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  private AgentScene scene;

  @BeforeAll
  void build(@TempDir Path directory) throws Exception {
    scene = AgentScene.build(directory);
    // A cluster whose API server is behind a Service boots: nothing but the Service is there, and
    // agents reach the server at its own address.
    scene.api().put(service("default", "kubernetes", "ClusterIP", "10.96.0.1", ""));
    scene.api().put(slice("default", "kubernetes", "192.168.1.254", "", "{}", 6443));
    scene.startAgent(1);
    scene.awaitReady(1, Duration.ofSeconds(60));
  }

  @AfterAll
  void clear() throws IOException {
    scene.close();
  }

  private static Tree.Mapping json(String text) throws Exception {
    return (Tree.Mapping) JsonTrees.parse(text.replace('\'', '"'));
  }

  private static Tree.Mapping service(
      String namespace, String name, String type, String ip, String more) throws Exception {
    return json(
        ("{'apiVersion':'v1','kind':'Service','metadata':{'namespace':'%s','name':'%s'},'spec':"
                + "{'type':'%s','clusterIP':'%s','selector':{'app':'x'},'ports':[{'port':443}]%s}}")
            .formatted(namespace, name, type, ip, more));
  }

  private static Tree.Mapping slice(
      String namespace, String service, String ip, String node, String conditions, int port)
      throws Exception {
    String where = node.isEmpty() ? "" : ",'nodeName':'" + node + "'";
    return json(
        ("{'apiVersion':'discovery.k8s.io/v1','kind':'EndpointSlice','metadata':{'namespace':'%s',"
                + "'name':'%s-1','labels':{'kubernetes.io/service-name':'%s'},'annotations':"
                + "{'endpoints.kubernetes.io/last-change-trigger-time':'%s'}},"
                + "'addressType':'IPv4','ports':[{'port':%d}],"
                + "'endpoints':[{'addresses':['%s'],'conditions':%s%s}]}")
            .formatted(namespace, service, service, Instant.now(), port, ip, conditions, where));
  }

  /** What answers at a node's port; empty when nobody does. */
  private String ask(String address, int port, String path) throws Exception {
    try (Socket socket =
        scene
            .node(1)
            .call(() -> {
              Socket made = new Socket();
              made.setSoTimeout(20_000); // where nobody listens it is refused at once
              return made;
            })) {
      socket.connect(new InetSocketAddress(InetAddress.getByName(address), port), 20_000);
      socket
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.0\r\nHost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readNBytes(900), StandardCharsets.UTF_8);
    } catch (IOException _) {
      return "";
    }
  }

  private Map<String, Object> said(Map<String, Object> request) throws Exception {
    Answer answer = scene.client(1).ask(request);
    return Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
  }

  private Map<String, Object> shown(String service) throws Exception {
    return said(Map.of("command", "SERVICE", "verb", "show", "service", service));
  }

  @Test
  void aNodeThatKnowsNoServiceYetReachesTheServerThatIsBehindOne() throws Exception {
    scene.await(
        "the Service of the API server in the program",
        SOON,
        () -> !Json.children(shown("default/kubernetes"), "frontends").isEmpty());
    Map<String, Object> found = shown("default/kubernetes");
    assertThat(Json.children(found, "frontends").getFirst())
        .containsEntry("address", "10.96.0.1")
        .containsEntry("origin", "cluster-ip");
    assertThat(Json.children(found, "endpoints").getFirst())
        .containsEntry("address", "192.168.1.254")
        .containsEntry("use", "used")
        .containsEntry("connections", 0L);
    assertThat(Json.children(said(Map.of("command", "SERVICE", "verb", "list")), "services"))
        .extracting(one -> one.get("name"))
        .contains("kubernetes");
  }

  @Test
  void aServiceThatIsNotThereIsSaid() throws Exception {
    assertThat(shown("default/nobody")).containsEntry("msg", "There is no Service default/nobody.");
    assertThat(shown("nobody").get("msg")).asString().contains("NAMESPACE/NAME");
  }

  @Test
  void s11HealthCheckNodePortsFollowTheReadyEndpointsOfThisNode() throws Exception {
    String local = ",'externalTrafficPolicy':'Local','healthCheckNodePort':32000";
    scene.api().put(service("shop", "web", "LoadBalancer", "10.96.0.20", local));
    scene.await("an answer", SOON, () -> ask("192.168.1.11", 32000, "/").contains(" 503 "));
    assertThat(ask("192.168.1.11", 32000, "/healthz"))
        .contains("X-Load-Balancing-Endpoint-Weight: 0")
        .endsWith(
            "{\"service\":{\"namespace\":\"shop\",\"name\":\"web\"},\"localEndpoints\":0,"
                + "\"serviceProxyHealthy\":true}");

    scene.api().put(slice("shop", "web", "10.244.2.5", "n2", "{'ready':true}", 8080));
    scene.api().put(slice("shop", "web", "10.244.1.5", "n1", "{'ready':true}", 8080));
    scene.await("an endpoint", SOON, () -> ask("fd00:192:168:1::11", 32000, "/").contains(" 200 "));
    assertThat(ask("192.168.1.11", 32000, "/")).contains("Endpoint-Weight: 1");

    scene
        .api()
        .put(
            slice(
                "shop",
                "web",
                "10.244.1.5",
                "n1",
                "{'ready':false,'serving':true,'terminating':true}",
                8080));
    scene.await("no ready endpoint", SOON, () -> ask("192.168.1.11", 32000, "/").contains(" 503 "));

    scene.api().put(service("shop", "web", "LoadBalancer", "10.96.0.20", ""));
    scene.await("silence", SOON, () -> ask("192.168.1.11", 32000, "/").isEmpty());
    scene.api().delete(Resource.SERVICES, "shop/web");
  }

  @Test
  void kubeProxysPagesAreWhereItsConfigurationPutsThemAndFollowIt() throws Exception {
    assertThat(scene.get(1, "/proxyMode")).endsWith("nftables");
    assertThat(scene.get(1, "/livez")).contains(" 200 ");
    scene.api().put(configMap("healthzBindAddress: 0.0.0.0:10256"));
    scene.await("pages", SOON, () -> ask("192.168.1.11", 10256, "/healthz").contains(" 200 "));
    scene.api().put(configMap("metricsBindAddress: 127.0.0.1:10249"));
    scene.await("others", SOON, () -> ask("127.0.0.1", 10249, "/proxyMode").contains("nftables"));
    scene.await("those gone", SOON, () -> ask("192.168.1.11", 10256, "/healthz").isEmpty());
    scene.api().delete(Resource.CONFIG_MAPS, "kube-system/kube-proxy");
    scene.await("all gone", SOON, () -> ask("127.0.0.1", 10249, "/healthz").isEmpty());
  }

  private static Tree.Mapping configMap(String line) throws Exception {
    String config =
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\\nkind: KubeProxyConfiguration\\n" + line;
    return json(
        ("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':'kube-system',"
                + "'name':'kube-proxy'},'data':{'config.conf':'%s'}}")
            .formatted(config));
  }

  @Test
  void theTimeFromAChangeToTheKernelIsMeasuredByKubeProxysName() throws Exception {
    String count = "kubeproxy_network_programming_duration_seconds_count";
    double before = scene.metric(1, count);
    scene.api().put(service("shop", "timed", "ClusterIP", "10.96.0.30", ""));
    scene.api().put(slice("shop", "timed", "10.244.2.6", "n2", "{}", 8080));
    scene.await("a measurement", SOON, () -> scene.metric(1, count) > before);
    assertThat(scene.metric(1, "kubeproxy_network_programming_duration_seconds_sum"))
        .as("seconds, of one machine's clock")
        .isLessThan(20 * scene.metric(1, count));
    for (String name :
        List.of(
            "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
            "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds",
            "kubeproxy_sync_proxy_rules_duration_seconds_count",
            "kubeproxy_sync_proxy_rules_service_changes_total",
            "kubeproxy_sync_proxy_rules_endpoint_changes_total")) {
      assertThat(scene.metric(1, name)).as(name).isPositive();
    }
  }
}

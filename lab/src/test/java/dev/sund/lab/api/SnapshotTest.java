package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.json;
import static dev.sund.lab.api.Objects.namespace;
import static dev.sund.lab.api.Objects.node;
import static dev.sund.lab.api.Objects.pod;
import static dev.sund.lab.api.Objects.pool;
import static dev.sund.lab.api.Objects.service;
import static dev.sund.lab.api.Objects.slice;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.Manifests;
import dev.sund.kube.snapshot.Snapshot;
import dev.sund.kube.tree.Tree;
import dev.sund.model.ObjectRef;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A snapshot of a cluster is a manifest that means the same cluster, and nothing more. */
class SnapshotTest {
  private final WatchScene scene = new WatchScene();

  @AfterEach
  void close() {
    scene.close();
  }

  private Snapshot.Taken taken(String token) throws Exception {
    ApiServer server = ApiServer.plain("127.0.0.1", scene.port(), token);
    try (ApiObjects api = new ApiObjects(server, Dialer.HERE, Duration.ofSeconds(30))) {
      return Snapshot.take(api);
    }
  }

  @Test
  void meansTheSameClusterToTheLab() throws Exception {
    scene.api.put(node("n1", "192.168.1.11"));
    for (int i = 0; i < 700; i++) { // more than a page
      scene.api.put(pod("shop", "web-" + i, "n1", "10.244." + i / 250 + "." + (1 + i % 250)));
    }
    scene.api.put(namespace("shop"));
    scene.api.put(service("shop", "web", "10.96.0.10"));
    scene.api.put(slice("shop", "web-1", "web", "10.244.0.1"));
    scene.api.put(pool("projectcalico.org/v3", "all", "10.244.0.0/16", "Always"));
    scene.api.put(pool("crd.projectcalico.org/v1", "all", "10.244.0.0/16", "Never"));
    scene.api.put(
        json(
            "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':'kube-system',"
                + "'name':'calico-config'},'data':{'veth_mtu':'1440'}}"));
    scene.watch().synced();

    Snapshot.Taken taken = taken("secret");
    assertThat(taken.unread()).isEmpty();
    Manifests read = ManifestFiles.parse("snapshot.json", taken.json());
    assertThat(read.findings()).isEmpty();
    // The watch may tell one group's pool before it knows of the group that counts more.
    Map<ObjectRef, ClusterEvent> last = new LinkedHashMap<>();
    scene.events().forEach(event -> last.put(event.key(), event));
    assertThat(read.events()).containsExactlyInAnyOrderElementsOf(last.values());
    assertThat(taken.counts()).containsEntry("Pod", 700).containsEntry("IPPool", 1);
  }

  @Test
  void holdsNoSecretsAndNoEnvironmentValues() throws Exception {
    Tree.Mapping pod =
        json(
            "{'apiVersion':'v1','kind':'Pod','metadata':{'namespace':'shop','name':'web',"
                + "'annotations':{'note':'hush-a'}},'spec':{'nodeName':'n1','containers':[{"
                + "'name':'web','env':[{'name':'PASSWORD','value':'hush-b'}],"
                + "'args':['--token=hush-c'],'ports':[{'containerPort':80}]}],"
                + "'volumes':[{'secret':{'secretName':'hush-d'}}]}}");
    scene.api.put(pod);
    scene.api.put(
        json(
            "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':'shop',"
                + "'name':'settings'},'data':{'x':'hush-e'}}"));
    scene.api.put(
        json(
            "{'apiVersion':'apps/v1','kind':'DaemonSet','metadata':{'namespace':'kube-system',"
                + "'name':'calico-node'},'spec':{'template':{'spec':{'containers':[{"
                + "'name':'calico-node','env':["
                + "{'name':'DATASTORE_TYPE','value':'hush-f'},"
                + "{'name':'FELIX_VXLANMTU','value':'1410'},"
                + "{'name':'FELIX_VXLANVNI','value':'9'},"
                + "{'name':'CALICO_IPV4POOL_CIDR','value':'10.1.0.0/16'},"
                + "{'name':'CALICO_IPV4POOL_VXLAN','value':'CrossSubnet'}]}]}}}}"));
    String snapshot = taken("secret").json();
    assertThat(snapshot).doesNotContain("hush").doesNotContain("env").contains("web");
    Manifests read = ManifestFiles.parse("snapshot.json", snapshot);
    assertThat(read.fabric()).contains(new FabricSettings(9, 4789, OptionalInt.of(1410)));
    assertThat(snapshot)
        .contains("\"cidr\":\"10.1.0.0/16\"")
        .contains("\"vxlanMode\":\"CrossSubnet\"");
  }

  @Test
  void saysWhatTheServerDoesNotShow() throws Exception {
    scene.api.allow(Rbac.parse(""));
    scene.api.token("weak", new Subject("weak", List.of()));
    assertThat(taken("weak").unread())
        .hasSizeGreaterThan(3)
        .anyMatch(line -> line.startsWith("/api/v1/pods: ") && line.contains("cannot list"));
  }
}

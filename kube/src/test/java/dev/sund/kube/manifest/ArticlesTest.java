package dev.sund.kube.manifest;

import static dev.sund.model.RuleId.Direction.INGRESS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.model.Condition;
import dev.sund.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The listings in {@code examples/articles} mean to Sund what they meant to their readers. */
class ArticlesTest {
  @TempDir private Path folder;

  private static Manifests read(String name) {
    String file = System.getProperty("sund.root") + "/examples/articles/" + name;
    return ManifestFiles.read(List.of(file), InputStream.nullInputStream());
  }

  private static ClusterEvent only(String name) {
    Manifests read = read(name);
    assertThat(read.findings()).isEmpty();
    assertThat(read.objects()).hasSize(1);
    return read.events().getFirst();
  }

  /** As it comes when it is copied from a page that lost its indentation. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "2018-default-deny.yaml",
        "2021-network-policies.yaml",
        "2022-deny-all.yaml",
        "2022-ippool.yaml"
      })
  void aListingThatHasLostItsIndentationIsRefusedWithASentenceThatSaysSo(String name)
      throws IOException {
    Path listing = Path.of(System.getProperty("sund.root"), "examples/articles", name);
    Path flat =
        Files.writeString(
            folder.resolve(name), Files.readString(listing).replaceAll("(?m)^[ \\t]+", ""));

    Manifests read = ManifestFiles.read(List.of(flat.toString()), InputStream.nullInputStream());

    assertThat(read.objects()).isEmpty();
    assertThat(read.findings().getFirst().toString())
        .contains(name, "the text has lost its indentation", "'name' belongs below 'metadata'")
        .contains("Indent what belongs to 'metadata' by two blanks, or copy the listing");
  }

  @Test
  void ipPoolWorksAsWritten() {
    IpPool pool = ((ClusterEvent.PoolSeen) only("2022-ippool.yaml")).pool();
    assertThat(pool.cidr()).hasToString("192.168.0.0/16");
    assertThat(pool.vxlanMode()).isEqualTo(VxlanMode.ALWAYS);
    assertThat(pool.blockSize()).isEqualTo(26);
    assertThat(pool.natOutgoing()).isTrue();
    assertThat(pool.nodeSelector().isAll()).isTrue();
  }

  @Test
  void installationWorksAsWritten() {
    FabricLayer layer = ((ClusterEvent.LayerSeen) only("2022-installation.yaml")).layer();
    assertThat(layer.mtu(Scope.PODS).orElseThrow().bytes()).isEqualTo(1450);
    IpPool pool = layer.pools().getFirst();
    assertThat(pool.name()).isEqualTo("default-ipv4-ippool");
    assertThat(pool.vxlanMode()).isEqualTo(VxlanMode.ALWAYS);
    assertThat(pool.natOutgoing()).isTrue();
  }

  @Test
  void environmentOfCalicosNodesWorksAsWritten() {
    FabricLayer layer = ((ClusterEvent.LayerSeen) only("2021-calico-node.yaml")).layer();
    assertThat(layer.mtu(Scope.IPIP).orElseThrow().bytes()).isEqualTo(1480);
    assertThat(layer.mtu(Scope.PODS)).isEmpty();
    assertThat(layer.pools()).isEmpty();
  }

  @Test
  void modeIpvsOfKubeProxyIsServedAndAnsweredByName() {
    Manifests read = read("2018-kube-proxy.yaml");
    assertThat(read.findings())
        .singleElement()
        .satisfies(finding -> {
          assertThat(finding.condition().reason()).isEqualTo(Reason.IGNORED_FIELD);
          assertThat(finding.condition().field()).isEqualTo("data.config.conf.mode");
          assertThat(finding.condition().text())
              .contains("Services are maps of nf_tables, with the same answers");
        });
    FabricLayer layer = ((ClusterEvent.LayerSeen) read.events().getFirst()).layer();
    assertThat(layer.proxy().orElseThrow().services().enabled()).isTrue();
    assertThat(layer.proxy().orElseThrow().services().nodePorts())
        .isEqualTo(new ServiceSettings.NodePorts.AllLocal());
  }

  /** N1, N2, N3, N9: as they were printed, they are enforced. */
  @ParameterizedTest
  @CsvSource({
    "2018-default-deny.yaml, 1, 0",
    "2021-network-policies.yaml, 2, 1",
    "2022-deny-all.yaml, 1, 0"
  })
  void policiesWorkAsWritten(String name, int policies, int rules) {
    Manifests read = read(name);
    assertThat(read.findings()).isEmpty();
    List<Policy> found =
        read.events().stream()
            .filter(ClusterEvent.PolicySeen.class::isInstance)
            .map(event -> ((ClusterEvent.PolicySeen) event).policy())
            .toList();
    assertThat(found).hasSize(policies);
    assertThat(found).allSatisfy(policy -> assertThat(policy.isolates()).contains(INGRESS));
    assertThat(found.stream().mapToInt(policy -> policy.rules().size()).sum()).isEqualTo(rules);
  }

  @Test
  void whatBelongsToLaterCapabilitiesIsToldByName() {
    List<Condition> told =
        read("2022-metallb.yaml").findings().stream().map(Finding::condition).toList();
    assertThat(told).isNotEmpty();
    assertThat(told)
        .allSatisfy(condition -> {
          assertThat(condition.reason()).isEqualTo(Reason.IGNORED_KIND);
          assertThat(condition.text()).contains(" yet");
          assertThat(condition.remedy()).isEqualTo("Do not count on them.");
        });
  }
}

package dev.sund.kube.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.FabricServices;
import dev.sund.engine.ServicesInForce;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.ProxyConfig;
import dev.sund.engine.cluster.ProxyConfig.Listen;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.kube.object.Parsed;
import dev.sund.kube.object.Problem;
import dev.sund.kube.object.ProxyConfigParser;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What kube-proxy was to do goes on without it. */
class ProxyConfigTest {
  /** As kubeadm writes it. */
  private static final String KUBEADM =
      """
      apiVersion: kubeproxy.config.k8s.io/v1alpha1
      bindAddress: 0.0.0.0
      bindAddressHardFail: false
      clientConnection:
        acceptContentTypes: ""
        burst: 0
        contentType: ""
        kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
        qps: 0
      clusterCIDR: 10.244.0.0/16
      configSyncPeriod: 0s
      conntrack:
        maxPerCore: null
        min: null
        tcpBeLiberal: false
        tcpCloseWaitTimeout: null
        tcpEstablishedTimeout: null
        udpStreamTimeout: 0s
        udpTimeout: 0s
      detectLocal:
        bridgeInterface: ""
        interfaceNamePrefix: ""
      detectLocalMode: ""
      enableProfiling: false
      healthzBindAddress: ""
      hostnameOverride: ""
      iptables:
        localhostNodePorts: null
        masqueradeAll: false
        masqueradeBit: null
        minSyncPeriod: 0s
        syncPeriod: 0s
      ipvs:
        excludeCIDRs: null
        minSyncPeriod: 0s
        scheduler: ""
        strictARP: false
        syncPeriod: 0s
        tcpFinTimeout: 0s
        tcpTimeout: 0s
        udpTimeout: 0s
      kind: KubeProxyConfiguration
      logging:
        flushFrequency: 0
        options:
          json:
            infoBufferSize: "0"
          text:
            infoBufferSize: "0"
        verbosity: 0
      metricsBindAddress: ""
      mode: ""
      nftables:
        masqueradeAll: false
        masqueradeBit: null
        minSyncPeriod: 0s
        syncPeriod: 0s
      nodePortAddresses: null
      oomScoreAdj: null
      portRange: ""
      showHiddenMetricsForVersion: ""
      winkernel:
        enableDSR: false
        forwardHealthCheckVip: false
        networkName: ""
        rootHnsEndpointName: ""
        sourceVip: ""
      """;

  private static final String HEAD =
      "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
  private static final ObjectRef FILE = new ObjectRef("File", "kube-proxy.yaml");

  private static FabricLayer inConfigMap(String config) {
    String text =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system}\n"
            + "data:\n  kubeconfig.conf: |-\n    kind: Config\n  config.conf: |-\n"
            + config.indent(4);
    Manifests read = ManifestFiles.parse("f.yaml", text);
    assertThat(read.objects()).allMatch(ManifestObject::usable);
    return ((ClusterEvent.LayerSeen) read.events().getFirst()).layer();
  }

  private static Parsed<FabricLayer> file(String config) {
    return ProxyConfigParser.parseText(FILE, FabricLayer.Rank.PROXY_FILE, HEAD + config);
  }

  private static ProxyConfig read(String config) {
    Parsed<FabricLayer> parsed = file(config);
    assertThat(parsed.problems().stream().filter(Problem::isError)).isEmpty();
    return parsed.value().orElseThrow().proxy().orElseThrow();
  }

  private static List<String> said(String config) {
    return file(config).problems().stream()
        .map(problem -> problem.condition())
        .map(condition -> condition.field() + ": " + condition.text())
        .toList();
  }

  private static NodePorts nodePorts(String config) {
    return read(config).services().nodePorts();
  }

  @Test
  void theConfigMapOfKubeadmMeansKubeProxysDefaults() {
    FabricLayer layer = inConfigMap(KUBEADM);
    assertThat(layer.rank()).isEqualTo(FabricLayer.Rank.PROXY_CONFIG);
    assertThat(layer.proxy())
        .contains(
            new ProxyConfig(
                new ServiceSettings(
                    true,
                    new NodePorts.AllLocal(),
                    false,
                    List.of(Prefix.parse("10.244.0.0/16")),
                    EndpointChoice.RANDOM),
                ConntrackSettings.DEFAULT,
                Optional.empty(),
                Optional.empty()));
    assertThat(layer.remarks())
        .as("only what is set, though all is written out")
        .extracting(Condition::toString)
        .containsExactly(
            "ConfigMap kube-system/kube-proxy data.kubeconfig.conf: not used: the agent reaches the"
                + " API server as --kubeconfig says. Nothing needs to be done. [ignored-field]",
            "ConfigMap kube-system/kube-proxy data.config.conf.clientConnection: not used: the agent"
                + " reaches the API server as --kubeconfig says. Nothing needs to be done."
                + " [ignored-field]");
  }

  @Test
  void everyFieldThatHasAMeaningIsTaken() {
    ProxyConfig found =
        read(
            """
            mode: nftables
            nftables: {masqueradeAll: true}
            clusterCIDR: "10.244.0.0/16, fd00:10:244::/48"
            detectLocalMode: ClusterCIDR
            healthzBindAddress: 0.0.0.0:10256
            metricsBindAddress: "[::1]:10249"
            nodePortAddresses: [192.168.1.7/24]
            conntrack:
              maxPerCore: 0
              min: 1000
              tcpEstablishedTimeout: 1h30m0.5s
              tcpCloseWaitTimeout: 0s
              tcpBeLiberal: true
              udpTimeout: 30s
              udpStreamTimeout: 120s
            """);
    assertThat(found)
        .isEqualTo(
            new ProxyConfig(
                new ServiceSettings(
                    true,
                    new NodePorts.Within(
                        List.of(Prefix.parse("192.168.1.0/24"), Prefix.parse("::/0"))),
                    true,
                    List.of(Prefix.parse("10.244.0.0/16"), Prefix.parse("fd00:10:244::/48")),
                    EndpointChoice.RANDOM),
                new ConntrackSettings(
                    0,
                    1000,
                    Duration.ofMillis(5_400_500),
                    Duration.ZERO,
                    true,
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(120)),
                Optional.of(new Listen(Ip.parse("0.0.0.0"), 10256)),
                Optional.of(new Listen(Ip.parse("::1"), 10249))));
  }

  @Test
  void s14WhereNodePortsAreDependsOnTheMode() {
    assertThat(nodePorts("")).isEqualTo(new NodePorts.AllLocal());
    assertThat(nodePorts("mode: iptables\n")).isEqualTo(new NodePorts.AllLocal());
    assertThat(nodePorts("mode: nftables\n")).isEqualTo(new NodePorts.Primary());
    assertThat(nodePorts("mode: nftables\nnodePortAddresses: [all]\n"))
        .isEqualTo(new NodePorts.AllLocal());
    assertThat(nodePorts("nodePortAddresses: [primary]\n")).isEqualTo(new NodePorts.Primary());
    assertThat(nodePorts("nodePortAddresses: [0.0.0.0/0]\n"))
        .as("a family of which nothing is said has all")
        .isEqualTo(new NodePorts.AllLocal());
    assertThat(nodePorts("nodePortAddresses: [localhost]\n"))
        .isEqualTo(new NodePorts.Within(List.of()));
    assertThat(said("nodePortAddresses: [primary, 10.0.0.0/8]\n"))
        .containsExactly("nodePortAddresses: it has 'primary' and ranges, which Sund cannot join.");
  }

  @Test
  void aModeIsAnsweredWithWhatIsUsedInsteadAndWhy() {
    assertThat(said("mode: iptables\n"))
        .containsExactly(
            "mode: not used: Services are maps of nf_tables in place of iptables' chains, so that"
                + " neither a connection nor a change costs more in a cluster with more Services.");
    assertThat(said("mode: ipvs\nipvs: {scheduler: lc, strictARP: true}\n"))
        .containsExactly(
            "ipvs.scheduler: not used: Sund has no IPVS yet.",
            "ipvs.strictARP: not used: no device carries Services' addresses, so none is answered"
                + " for.",
            "mode: not used: Sund has no IPVS yet; Services are maps of nf_tables, with the same"
                + " answers but for ipvs.scheduler.");
    assertThat(said("mode: nftables\n")).isEmpty();
    assertThat(said("mode: bpf\n"))
        .containsExactly(
            "mode: 'bpf' is none of iptables, ipvs, kernelspace, nftables, userspace.");
  }

  @Test
  void everyFieldWithoutAMeaningIsNamedAndEveryUnknownOneToo() {
    assertThat(
            said(
                """
                featureGates: {SupportIPVSProxyMode: true}
                hostnameOverride: n1
                bindAddress: 192.168.1.11
                bindAddressHardFail: true
                enableProfiling: true
                oomScoreAdj: -999
                configSyncPeriod: 15m0s
                portRange: 0-0
                logging: {verbosity: 4}
                winkernel: {enableDSR: true}
                detectLocalMode: BridgeInterface
                detectLocal: {bridgeInterface: cni0}
                clusterCIDR: 10.244.0.0/16
                iptables: {masqueradeBit: 14, syncPeriod: 30s, localhostNodePorts: true}
                nftables: {masqueradeAll: true}
                conntrak: {min: 1}
                """))
        .containsExactlyInAnyOrder(
            "featureGates: not used: Sund has no gates of these names.",
            "hostnameOverride: not used: --node names the node.",
            "bindAddressHardFail: not used: an address that is taken is said and tried again.",
            "enableProfiling: not used: the agent has no profiles to show.",
            "oomScoreAdj: not used: who starts the agent sets it.",
            "configSyncPeriod: not used: the API server is watched, and nothing asked again and"
                + " again.",
            "portRange: not used: kube-proxy itself has no use for it any more.",
            "logging: not used: the agent's own options say so.",
            "winkernel: not used: Sund runs on Linux.",
            "detectLocal.bridgeInterface: not used: the ranges of pods are known from pools and"
                + " nodes.",
            "iptables.masqueradeBit: not used: no bit of the packets' marks is needed for it.",
            "iptables.syncPeriod: not used: a change goes to the kernel at once, and drift is"
                + " repaired.",
            "conntrak: no such field is known.",
            "bindAddress: not used: a node's addresses are what its object and the Fabric say.",
            "nftables.masqueradeAll: not used: the mode is another.",
            "iptables.localhostNodePorts: not used: a node port at 127.0.0.1 would be open to"
                + " everyone on the node's subnet (CVE-2020-8558).",
            "detectLocalMode: not used: the ranges of pods are known from pools and nodes.",
            "clusterCIDR: not used: detectLocalMode says otherwise.");
  }

  @Test
  void whatCannotBeMeantIsRefusedByFieldAndValue() {
    assertThat(
            said(
                """
                clusterCIDR: 10.244.0.0
                healthzBindAddress: 10256
                metricsBindAddress: localhost:10249
                nodePortAddresses: [eth0]
                conntrack: {min: -1, udpTimeout: 30, tcpEstablishedTimeout: 1d}
                """))
        .containsExactly(
            "nodePortAddresses[0]: 'eth0' is neither a CIDR nor one of all, primary, localhost.",
            "clusterCIDR: '10.244.0.0' is not a CIDR.",
            "conntrack.min: a whole number from 0 to 2147483647 is needed, but here is the number"
                + " -1.",
            "conntrack.tcpEstablishedTimeout: '1d' is not a time of 0 or more.",
            "conntrack.udpTimeout: text is needed, but here is the number 30.",
            "healthzBindAddress: text is needed, but here is the number 10256.",
            "metricsBindAddress: 'localhost:10249' is not an address and a port.");
    Parsed<FabricLayer> old =
        ProxyConfigParser.parseText(
            FILE, FabricLayer.Rank.PROXY_FILE, HEAD.replace("v1alpha1", "v1"));
    assertThat(old.value()).isEmpty();
    assertThat(
            ProxyConfigParser.parseText(FILE, FabricLayer.Rank.PROXY_FILE, "kind: Pod\n").value())
        .isEmpty();
    assertThat(ProxyConfigParser.parseText(FILE, FabricLayer.Rank.PROXY_FILE, "a: [\n").value())
        .isEmpty();
  }

  @Test
  void aFileCountsBeforeTheConfigMapAndTheFabricBeforeBoth() {
    FabricLayer map = inConfigMap(KUBEADM);
    FabricLayer file = file("nodePortAddresses: [primary]\n").value().orElseThrow();
    ServicesInForce force = new ServicesInForce(FabricServices.UNSET);
    assertThat(force.first()).as("nothing differs from the usual").isEmpty();
    assertThat(force.take(new ClusterEvent.LayerSeen(map)))
        .containsExactly(
            new ClusterEvent.ServicesSet(map.proxy().orElseThrow().services()),
            new ClusterEvent.ConntrackSet(ConntrackSettings.DEFAULT));
    assertThat(force.take(new ClusterEvent.LayerSeen(map))).isEmpty();
    assertThat(force.take(new ClusterEvent.LayerSeen(file)))
        .containsExactly(new ClusterEvent.ServicesSet(file.proxy().orElseThrow().services()));
    assertThat(force.take(new ClusterEvent.LayerGone(file.source()))).hasSize(1);
    assertThat(force.take(new ClusterEvent.LayerGone(map.source())))
        .containsExactly(
            new ClusterEvent.ServicesSet(ServiceSettings.DEFAULT),
            new ClusterEvent.ConntrackSet(ConntrackSettings.AS_IT_IS));

    FabricServices own =
        new FabricServices(
            Optional.of(false),
            Optional.of(new NodePorts.AllLocal()),
            Optional.of(EndpointChoice.BY_CLIENT));
    ServicesInForce set = new ServicesInForce(own);
    assertThat(set.first()).hasSize(1);
    set.take(new ClusterEvent.LayerSeen(file));
    assertThat(set.services().enabled()).isFalse();
    assertThat(set.services().nodePorts()).isEqualTo(new NodePorts.AllLocal());
    assertThat(set.services().choice()).isEqualTo(EndpointChoice.BY_CLIENT);
  }
}

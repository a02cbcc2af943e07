package dev.sund.kube.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.FabricServices;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.NodeSeen;
import dev.sund.engine.cluster.ClusterEvent.PodSeen;
import dev.sund.engine.cluster.ClusterEvent.PoolSeen;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.Use;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.kube.tree.JsonText;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.LabelExpression;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestFilesTest {
  private static final String NODE =
      """
      apiVersion: v1
      kind: Node
      metadata: {name: n1, uid: node-1, creationTimestamp: "2026-01-31T12:00:00Z"}
      spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24, "fd00:10:1::/64"]}
      status:
        addresses:
        - {type: Hostname, address: n1}
        - {type: InternalIP, address: 192.168.1.11}
        - {type: InternalIP, address: 192.168.1.12}
        - {type: InternalIP, address: "2001:db8::11"}
      """;
  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: web, namespace: shop, uid: pod-1}
      spec:
        nodeName: n1
        initContainers:
        - {name: setup, ports: [{containerPort: 1}]}
        - {name: proxy, restartPolicy: Always, ports: [{containerPort: 15001}]}
        containers:
        - name: web
          ports: [{containerPort: 80, name: http}, {containerPort: 53, protocol: UDP}]
          readinessProbe: {httpGet: {port: http}}
          livenessProbe: {tcpSocket: {port: 8081}}
          startupProbe: {grpc: {port: 9000}}
      status: {phase: Running, podIP: 10.244.1.5, podIPs: [{ip: 10.244.1.5}, {ip: "fd00:10:1::5"}]}
      """;

  @TempDir Path folder;

  private static Manifests parse(String text) {
    return ManifestFiles.parse("test.yaml", text);
  }

  private static List<ClusterEvent> events(String text) {
    Manifests read = parse(text);
    assertThat(read.findings()).isEmpty();
    return read.events();
  }

  @Test
  void nodeHasTheFirstAddressOfEachFamilyAndItsRanges() {
    assertThat(events(NODE))
        .containsExactly(
            new NodeSeen(
                new Node(
                        new NodeName("n1"),
                        "node-1",
                        1769860800,
                        List.of(Ip.parse("192.168.1.11"), Ip.parse("2001:db8::11")),
                        List.of(Prefix.parse("10.244.1.0/24"), Prefix.parse("fd00:10:1::/64")))
                    .withAll(List.of(Ip.parse("192.168.1.12")))),
            new ClusterEvent.Synced());
  }

  @Test
  void podHasDeclaredAndProbedPortsOfContainersAndSidecars() {
    Pod pod = ((PodSeen) events(POD).getFirst()).pod();
    assertThat(pod.key()).isEqualTo(new PodKey("shop", "web"));
    assertThat(pod.node()).contains(new NodeName("n1"));
    assertThat(pod.ips()).containsExactly(Ip.parse("10.244.1.5"), Ip.parse("fd00:10:1::5"));
    assertThat(pod.ports().toString()).isEqualTo("[53/udp, 80/tcp, 8081/tcp, 9000/tcp, 15001/tcp]");
    assertThat(pod.ports().get(1).name()).isEqualTo("http");
  }

  @Test
  void poolMeansWhatItMeansToCalico() {
    String spec = "spec: {cidr: 10.244.0.0/16, vxlanMode: CrossSubnet, natOutgoing: true}";
    String bare = "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: b}\n";
    assertThat(pool("apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: a}\n" + spec))
        .extracting(IpPool::vxlanMode, IpPool::natOutgoing, IpPool::disabled)
        .containsExactly(VxlanMode.CROSS_SUBNET, true, false);
    assertThat(pool(bare + "spec: {cidr: 10.244.0.0/16, ipipMode: Never, disabled: yes}"))
        .extracting(IpPool::vxlanMode, IpPool::natOutgoing, IpPool::disabled)
        .containsExactly(VxlanMode.NEVER, false, true);
  }

  @Test
  void poolStatesItsBlocksAndWhoGetsAddressesFromIt() {
    String head = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: a}\n";
    IpPool usual = pool(head + "spec: {cidr: 10.244.0.0/16}");
    assertThat(usual.blockSize()).isEqualTo(26);
    assertThat(usual.nodeSelector().isAll() && usual.namespaceSelector().isAll()).isTrue();
    assertThat(usual.allowedUses()).containsExactlyInAnyOrder(Use.WORKLOAD, Use.TUNNEL);
    assertThat(usual.automatic()).isTrue();
    assertThat(pool(head + "spec: {cidr: 'fd00:10::/56'}").blockSize()).isEqualTo(122);

    IpPool own =
        pool(
            head
                + """
                spec:
                  cidr: fd00:10::/120
                  blockSize: 124
                  nodeSelector: zone == 'west'
                  namespaceSelector: "!has(temporary)"
                  allowedUses: [Workload]
                  assignmentMode: Manual
                """);
    assertThat(own.blockSize()).isEqualTo(124);
    assertThat(own.nodeSelector()).isEqualTo(LabelExpression.parse("zone == 'west'"));
    assertThat(own.namespaceSelector()).isEqualTo(LabelExpression.parse("!has(temporary)"));
    assertThat(own.allowedUses()).containsExactly(Use.WORKLOAD);
    assertThat(own.automatic()).isFalse();
  }

  @Test
  void labelsOfNodesAndNamespacesAreKnown() {
    String labelled =
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop, uid: u, labels: {team: red, empty: }}
        """;
    assertThat(events(labelled).getFirst())
        .isEqualTo(
            new ClusterEvent.NamespaceSeen(
                new Namespace(
                    "shop",
                    "u",
                    0,
                    Map.of("team", "red", "empty", "", "kubernetes.io/metadata.name", "shop"))));
    String node = NODE.replace("uid: node-1", "uid: node-1, labels: {zone: west}");
    assertThat(((NodeSeen) events(node).getFirst()).node().labels())
        .isEqualTo(Map.of("zone", "west"));
  }

  private static IpPool pool(String text) {
    return ((PoolSeen) events(text).getFirst()).pool();
  }

  @Test
  void hostNetworkPodHasNoAddressesOfItsOwn() {
    String text = POD.replace("  nodeName: n1", "  nodeName: n1\n  hostNetwork: true");
    Pod pod = ((PodSeen) events(text).getFirst()).pod();
    assertThat(pod.hostNetwork()).isTrue();
    assertThat(pod.ips()).isEmpty();
  }

  @Test
  void finishedPodIsSaidToBe() {
    assertThat(((PodSeen) events(POD.replace("Running", "Succeeded")).getFirst()).pod().finished())
        .isTrue();
    assertThat(((PodSeen) events(POD.replace("Running", "Pending")).getFirst()).pod().finished())
        .isFalse();
  }

  @Test
  void objectWithoutUidAlwaysGetsTheSameOne() {
    String text = POD.replace(", uid: pod-1", "");
    Pod pod = ((PodSeen) events(text).getFirst()).pod();
    Pod again = ((PodSeen) events(text.replace("nodeName: n1", "nodeName: n2")).getFirst()).pod();
    Pod other = ((PodSeen) events(text.replace("name: web,", "name: db,")).getFirst()).pod();
    assertThat(pod.uid()).hasSize(36).isEqualTo(again.uid()).isNotEqualTo(other.uid());
  }

  @Test
  void podWithoutNamespaceIsInTheDefaultOne() {
    Pod pod = ((PodSeen) events(POD.replace(", namespace: shop", "")).getFirst()).pod();
    assertThat(pod.key()).isEqualTo(new PodKey("default", "web"));
  }

  @Test
  void listsOfAllKindsGiveTheSameEvents() {
    List<ClusterEvent> expected = events(NODE + "---\n" + POD);
    String items = indented(NODE) + indented(POD);
    assertThat(events("apiVersion: v1\nitems:\n" + items + "kind: List\n")).isEqualTo(expected);
    String untyped = "apiVersion: v1\nkind: NodeList\nitems:\n" + indented(untyped(NODE));
    String pods = "items:\n" + indented(untyped(POD)) + "kind: PodList\napiVersion: v1\n";
    assertThat(events(untyped + "---\n" + pods)).isEqualTo(expected);
  }

  private static String untyped(String object) {
    return object.lines().skip(2).map(line -> line + "\n").reduce("", String::concat);
  }

  private static String indented(String object) {
    return "- " + object.strip().replace("\n", "\n  ") + "\n";
  }

  @Test
  void jsonGivesTheSameEventsAsYaml() {
    StringBuilder json = new StringBuilder();
    parse(NODE + "---\n" + POD)
        .objects()
        .forEach(object -> json.append(JsonText.of(object.tree())).append('\n'));
    assertThat(events(json.toString())).isEqualTo(events(NODE + "---\n" + POD));
    String list = "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[";
    String items = json.toString().strip().replace("\n", ",");
    assertThat(events(list + items + "]}")).isEqualTo(events(NODE + "---\n" + POD));
  }

  @Test
  void anchorsAndMergeKeysWorkAsKubectlHasThem() {
    String text =
        """
        apiVersion: v1
        kind: Pod
        metadata: &meta {name: web, namespace: shop}
        spec: &spec {nodeName: n1, hostNetwork: on}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {<<: {namespace: shop, name: other}, name: db}
        """;
    assertThat(events(text))
        .extracting(event -> event.key().name())
        .containsExactly("shop/web", "shop/db", "synced");
  }

  @Test
  void wordsOfYamlThatLookLikeOtherThingsAreToldToBeQuoted() {
    Manifests read = parse(POD.replace("nodeName: n1", "nodeName: no"));
    assertThat(read.findings().getFirst().toString())
        .contains("test.yaml:5: Pod shop/web spec.nodeName: text is needed")
        .contains("here is the boolean no. Put it in quotes: \"no\".");
  }

  @Test
  void foldersStandardInputAndMissingFilesAreRead() throws IOException {
    Files.createDirectories(folder.resolve("deep"));
    Files.writeString(folder.resolve("deep/node.yml"), NODE);
    Files.writeString(folder.resolve("readme.md"), "# no manifest");
    Path empty = Files.createDirectories(folder.resolve("empty"));
    Path image = Files.write(folder.resolve("image.bin"), new byte[] {(byte) 0xff, (byte) 0xfe});
    InputStream input = new ByteArrayInputStream(POD.getBytes(StandardCharsets.UTF_8));
    Manifests read =
        ManifestFiles.read(
            List.of(folder.toString(), "-", "/nowhere.yaml", empty.toString(), image.toString()),
            input);
    assertThat(read.objects())
        .extracting(object -> object.ref().toString())
        .containsExactly("Node n1", "Pod shop/web");
    assertThat(read.findings())
        .extracting(Finding::toString)
        .containsExactly(
            "/nowhere.yaml: File /nowhere.yaml: the file does not exist. Check the path."
                + " [malformed]",
            empty
                + ": File "
                + empty
                + ": the folder has no file whose name ends in .yaml, .yml or .json. Name the"
                + " files themselves. [malformed]",
            image + ": File " + image + ": it is not UTF-8 text. Save it as UTF-8. [malformed]");
  }

  @Test
  void refusedObjectIsToldAndTheOthersAreUsed() {
    Manifests read = parse(NODE.replace("192.168.1.11", "192.168.1.333") + "---\n" + POD);
    assertThat(read.hasErrors()).isTrue();
    assertThat(read.events().getFirst()).isInstanceOf(ClusterEvent.Refused.class);
    assertThat(read.events().get(1)).isInstanceOf(PodSeen.class);
    assertThat(read.objects()).extracting(ManifestObject::usable).containsExactly(false, true);
  }

  @Test
  void nodeWithoutPodRangeIsStillANode() {
    Node node = ((NodeSeen) events(NODE.replaceAll("spec:.*", "spec: {}")).getFirst()).node();
    assertThat(node.podCidrs()).isEmpty();
    assertThat(node.podCidr(dev.sund.model.Family.V4)).isEqualTo(Optional.empty());
  }

  @Test
  void fabricIsSetInAFileOfSundsOwn() {
    String text = "apiVersion: sund.dev/v1alpha1\nkind: Fabric\nmtu: 1400\nvni: 7\n";
    assertThat(parse(text).findings()).isEmpty();
    assertThat(parse(text).fabric()).contains(new FabricSettings(7, 4789, OptionalInt.of(1400)));
    assertThat(parse(NODE).fabric()).isEmpty();
    assertThat(parse(FabricObject.text(FabricSettings.DEFAULT)).fabric())
        .contains(FabricSettings.DEFAULT);
    FabricSettings found =
        FabricSettings.DEFAULT.with(
            Map.of(
                Family.V4,
                new AddressMethod.OnInterface(List.of("^en.\\d+$", "eth0")),
                Family.V6,
                new AddressMethod.CanReach(Ip.parse("2001:db8::1"))));
    assertThat(parse(FabricObject.text(found)).fabric()).contains(found);
    assertThat(parse(JsonText.of(FabricObject.tree(found))).fabric()).contains(found);
  }

  @Test
  void fabricSaysWhetherConnectionsThatPoliciesForbidAreCut() {
    FabricSettings strict = FabricSettings.DEFAULT.withStrict(true);
    assertThat(FabricSettings.DEFAULT.strict()).isFalse();
    assertThat(parse(FabricObject.text(strict)).fabric()).contains(strict);
    String wrong = FabricObject.text(strict).replace("true", "perhaps");
    assertThat(parse(wrong).findings().getFirst().condition().field()).isEqualTo("policies.strict");
  }

  @Test
  void fabricSaysHowServicesAreServed() {
    FabricServices services =
        new FabricServices(
            Optional.of(false),
            Optional.of(
                new NodePorts.Within(
                    List.of(Prefix.parse("192.168.1.0/24"), Prefix.parse("fd00::/64")))),
            Optional.of(EndpointChoice.BY_CLIENT));
    FabricSettings found = FabricSettings.DEFAULT.with(services);
    assertThat(parse(FabricObject.text(found)).fabric()).contains(found);
    for (NodePorts where : List.of(new NodePorts.AllLocal(), new NodePorts.Primary())) {
      FabricSettings other =
          FabricSettings.DEFAULT.with(
              new FabricServices(Optional.empty(), Optional.of(where), Optional.empty()));
      assertThat(parse(FabricObject.text(other)).fabric()).contains(other);
    }
    String wrong =
        "apiVersion: sund.dev/v1alpha1\nkind: Fabric\nservices: {enabled: 1, choose: x, choice: y}\n";
    assertThat(parse(wrong).findings())
        .extracting(finding -> finding.condition().field())
        .containsExactlyInAnyOrder("services.enabled", "services.choose", "services.choice");
  }

  @Test
  void nodeIsReachedByWhatItsAnnotationsSay() {
    String text =
        """
        apiVersion: v1
        kind: Node
        metadata:
          name: n1
          annotations:
            sund.dev/ipv4-address: 10.8.0.7
            sund.dev/ipv6-address: none
            sund.dev/tunnel-addresses: "fd02::1,10.64.0.1"
            example.com/else: "5"
        spec: {podCIDRs: [10.244.1.0/24]}
        status:
          addresses:
          - {type: InternalIP, address: 192.168.1.11}
          - {type: InternalIP, address: "fd00::11"}
        """;
    assertThat(parse(text).findings()).isEmpty();
    assertThat(parse(text).events())
        .first()
        .isInstanceOfSatisfying(
            ClusterEvent.NodeSeen.class,
            seen -> {
              assertThat(seen.node().addresses()).containsExactly(Ip.parse("10.8.0.7"));
              assertThat(seen.node().internal(Family.V6)).contains(Ip.parse("fd00::11"));
              assertThat(seen.node().everyAddress()).hasSize(3);
              assertThat(seen.node().notice().tunnels())
                  .containsExactly(Ip.parse("10.64.0.1"), Ip.parse("fd02::1"));
              assertThat(seen.node().peerAddresses())
                  .contains(Ip.parse("10.64.0.1"), Ip.parse("10.244.1.0"));
            });
  }

  @Test
  void examplesAreWithoutErrors() {
    String root = System.getProperty("sund.root");
    Manifests shop =
        ManifestFiles.read(List.of(root + "/examples/shop"), InputStream.nullInputStream());
    assertThat(shop.hasErrors()).isFalse();
    assertThat(shop.objects()).isNotEmpty();
    for (String mode : List.of("always", "crosssubnet", "never")) {
      String file = root + "/examples/pools/vxlan-" + mode + ".yaml";
      assertThat(ManifestFiles.read(List.of(file), InputStream.nullInputStream()).findings())
          .isEmpty();
    }
  }
}

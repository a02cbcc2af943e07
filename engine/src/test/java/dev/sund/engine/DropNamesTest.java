package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.DropStory.Kind;
import dev.sund.engine.DropStory.Party;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.Action;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A dropped packet is told in names: of pods, nodes and Services, and of what stopped it. */
class DropNamesTest {
  private static final NodeName SELF = new NodeName("n1");
  private static final NodeName OTHER = new NodeName("n2");
  private static final Ip DATABASE = Ip.parse("10.244.1.6");
  private static final Ip DATABASE_V6 = Ip.parse("fd00:10:1::6");
  private static final Ip WEB = Ip.parse("10.244.2.5");
  private static final Ip WEB_V6 = Ip.parse("fd00:10:2::5");
  private static final int TCP = 6;

  private final ProgramCompiler compiler = new ProgramCompiler(SELF, FabricSettings.DEFAULT);

  /** N3: policies add up, so all that isolate the pod are named, by kind and name. */
  @Test
  void anIsolatedPodIsToldWithAllPoliciesThatIsolateItAndWithItsPeer() {
    standing();
    tell(isolating("deny-all", Direction.INGRESS), isolating("db", Direction.INGRESS));
    for (List<Ip> pair : List.of(List.of(WEB, DATABASE), List.of(WEB_V6, DATABASE_V6))) {
      DropStory story = in(pair.get(0), pair.get(1), TCP, 5432);
      assertThat(story.pod()).isEqualTo(new Party(Kind.POD, "shop/db-0", pair.get(1)));
      assertThat(story.peer()).isEqualTo(new Party(Kind.POD, "shop/web", pair.get(0)));
      assertThat(story.reason()).contains(Reason.POLICY_INGRESS);
      assertThat(story.rule()).isEmpty();
      assertThat(names(story.isolating())).containsExactly("shop/db", "shop/deny-all");
    }
    assertThat(compiler.drops().isolating(DATABASE, Direction.EGRESS)).isEmpty();
    assertThat(names(compiler.drops().isolating(DATABASE, Direction.INGRESS)))
        .containsExactly("shop/db", "shop/deny-all");
  }

  /** N27: where the cluster's policy denied it, its rule is named. */
  @Test
  void aRuleOfTheClusterThatDeniesIsNamed() {
    standing();
    tell(isolating("deny-all", Direction.EGRESS), denying("no-outside"));
    Ip outside = Ip.parse("203.0.113.9");
    DropStory story =
        compiler
            .drops()
            .story(
                new DroppedPacket(
                    Direction.EGRESS,
                    Optional.empty(),
                    "",
                    DATABASE,
                    outside,
                    TCP,
                    443,
                    Optional.of(new DroppedPacket.Asked(Ip.parse("10.96.0.10"), 443))));
    assertThat(story.peer()).isEqualTo(new Party(Kind.ADDRESS, "203.0.113.9", outside));
    assertThat(story.asked())
        .contains(new Party(Kind.SERVICE, "shop/proxy", Ip.parse("10.96.0.10")));
    assertThat(story.reason()).contains(Reason.CLUSTER_POLICY_EGRESS);
    assertThat(story.rule().map(rule -> rule.object().name())).contains("no-outside");
    assertThat(names(story.isolating())).containsExactly("shop/deny-all");
  }

  @Test
  void nodesAndTheirTunnelsAreNodes() {
    standing();
    tell(isolating("deny-all", Direction.INGRESS));
    assertThat(in(Ip.parse("192.168.1.12"), DATABASE, TCP, 80).peer().name()).isEqualTo("n2");
    Party tunnel = in(Ip.parse("10.244.2.0"), DATABASE, 132, 80).peer();
    assertThat(tunnel).isEqualTo(new Party(Kind.NODE, "n2", Ip.parse("10.244.2.0")));
    assertThat(in(Ip.parse("10.244.2.99"), DATABASE, 1, 0).peer().kind()).isEqualTo(Kind.ADDRESS);
  }

  /** What has changed since the packet was dropped is not blamed for it. */
  @Test
  void whatTheProgramWouldLetGoNowHasNoReason() {
    standing();
    DropStory story = in(WEB, DATABASE, TCP, 5432);
    assertThat(story.reason()).isEmpty();
    assertThat(story.pod().name()).isEqualTo("shop/db-0");
    assertThat(story.isolating()).isEmpty();
  }

  /** N20: a pod that nobody knows is closed, and by no policy. */
  @Test
  void aPodThatIsNotKnownYetIsToldAsSuch() {
    standing();
    Ip fresh = Ip.parse("10.244.1.9");
    tell(
        isolating("deny-all", Direction.INGRESS),
        new ClusterEvent.Attached(
            new Attachment("c9", "eth0", "/x", PodKey.parse("shop/new"), "u9", List.of(fresh))));
    DropStory story = in(WEB, fresh, 17, 53);
    assertThat(story.reason()).contains(Reason.POLICY_POD_UNKNOWN);
    assertThat(story.pod().name()).isEqualTo("shop/new");
    assertThat(story.isolating()).isEmpty();
  }

  /** Whoever sends from a stranger's address is known by its device. */
  @Test
  void aFalseSourceIsThePodsBehindTheDevice() {
    standing();
    String device = PodDevices.device("u6", "eth0");
    DropStory story =
        compiler
            .drops()
            .story(
                new DroppedPacket(
                    Direction.EGRESS,
                    Optional.of(Reason.SOURCE_NOT_OWN),
                    device,
                    WEB,
                    DATABASE,
                    TCP,
                    5432,
                    Optional.empty()));
    assertThat(story.pod()).isEqualTo(new Party(Kind.POD, "shop/db-0", WEB));
    assertThat(story.reason()).contains(Reason.SOURCE_NOT_OWN);
  }

  /** What ends at a bridge is told of the container behind the port, pod or not. */
  @Test
  void whatEndsAtABridgeIsOfThePodOrContainerBehindThePort() {
    standing();
    Ip left = Ip.parse("10.88.0.2");
    Ip right = Ip.parse("10.88.0.3");
    tell(
        isolating("deny-all", Direction.INGRESS),
        isolating("shut", Direction.EGRESS),
        pod("shop/left", "u7", SELF, left),
        joined("c7/eth0", "port-left", Optional.of(PodKey.parse("shop/left")), left),
        joined("c8/eth0", "port-right", Optional.empty(), right));
    DropStory unseen =
        compiler.drops().story(atBridge(Direction.EGRESS, Reason.POLICY_UNSEEN, "port-left"));
    assertThat(unseen.pod()).isEqualTo(new Party(Kind.POD, "shop/left", left));
    assertThat(unseen.peer()).isEqualTo(new Party(Kind.CONTAINER, "c8/eth0", right));
    assertThat(unseen.reason()).contains(Reason.POLICY_UNSEEN);
    assertThat(names(unseen.isolating()))
        .as("in whichever direction: nobody has asked them")
        .containsExactly("shop/deny-all", "shop/shut");
    DropStory tagged =
        compiler.drops().story(atBridge(Direction.INGRESS, Reason.TAGGED_FRAME, "port-right"));
    assertThat(tagged.pod()).isEqualTo(new Party(Kind.CONTAINER, "c8/eth0", right));
    assertThat(tagged.isolating()).isEmpty();
    assertThat(compiler.drops().behind("port-gone")).isEmpty();
  }

  private static DroppedPacket atBridge(Direction direction, Reason reason, String device) {
    return new DroppedPacket(
        direction,
        Optional.of(reason),
        device,
        Ip.parse("10.88.0.2"),
        Ip.parse("10.88.0.3"),
        TCP,
        80,
        Optional.empty());
  }

  private static ClusterEvent joined(String key, String device, Optional<PodKey> pod, Ip address) {
    return new ClusterEvent.BridgeJoined(
        new PortOnBridge(key, device, "cni0", pod, "", List.of(address), false));
  }

  private DropStory in(Ip from, Ip to, int protocol, int port) {
    return compiler
        .drops()
        .story(
            new DroppedPacket(
                Direction.INGRESS,
                Optional.empty(),
                "",
                from,
                to,
                protocol,
                port,
                Optional.empty()));
  }

  private static List<String> names(List<RuleId> rules) {
    return rules.stream().map(rule -> rule.object().name()).toList();
  }

  private void tell(ClusterEvent... events) {
    compiler.apply(new ArrayList<>(Arrays.asList(events)));
  }

  /** Two nodes, a database here and its client there, and a Service. */
  private void standing() {
    tell(
        node(SELF, 1),
        node(OTHER, 2),
        new ClusterEvent.Synced(),
        pod("shop/db-0", "u6", SELF, DATABASE, DATABASE_V6),
        pod("shop/web", "u5", OTHER, WEB, WEB_V6),
        new ClusterEvent.Attached(
            new Attachment(
                "c1",
                "eth0",
                "/x",
                PodKey.parse("shop/db-0"),
                "u6",
                List.of(DATABASE, DATABASE_V6))));
    ServiceSketch.service("shop/proxy", "10.96.0.10").port(443).events().forEach(this::tell);
  }

  private static ClusterEvent node(NodeName name, int number) {
    return new ClusterEvent.NodeSeen(
        new Node(
            name,
            "n" + number,
            1,
            List.of(Ip.parse("192.168.1.1" + number), Ip.parse("fd00:1::1" + number)),
            Stream.of("10.244.%d.0/24", "fd00:10:%d::/64")
                .map(range -> Prefix.parse(range.formatted(number)))
                .toList()));
  }

  private static ClusterEvent pod(String name, String uid, NodeName node, Ip... ips) {
    return new ClusterEvent.PodSeen(
        new Pod(
            PodKey.parse(name),
            uid,
            1,
            Optional.of(node),
            false,
            false,
            List.of(ips),
            List.of(),
            List.of(),
            Map.of()));
  }

  private static ClusterEvent isolating(String name, Direction direction) {
    return seen(
        new Policy(
            new ObjectRef(Policy.NETWORK_POLICY, "shop/" + name),
            "uid-" + name,
            1,
            1,
            Policy.Tier.NAMESPACE,
            0,
            Policy.Pods.in("shop", LabelSelector.ALL),
            Set.of(direction),
            List.of()));
  }

  private static ClusterEvent denying(String name) {
    return seen(
        new Policy(
            new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name),
            "uid-" + name,
            1,
            1,
            Policy.Tier.ADMIN,
            7,
            Policy.Pods.of(LabelSelector.ALL, LabelSelector.ALL),
            Set.of(),
            List.of(
                new Policy.Rule(
                    Direction.EGRESS,
                    0,
                    "",
                    Action.DENY,
                    List.of(new Policy.Block(Prefix.parse("203.0.113.0/24"), List.of())),
                    List.of(new Policy.AllPorts())))));
  }

  private static ClusterEvent seen(Policy policy) {
    return new ClusterEvent.PolicySeen(policy, List.of());
  }
}

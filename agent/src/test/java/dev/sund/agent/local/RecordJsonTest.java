package dev.sund.agent.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId.Direction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Records cross the socket as they are. */
class RecordJsonTest {
  private static ClusterEvent across(ClusterEvent event) throws Json.MalformedException {
    String text = Json.write(Map.of("event", RecordJson.write(event, ClusterEvent.class)));
    Map<String, Object> read = Json.object(text.getBytes(StandardCharsets.UTF_8));
    return RecordJson.read(Json.child(read, "event"), ClusterEvent.class);
  }

  @Test
  void recordsOfASealedFamilyArriveEqual() throws Json.MalformedException {
    TreeMap<Family, Optional<Ip>> said = new TreeMap<>();
    said.put(Family.V4, Optional.of(Ip.parse("192.168.1.11")));
    said.put(Family.V6, Optional.empty());
    ClusterEvent node =
        new ClusterEvent.NodeSeen(
            new Node(
                new NodeName("n1"),
                "u1",
                7_000_000_000L,
                List.of(Ip.parse("192.168.1.11"), Ip.parse("2001:db8::11")),
                List.of(Prefix.parse("10.244.1.0/24")),
                Map.of("zone", "a", "name", ""),
                List.of(),
                new AddressNotice(said),
                List.of(Ip.parse("203.0.113.7"))));
    ClusterEvent policy =
        new ClusterEvent.PolicySeen(
            new Policy(
                new ObjectRef(Policy.NETWORK_POLICY, "shop/db"),
                "u2",
                1,
                2,
                Policy.Tier.NAMESPACE,
                0,
                new Policy.Pods(Optional.of("shop"), LabelSelector.ALL, LabelSelector.ALL),
                Set.of(Direction.INGRESS),
                List.of(
                    new Policy.Rule(
                        Direction.INGRESS,
                        0,
                        "",
                        Policy.Action.ACCEPT,
                        List.of(
                            new Policy.Anyone(),
                            new Policy.Block(
                                Prefix.parse("0.0.0.0/0"), List.of(Prefix.parse("10.0.0.0/8")))),
                        List.of(
                            new Policy.AllPorts(),
                            new Policy.NamedPort(Optional.empty(), "sql"))))),
            List.of());
    assertThat(across(node)).isEqualTo(node);
    assertThat(across(policy)).isEqualTo(policy);
    assertThat(across(new ClusterEvent.Synced())).isEqualTo(new ClusterEvent.Synced());
  }

  @Test
  void whatIsOfAnotherVersionIsRefusedByName() throws Json.MalformedException {
    Map<String, Object> newer =
        Json.object(
            "{\"is\":\"NodeGone\",\"name\":{\"text\":\"n1\",\"colour\":\"red\"}}"
                .getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> RecordJson.read(newer, ClusterEvent.class))
        .isInstanceOf(Json.MalformedException.class)
        .hasMessageContaining("colour")
        .hasMessageContaining("NodeName");
    Map<String, Object> unknown =
        Json.object("{\"is\":\"MoonSeen\"}".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> RecordJson.read(unknown, ClusterEvent.class))
        .hasMessageContaining("MoonSeen");
  }
}

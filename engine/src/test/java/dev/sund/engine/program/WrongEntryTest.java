package dev.sund.engine.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.Scene;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WrongEntryTest {
  private final ProgramDelta right = firstDelta();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "routes 10.244.3.0/24",
        "tunnels sund-vxlan4",
        "peers sund-vxlan4 192.168.2.13",
        "masquerade CLUSTER 10.244.2.0/24"
      })
  void exactlyOneEntryIsWrong(String which) {
    ProgramDelta wrong = WrongEntry.parse(which).apply(right);
    int differences =
        differences(right.routes(), wrong.routes())
            + differences(right.tunnels(), wrong.tunnels())
            + differences(right.tunnelPeers(), wrong.tunnelPeers())
            + differences(right.masquerade(), wrong.masquerade());
    assertThat(differences).isEqualTo(1);
    assertThat(wrong.localPods()).isEqualTo(right.localPods());
  }

  @Test
  void whatPoliciesSayIsLeftOutInEachTable() {
    Ip pod = Ip.parse("10.244.3.20");
    RuleId rule = RuleId.parse("NetworkPolicy:shop/deny:uid:in:0");
    PodPolicy policy =
        new PodPolicy(new PodPolicy.Key(pod, RuleId.Direction.INGRESS), 0x11, List.of(rule));
    PolicyPort port = new PolicyPort(PolicyPort.Key.others(0x11), 0, 0x22);
    PolicyPeer peer = new PolicyPeer(Prefix.parse("10.244.1.0/24"), 3, rule);
    PolicyVerdict verdict = new PolicyVerdict(PolicyVerdict.Key.others(0x22), false, rule);
    PolicyDelta said =
        new PolicyDelta(
            List.of(new Change.Put<>(policy.key(), policy, Optional.empty())),
            List.of(new Change.Put<>(port.key(), port, Optional.empty())),
            List.of(new Change.Put<>(peer.range(), peer, Optional.empty())),
            List.of(new Change.Put<>(verdict.key(), verdict, Optional.empty())));
    ProgramDelta all =
        new ProgramDelta(
            List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(),
            said, List.of());
    assertThat(WrongEntry.parse("policies " + policy.key()).apply(all).policy().pods()).isEmpty();
    assertThat(WrongEntry.parse("policy_ports " + port.key()).apply(all).policy().ports())
        .isEmpty();
    assertThat(WrongEntry.parse("policy_peers " + peer.range()).apply(all).policy().peers())
        .isEmpty();
    assertThat(WrongEntry.parse("policy_verdicts " + verdict.key()).apply(all).policy().verdicts())
        .isEmpty();
    assertThat(WrongEntry.parse("policies 10.244.3.21 in").apply(all)).isEqualTo(all);
  }

  @Test
  void anotherProgramStaysRight() {
    assertThat(WrongEntry.parse("routes 10.99.0.0/16").apply(right)).isEqualTo(right);
  }

  @Test
  void aTableThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> WrongEntry.parse("neighbours 10.0.0.1"))
        .hasMessage("'neighbours 10.0.0.1' is not an entry such as 'routes 10.244.3.0/24'");
  }

  private static ProgramDelta firstDelta() {
    Scene scene = Scene.ofThreeNodes();
    ProgramCompiler compiler = scene.compiler("n1");
    return compiler.apply(scene.events("n1")).delta();
  }

  private static <T> int differences(List<T> before, List<T> after) {
    return (int) before.stream().filter(entry -> !after.contains(entry)).count();
  }
}

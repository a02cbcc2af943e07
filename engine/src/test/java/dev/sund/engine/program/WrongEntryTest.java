package dev.sund.engine.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.Scene;
import java.util.List;
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

package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.model.Family;
import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MtuTest {
  @ParameterizedTest
  @CsvSource({"NONE,V4,0", "NONE,V6,0", "IPIP,V4,20", "VXLAN,V4,50", "VXLAN,V6,70"})
  void wrappingCosts(Encapsulation encapsulation, Family underlay, int bytes) {
    assertThat(Mtu.overhead(encapsulation, underlay)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({
    // device, family, way, set, pods
    "1500,V4,NONE,,1500",
    "1500,V4,IPIP,,1480",
    "1500,V4,VXLAN,,1450",
    "1500,V6,VXLAN,,1430",
    "9000,V4,VXLAN,,8950",
    "9001,V6,VXLAN,,8931",
    "1500,V4,VXLAN,1400,1400",
    "1500,V4,VXLAN,1500,1450",
    "1500,V4,NONE,1500,1500",
    "1400,V6,VXLAN,,1330",
    "1300,V6,VXLAN,,1280",
    "600,V4,VXLAN,,576",
    "1500,V6,VXLAN,1000,1280",
  })
  void podsGet(int device, Family family, Encapsulation way, Integer set, int mtu) {
    OptionalInt wanted = set == null ? OptionalInt.empty() : OptionalInt.of(set);
    assertThat(Mtu.pod(device, family, way, wanted)).isEqualTo(mtu);
  }

  @ParameterizedTest
  @CsvSource({
    "VXLAN,1500,V4,,1450",
    "VXLAN,1500,V6,,1430",
    "VXLAN,1500,V4,1300,1300",
    "VXLAN,1300,V6,,1230",
    "IPIP,1500,V4,,1480",
    "IPIP,1500,V4,1440,1440"
  })
  void tunnelsGet(Encapsulation way, int device, Family family, Integer set, int mtu) {
    OptionalInt wanted = set == null ? OptionalInt.empty() : OptionalInt.of(set);
    assertThat(Mtu.tunnel(way, device, family, wanted)).isEqualTo(mtu);
  }
}

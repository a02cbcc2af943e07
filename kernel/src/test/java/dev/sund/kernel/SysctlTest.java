package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SysctlTest {
  @Test
  void keysAreThePathsOfTheFiles() {
    assertThat(Sysctl.ipv4("ip_forward").key()).isEqualTo("net/ipv4/ip_forward");
    assertThat(Sysctl.ipv4Conf("eth0.100", "rp_filter").key())
        .isEqualTo("net/ipv4/conf/eth0.100/rp_filter");
    assertThat(Sysctl.ipv6Conf("all", "forwarding")).hasToString("net/ipv6/conf/all/forwarding");
  }

  @Test
  void onlySettingsOfANetworkNamespaceAreAccepted() {
    assertThatThrownBy(() -> new Sysctl("kernel/hostname"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'kernel/hostname'");
    assertThatThrownBy(() -> new Sysctl("net/../kernel/hostname"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}

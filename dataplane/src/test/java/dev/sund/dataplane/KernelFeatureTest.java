package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of kernels that lack something. */
class KernelFeatureTest {
  @ParameterizedTest
  @CsvSource({
    "6.12.0-1-amd64, ''",
    "5.10.0-28-arm64, ''",
    "5.4.0-150-generic, comments of nf_tables' tables and chains (Linux 5.10)",
    "10.0, ''",
    "made at home, ''"
  })
  void anOlderKernelIsToldWhatItMayLack(String release, String said) {
    assertThat(KernelFeature.youngerThan(release).stream().map(KernelFeature::toString))
        .isEqualTo(said.isEmpty() ? java.util.List.of() : java.util.List.of(said));
  }

  @Test
  void aMuchOlderOneIsToldOfEachWithItsRelease() {
    assertThat(KernelFeature.youngerThan("4.18.0-553.el8.x86_64"))
        .containsExactly(
            KernelFeature.STRICT_NETLINK, KernelFeature.NFT_INET_NAT, KernelFeature.NFT_COMMENTS);
    assertThat(KernelFeature.youngerThan("2.6.32")).hasSize(5).doesNotContain(KernelFeature.IPIP);
  }

  @Test
  void whatAKernelRefusesIsExplainedByTheReleaseThatHasIt() {
    assertThat(refusal("link", Marks.VXLAN_V6))
        .isEqualTo(
            "link sund-vxlan6: create link sund-vxlan6: Unsupported (EOPNOTSUPP, kernel: \"Unknown device type\")."
                + " Load the module (modprobe vxlan), or run Linux 3.12 or later with"
                + " CONFIG_VXLAN. [kernel-feature-missing]");
    assertThat(refusal("link", Marks.IPIP_V4)).contains("modprobe ipip", "CONFIG_NET_IPIP");
    assertThat(refusal("nft table", "inet sund")).contains("Linux 5.2 or later");
    assertThat(refusal("route", "10.1.0.0/24")).contains("Run a kernel with create link");
  }

  private static String refusal(String kind, String name) {
    ObjectRef object = new ObjectRef(kind, name);
    Condition said =
        Problems.refused(
            object,
            Errno.exception(
                "create link",
                name,
                Errno.EOPNOTSUPP.number(),
                "Unknown device type",
                Capability.NET_ADMIN));
    return said.toString();
  }
}

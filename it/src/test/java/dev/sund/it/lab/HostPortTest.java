package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.lab.Lab;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Host ports as the lab predicts them from tables, and as packets find them. */
@Tag("netns")
class HostPortTest {
  private static final String PROPERTY = "sund.test.wrongEntry";

  @AfterEach
  void buildRightlyAgain() {
    System.clearProperty(PROPERTY);
  }

  @Test
  void predictionsFromTheTablesAndPacketsAgree() {
    LabOutput lab = lab();

    assertThat(lab.exitCode()).as(lab.out() + lab.err()).isZero();

    // Outside is seen as itself, and so are pods; the pod itself and the loopback as the node.
    assertThat(lab.line("outside -> shop/ingress by its node 53/udp v6"))
        .contains("reach yes=yes", "source fd00:ff::a");
    assertThat(lab.line("outside -> shop/admin by its node 53/tcp v4"))
        .contains("reach yes=yes", "source 203.0.113.10");
    assertThat(lab.line("shop/ingress-far -> shop/ingress-far by its node 80/tcp v4"))
        .contains("reach yes=yes", "source 192.168.12.13");
    assertThat(lab.line("shop/ingress-far -> shop/ingress-far by its node 80/tcp v6"))
        .contains("reach yes=yes", "source fd00:b::13");
    assertThat(lab.out()).doesNotContain("shop/admin by its node 53/tcp v6");
    assertThat(lab.lastLine()).matches("[0-9]+ probes, [0-9]+ agree, 0 differ");
  }

  @Test
  void oneWrongEndpointIsFoundAndNamed() {
    System.setProperty(PROPERTY, "endpoints local-v4 80/tcp #0");

    LabOutput lab = lab();

    assertThat(lab.exitCode()).isEqualTo(Lab.DIFFER);
    assertThat(lab.out())
        .contains("DIFFERS")
        .contains("drift: node n1: nft element inet sund endpoints-node-v4 local-v4 80/tcp #0");
  }

  private static LabOutput lab() {
    return LabOutput.of("examples/shop/nodes.yaml", "examples/host-ports");
  }
}
